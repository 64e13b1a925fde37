"""Whether a course is set up so that staff can mark, students can hand in, and nobody reads too much."""

from __future__ import annotations

import importlib
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import GraderFault, GraderUsageError
from grader.gradebook.access import account, exposures, group, group_members, is_shared, unwritable
from grader.gradebook.course import ASSIGNMENT, CONFIG_FILE, Course, inside
from grader.gradebook.course_lock import holder
from grader.machine.doctor import examine_box
from grader.machine.finding import FAULT, FINE, NOTE, Finding
from grader.text import listed, printable

if TYPE_CHECKING:
    from traitlets.config import Config


def examine(course: Course) -> Iterator[Finding]:
    """Look at everything that a course needs beside the submissions."""
    yield from _staff(course)
    yield from _faults(unwritable(course), f"{account_here()} can write all that a run has to")
    running = holder(course)
    if running:
        yield Finding(NOTE, running)
    yield from examine_box()
    yield from _formgrader()
    try:
        with inside(course) as config:
            yield Finding(FINE, f"{CONFIG_FILE} is read, and is this course's")
            yield from _faults(exposures(course, config), "students can read neither the course nor the kit")
            yield from _exchange(course, config)
            yield from _gradebook(course, config)
    except (GraderUsageError, GraderFault) as error:
        yield Finding(FAULT, str(error))


def account_here() -> str:
    """The account that asks."""
    return account(os.geteuid())


def _faults(lines: list[str], otherwise: str) -> Iterator[Finding]:
    yield from (Finding(FAULT, line) for line in lines)
    if not lines:
        yield Finding(FINE, otherwise)


def _staff(course: Course) -> Iterator[Finding]:
    about = course.root.stat()
    owner = account(about.st_uid)
    if is_shared(course):
        members = listed(group_members(about.st_gid), 20) or "nobody"
        yield Finding(
            FINE, f"the course is {owner}'s, shared with the group {group(about.st_gid)}: {members}"
        )
        if not about.st_mode & stat.S_ISGID:
            shown = printable(str(course.root))
            yield Finding(
                FAULT, f"{shown}: what is made in it is not the group's; {owner} runs: chmod g+s {shown}"
            )
    else:
        yield Finding(FINE, f"the course is {owner}'s alone")


def _formgrader() -> Iterator[Finding]:
    """A server starts without an extension that fails, and says so in its log alone."""
    try:
        importlib.import_module("nbgrader.server_extensions.formgrader")
    except Exception as error:
        yield Finding(FAULT, f"formgrader cannot be loaded: {printable(str(error), 300)}")
    else:
        yield Finding(FINE, "formgrader can be loaded")


def _exchange(course: Course, config: Config) -> Iterator[Finding]:
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange.default.exchange import Exchange

    exchange = Exchange(config=config)
    place = Path(exchange.root, CourseDirectory(config=config).course_id)
    if exchange.timezone not in ("UTC", "Etc/UTC"):
        yield Finding(
            FAULT,
            f"{CONFIG_FILE}: Exchange.timezone is {printable(exchange.timezone)}, in which nbgrader writes "
            'summer times that it reads as UTC; set it to "UTC"',
        )
    inbound, outbound = place / "inbound", place / "outbound" / ASSIGNMENT
    if not inbound.is_dir():
        yield Finding(NOTE, f"{printable(str(place))}: nothing was released into the exchange yet")
        return
    mode = inbound.stat().st_mode
    if mode & stat.S_IROTH:
        yield Finding(
            FAULT, f"{inbound}: students can list what others handed in; close it: chmod o-r {inbound}"
        )
    if not mode & stat.S_IWOTH or not mode & stat.S_IXOTH:
        yield Finding(FAULT, f"{inbound}: students cannot hand in; open it: chmod o+wx {inbound}")
    elif outbound.is_dir() and outbound.stat().st_mode & stat.S_IROTH:
        yield Finding(FINE, f"students fetch {ASSIGNMENT} from {place}, and hand in there")
    else:
        yield Finding(NOTE, f"{ASSIGNMENT} was not released; run: nbgrader release_assignment {ASSIGNMENT}")


def _gradebook(course: Course, config: Config) -> Iterator[Finding]:
    from grader.gradebook.steps import open_gradebook  # not at once: nbgrader takes 2 s, the files come first

    if not course.released_notebook.is_file():
        yield Finding(NOTE, f"{ASSIGNMENT} was not generated; run: nbgrader generate_assignment {ASSIGNMENT}")
    with open_gradebook(config) as gradebook:
        students = [student.id for student in gradebook.students]
    yield Finding(FINE, f"the gradebook opens; {len(students)} on the roster")
    strangers = [student for student in students if not _is_account(student)]
    if strangers and len(strangers) < len(students):
        yield Finding(
            NOTE,
            f"no accounts of this machine: {listed(strangers, 10)}; whether a hand-in under these ids is "
            "their own cannot be told",
        )
    elif strangers:
        yield Finding(
            NOTE,
            "the ids on the roster are no accounts of this machine: whose a hand-in in the exchange is "
            "cannot be told by its owner",
        )


def _is_account(student: str) -> bool:
    try:
        pwd.getpwnam(student)
    except KeyError:
        return False
    return True

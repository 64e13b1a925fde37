"""Make a new course, and write its assignment anew when the kit has changed."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path
from zoneinfo import ZoneInfo

from grader.errors import GraderUsageError
from grader.gradebook import access
from grader.gradebook.course import CONFIG_FILE, NOTEBOOK, REPOSITORY, Course, NewCourse
from grader.gradebook.nbgrader_settings import config_text, policy_text
from grader.gradebook.releases import remember_release
from grader.release.notebook import notebook_text
from grader.submission.names import is_clutter
from grader.text import printable


def initialise(root: Path, new: NewCourse) -> Course:
    """Make a course in a new or empty folder.

    Raises:
        GraderUsageError: the folder holds something, an option is not valid, or it cannot be written.
    """
    course = Course(Path(os.path.abspath(root)))
    shown = printable(str(root))
    if not re.fullmatch(r"\w[\w.-]*", new.course_id):
        raise GraderUsageError(
            f"--course-id {printable(new.course_id)}: letters, digits, '.', '-' and '_' only"
        )
    _check_timezone(new.timezone)
    exchange = Path(os.path.abspath(new.exchange))
    if exchange == course.root or course.root in exchange.parents:
        raise GraderUsageError(
            f"--exchange {printable(str(new.exchange))}: is in the course, which students cannot enter; "
            "give a folder outside it"
        )
    staff = access.staff_group(new.group) if new.group is not None else None
    if course.root.exists() and (not course.root.is_dir() or any(course.root.iterdir())):
        raise GraderUsageError(f"{shown}: is not an empty folder; give a new one")
    try:
        course.root.mkdir(mode=access.PRIVATE, parents=True, exist_ok=True)
        access.make_private(course.root, staff)
        with access.umask_of(course):
            _write_source(course)
            course.state.mkdir()
            (course.state / "seed").write_text(f"{secrets.randbits(48)}\n")
            course.policy.write_text(policy_text(new.timezone), encoding="utf-8")
            (course.root / CONFIG_FILE).write_text(config_text(new, REPOSITORY), encoding="utf-8")
            if staff is not None and new.db_url is None:
                (course.root / access.DATABASE).touch()  # nbgrader would make it for its own account alone
        access.make_exchange(exchange, new.course_id, staff)
    except OSError as error:
        where = printable(str(error.filename or root))
        raise GraderUsageError(f"{where}: cannot make the course: {error.strerror}") from error
    return course


def update(course: Course) -> None:
    """Write the assignment's source anew, after a change of the kit: of points, questions or stubs.

    Raises:
        GraderUsageError: it cannot be written.
    """
    try:
        remember_release(course)
        _write_source(course)
    except OSError as error:
        where = printable(str(error.filename or course.source))
        raise GraderUsageError(f"{where}: cannot be written: {error.strerror}") from error


def _write_source(course: Course) -> None:
    course.source.mkdir(parents=True, exist_ok=True)
    _copy_stubs(course.source)
    (course.source / f"{NOTEBOOK}.ipynb").write_text(notebook_text(), encoding="utf-8")


def _copy_stubs(target: Path) -> None:
    """Everything students get, except the notebook, which is built anew."""
    for path in sorted((REPOSITORY / "student").rglob("*")):
        inner = path.relative_to(REPOSITORY / "student")
        if path.is_file() and path.suffix != ".ipynb" and not any(is_clutter(part) for part in inner.parts):
            (target / inner).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / inner)


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise GraderUsageError(f"--timezone {printable(name)}: is not the name of a time zone") from error
    except KeyError as error:
        raise GraderUsageError(
            f"--timezone {printable(name)}: there is no such time zone; an example is Europe/Amsterdam"
        ) from error

"""Make a new course, and write its assignment anew when the kit has changed."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from grader.errors import GraderUsageError
from grader.gradebook import access
from grader.gradebook.course import CONFIG_FILE, NOTEBOOK, REPOSITORY, Course, NewCourse
from grader.gradebook.nbgrader_settings import config_text, policy_text
from grader.gradebook.releases import remember_release
from grader.release.manifest import ContradictionError, require_agreement
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
    source = _source()
    with _all_or_nothing(course.root, exchange / new.course_id):
        try:
            course.root.mkdir(mode=access.PRIVATE, parents=True, exist_ok=True)
            access.make_private(course.root, staff)
            with access.umask_of(course):
                _write_source(course, source)
                course.state.mkdir()
                (course.state / "seed").write_text(f"{secrets.randbits(48)}\n")
                course.policy.write_text(policy_text(new.timezone), encoding="utf-8")
                if staff is not None and new.db_url is None:
                    # nbgrader would make it for its own account alone.
                    (course.root / access.DATABASE).touch()
                access.make_exchange(exchange, new.course_id, staff)
                # What makes the folder a course comes last.
                (course.root / CONFIG_FILE).write_text(config_text(new, REPOSITORY), encoding="utf-8")
        except OSError as error:
            where = printable(str(error.filename or root))
            raise GraderUsageError(f"{where}: cannot make the course: {error.strerror}") from error
    return course


@contextmanager
def _all_or_nothing(root: Path, exchange: Path) -> Iterator[None]:
    """After an error, take away what was made: the course, and folders that were not there before."""
    missing = [one for folder in (root, exchange) for one in (folder, *folder.parents) if not one.exists()]
    try:
        yield
    except BaseException:
        for made in list(root.iterdir()) if root.is_dir() else ():
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        for folder in missing:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def update(course: Course) -> None:
    """Write the assignment's source anew, after a change of the kit: of points, questions or stubs.

    Raises:
        GraderUsageError: the kit contradicts its rubric or questions, or the source cannot be written.
    """
    source = _source()
    try:
        remember_release(course)
        _write_source(course, source)
    except OSError as error:
        where = printable(str(error.filename or course.source))
        raise GraderUsageError(f"{where}: cannot be written: {error.strerror}") from error


def _source() -> dict[str, bytes]:
    """The files that nbgrader makes the release of: the stubs, and the notebook.

    Raises:
        GraderUsageError: the kit contradicts its rubric or questions, or a file of it cannot be read.
    """
    student = REPOSITORY / "student"
    try:
        require_agreement()
        files = {
            path.relative_to(student).as_posix(): path.read_bytes()
            for path in sorted(student.rglob("*"))
            if path.is_file()
            and path.suffix != ".ipynb"
            and not any(is_clutter(part) for part in path.relative_to(student).parts)
        }
    except ContradictionError as error:
        first, *others = error.lines
        more = f" ({len(others)} more: make manifest names them)" if others else ""
        raise GraderUsageError(
            f"nothing was written, since the kit contradicts its rubric.toml or questions.toml: {first}{more}"
        ) from error
    except OSError as error:
        raise GraderUsageError(
            f"{printable(str(error.filename))}: cannot be read: {error.strerror}"
        ) from error
    return {**files, f"{NOTEBOOK}.ipynb": notebook_text().encode()}


def _write_source(course: Course, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = course.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise GraderUsageError(f"--timezone {printable(name)}: is not the name of a time zone") from error
    except KeyError as error:
        raise GraderUsageError(
            f"--timezone {printable(name)}: there is no such time zone; an example is Europe/Amsterdam"
        ) from error

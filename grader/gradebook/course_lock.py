"""One run at a time in a course: a second one is told who holds it, and changes nothing.

Two runs at once would move folders from under each other, and nbgrader would ask again for marks that people
have given. The lock is the operating system's: a run that is killed lets go of it.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from grader.errors import GraderUsageError
from grader.gradebook.course import Course
from grader.text import printable

LOCK = "lock"


@contextmanager
def only_run(course: Course) -> Iterator[None]:
    """Keep every other run out of a course.

    Raises:
        GraderUsageError: another run is in it, or the file of the lock cannot be written.
    """
    path = course.state / LOCK
    try:
        course.state.mkdir(exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise GraderUsageError(
            f"{printable(str(error.filename or path))}: cannot be written ({error.strerror}), and every run "
            "needs it; python -m grader doctor --course DIR says who can mend it"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GraderUsageError(
                f"{printable(str(course.root))}: {_holder(file)}; nothing was changed: wait for its end"
            ) from None
        except OSError:
            pass  # a file system without locks
        _write_holder(file)
        try:
            yield
        finally:
            file.truncate(0)


def holder(course: Course) -> str:
    """Who has a run in a course right now, and since when; empty where nobody has."""
    try:
        with (course.state / LOCK).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _holder(file)
    except OSError:  # there was no run yet, or there are no locks
        pass
    return ""


def _write_holder(file: TextIO) -> None:
    """Say in the file who holds it: the system knows only that somebody does."""
    about = {
        "account": _account(),
        "machine": socket.gethostname(),
        "process": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    file.truncate(0)
    file.write(json.dumps(about) + "\n")
    file.flush()


def _holder(file: TextIO) -> str:
    """Who holds the lock, and since when, as far as the file says."""
    file.seek(0)
    try:
        about = json.loads(file.read(10_000))
        since = datetime.fromisoformat(about["since"]).astimezone(UTC)
        return printable(
            f"{about['account']} has had a run in this course since {since:%Y-%m-%d %H:%M:%S} UTC "
            f"(process {about['process']} on {about['machine']})"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another run is in this course"


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return str(os.getuid())

"""What one run has to remember of the last: digests, in `state/` of a course, where no student writes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from grader.errors import GraderFault
from grader.files import write_atomically
from grader.gradebook.course import Course
from grader.submission import read_submission
from grader.text import printable

PREPARED = "prepared.json"  # student -> digests of the copies that `prepare` has put into submitted/
ROSTER = "roster.json"  # students that came on the roster by handing in something -> when the course had none
GRADED = "graded.json"  # student -> digests of the code that was marked, and of its result
COLLECTED = "collected.json"  # student -> what to look at in what came from the exchange, a line each
UNPACKED = "unpacked.json"  # name of a hand-in in a download -> what of it was left out, a line each
COUNTED = "counted.json"  # student -> the hand-in that counts for them, and what to say about it, a line each
PROPOSED = "proposed.json"  # student -> why it is to be confirmed first with whom they handed in
COPIED = "copied.json"  # student -> what was copied of a mark by hand, a line for each cell
ENTERED = "entered.json"  # student -> digest of all that went into the gradebook


def load(course: Course, name: str) -> dict[str, str]:
    """A table of digests by student; empty where there is none yet.

    Raises:
        GraderFault: it cannot be read.
    """
    path = course.state / name
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise GraderFault(
            f"{printable(str(path))}: cannot be read ({error}); remove it and run again"
        ) from error
    return {str(key): str(value) for key, value in table.items()}


def save(course: Course, name: str, table: Mapping[str, str]) -> None:
    """Write a table of digests.

    Raises:
        GraderFault: it cannot be written.
    """
    path = course.state / name
    try:
        course.state.mkdir(exist_ok=True)
        write_atomically(path, (json.dumps(dict(sorted(table.items())), indent=1) + "\n").encode())
    except OSError as error:
        raise GraderFault(f"{printable(str(path))}: cannot be written: {error.strerror}") from error


def digest(*contents: bytes) -> str:
    """SHA-256 over several byte strings, each with its length."""
    hashed = hashlib.sha256()
    for content in contents:
        hashed.update(f"{len(content)}:".encode() + content)
    return hashed.hexdigest()


def file_digest(*paths: Path) -> str:
    """SHA-256 over files; a missing one counts as such."""
    return digest(*(path.read_bytes() if path.is_file() else b"missing" for path in paths))


def code_digest(folder: Path) -> str:
    """SHA-256 over the code of a submission, as the grader reads it."""
    submission = read_submission(folder, "any")
    parts = [part for name in sorted(submission.files) for part in (name.encode(), submission.files[name])]
    return digest(*parts)

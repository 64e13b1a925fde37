"""Collects from the exchange, which students write to themselves.

nbgrader's collector follows links with the rights of whoever collects, so that a link in a submission reads
the solutions, or somebody else's report; one folder with a strange name stops it for everyone; and it tells
its log alone when a submission is not owned by the student it names. This one copies links as links, leaves
out what is no submission, and notes what a person should look at.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.exchange.default.collect import ExchangeCollect
from nbgrader.utils import ignore_patterns, parse_utc

from grader.gradebook.handed_in import read_regular
from grader.submission.names import printable

TIMESTAMP = "timestamp.txt"
SLACK = timedelta(minutes=10)  # between the time that `nbgrader submit` notes and its last file

Ignored = Callable[[str, list[str]], Iterable[str]]


class Collect(ExchangeCollect):
    """nbgrader's collector, for students who may do anything.

    Attributes:
        remarks: about what was left where it is, one line each.
        notes: by student, what a person should look at in what was collected; nothing for a good submission.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.src_records: list[dict[str, Any]] = []
        self.remarks: list[str] = []
        self.notes: dict[str, list[str]] = {}
        self.check_owner = False  # we say it ourselves, and not in the log alone

    def init_src(self) -> None:
        """Find the latest submission of everyone."""
        super().init_src()
        self.src_records = [record for record in self.src_records if record["username"]]
        self._records = {record["filename"]: record for record in self.src_records}

    def _path_to_record(self, path: str) -> dict[str, Any]:
        try:
            record = super()._path_to_record(path)
            if record["username"] and not os.path.islink(path) and os.path.isdir(path):
                return record
        except Exception:  # nbgrader's own, or of whatever the name makes of its parts
            pass
        name = os.path.basename(path)
        self.remarks.append(f"{printable(name)}, in the exchange, is no submission, and was left there")
        return {"username": "", "filename": name, "timestamp": datetime.min}

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy one submission; where that fails, the others are collected all the same."""
        source, target = Path(src), Path(dest)
        record = self._records[source.name]
        student = record["username"]
        ignored = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=self.log,
        )
        try:
            _copy(source, target, ignored)
            self.notes[student] = [*_ownership(source, student), *_time(source, target, record["timestamp"])]
        except OSError as error:
            shutil.rmtree(target, ignore_errors=True)
            self.remarks.append(
                f"{student}: the submission in the exchange cannot be collected: "
                f"{printable(str(error.filename or src))}: {error.strerror or error}"
            )


def _copy(source: Path, target: Path, ignored: Ignored) -> None:
    """Copy a folder: regular files as they are, links as links, and nothing else.

    Folders are entered by descriptors, so that none turns into a link between the look and the step.

    Raises:
        OSError: something cannot be read or written.
    """
    for place, folders, files, descriptor in os.fwalk(source, onerror=_raise, follow_symlinks=False):
        out = set(ignored(place, [*folders, *files]))
        here = target / Path(place).relative_to(source)
        here.mkdir(parents=True, exist_ok=True)
        folders[:] = [name for name in folders if name not in out]
        for name in [*folders, *files]:
            mode = os.lstat(name, dir_fd=descriptor).st_mode if name not in out else 0
            if stat.S_ISLNK(mode):
                (here / name).symlink_to(os.readlink(name, dir_fd=descriptor))
            elif stat.S_ISREG(mode):
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                with (
                    open(os.open(name, flags, dir_fd=descriptor), "rb") as file,
                    (here / name).open("wb") as copy,
                ):
                    shutil.copyfileobj(file, copy)


def _raise(error: OSError) -> None:
    raise error


def _ownership(source: Path, student: str) -> list[str]:
    """What to say where somebody else has handed in: neither the student, nor whoever collects for all."""
    owner = source.stat().st_uid
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = str(owner)
    if name == student or owner == os.getuid():
        return []
    return [f"was put into the exchange by account {printable(name)}, not by {student}: ask both"]


def _time(source: Path, target: Path, claimed: datetime) -> list[str]:
    """Write the time that counts, that of the folder's name, and say what speaks against it.

    Args:
        source: the submission in the exchange.
        target: its copy.
        claimed: UTC, without a time zone.
    """
    notes = []
    file = target / TIMESTAMP
    try:
        text = read_regular(file, 10_000).decode("utf-8", "replace").strip()
    except OSError:
        text = ""
    try:
        same = not text or parse_utc(text) == claimed
    except (ValueError, OverflowError, TypeError, AttributeError):
        same = False
    if not same:
        notes.append(f"{TIMESTAMP} says {printable(text, 40)}, the exchange {claimed:%Y-%m-%d %H:%M} UTC")
    if file.is_symlink() or file.is_file():
        file.unlink()
    elif file.exists():
        shutil.rmtree(file)
    file.write_text(f"{claimed:%Y-%m-%d %H:%M:%S.%f} UTC")
    # The time of the last change of a file's entry is the machine's own: a student cannot set it.
    changed = max(path.lstat().st_ctime for path in (source, *source.rglob("*")))
    came = datetime.fromtimestamp(changed, UTC).replace(tzinfo=None)
    if came > claimed + SLACK:
        notes.append(
            f"says it came on {claimed:%Y-%m-%d %H:%M} UTC, but its files are of {came:%Y-%m-%d %H:%M} UTC"
        )
    return notes

"""Collects from the exchange, which students write to themselves.

nbgrader's collector follows links with the rights of whoever collects, so that a link in a submission reads
the solutions, or somebody else's report; one folder with a strange name stops it for everyone; and it tells
its log alone when a submission is not owned by the student it names. It also takes summer time for UTC. This
one copies links as links, leaves out what is no submission, reads times right (`hand_in_times`), and notes
what a person should look at.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nbgrader.exchange.default.collect import ExchangeCollect
from nbgrader.utils import ignore_patterns

from grader.files import open_plainly, read_regular
from grader.gradebook import state
from grader.gradebook.course import CONFIG_FILE, Course
from grader.gradebook.hand_in_times import TIMESTAMP, UnknownTime, read_stamp, read_time, vouch, written
from grader.gradebook.hand_ins import attempt, hand_ins
from grader.gradebook.late import BEST, LatePolicy, read_policy
from grader.gradebook.senders import SLACK, WAITING, Sent, about_sender, eligible, in_future, note_waiting
from grader.text import printable

# `ada+a3+2026-07-15 10:00:00.000000 UTC+x3nq...`; the last part may be missing, and a zone may be `+0530`.
_NAME = re.compile(
    r"(?P<student>.+)\+(?P<assignment>[^+]+)\+"
    r"(?P<time>\d{4}-\d\d-\d\d[^+]*?(?: ?\+\d\d(?::?\d\d)?)?)(?:\+[^+]*)?",
    re.ASCII | re.DOTALL,
)

Ignored = Callable[[str, list[str]], Iterable[str]]


def _misread(read: Callable[[str], dict[str, Any]], path: str) -> datetime | None:
    try:
        return read(path)["timestamp"]
    except Exception:  # nbgrader's own, or of whatever the name makes of its parts
        return None


class Collect(ExchangeCollect):
    """nbgrader's collector, for students who may do anything.

    Attributes:
        remarks: about what was left where it is, one line each.
        faults: what should have been collected and could not be, one line each.
        notes: by student, what a person should look at in what was collected; nothing for a good submission.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.src_records: list[dict[str, Any]] = []
        self.remarks: list[str] = []
        self.faults: list[str] = []
        self.notes: dict[str, list[str]] = {}
        self.check_owner = False  # we say it ourselves, and not in the log alone

    def init_src(self) -> None:
        """Find the latest submission of everyone."""
        self._all: dict[str, list[Sent]] = {}
        if self.timezone not in ("UTC", "Etc/UTC"):
            self._remark(
                f"{CONFIG_FILE}: Exchange.timezone is {printable(self.timezone)}, and nbgrader reads the "
                'summer times that it then writes as UTC. This run has read them right; set it to "UTC"'
            )
        super().init_src()
        self._by_name = {one.name: (student, one) for student, theirs in self._all.items() for one in theirs}
        self._eligible = {
            student: eligible(self._course, student, theirs) for student, theirs in self._all.items()
        }
        self.src_records = [self._counting(student) for student in self._eligible]

    def _counting(self, student: str) -> dict[str, Any]:
        """Of a student's hand-ins the latest; in nbgrader's form."""
        theirs = self._eligible[student]
        due = self.duedate if self.before_duedate else None
        in_time = [one for one in theirs if due is not None and one.right <= due]
        latest = (in_time or theirs)[-1]
        return {"username": student, "filename": latest.name, "timestamp": latest.right}

    def _remark(self, text: str) -> None:
        """Say it to `make grade`, and to whoever runs `nbgrader collect`."""
        self.remarks.append(text)
        self.log.warning("%s", text)

    @cached_property
    def _course(self) -> Course:
        return Course(Path(self.coursedir.root))

    @cached_property
    def _zones(self) -> list[ZoneInfo]:
        """The zone that the exchange's times are written in, and that of the course's deadline."""
        try:
            own = [ZoneInfo(self.timezone)]
        except (KeyError, ValueError, OSError):
            own = []
        return [*own, self._policy.zone]

    @cached_property
    def _policy(self) -> LatePolicy:
        return read_policy(self._course.policy)

    def _path_to_record(self, path: str) -> dict[str, Any]:
        name = os.path.basename(path)
        reason = "is no submission"
        match = _NAME.fullmatch(name)
        ours = match is not None and match["assignment"] == self.coursedir.assignment_id
        if match is not None and ours and not os.path.islink(path) and os.path.isdir(path):
            try:
                moment = read_time(match["time"], self._zones)
            except UnknownTime as error:
                reason = (
                    f"has a time that cannot be read ({error}; rename it so that the time is in UTC, or set "
                    "timezone in late.toml)"
                )
            else:
                misread = _misread(super()._path_to_record, path)
                record = Sent(name, moment, misread, os.lstat(path).st_uid)
                self._all.setdefault(match["student"], []).append(record)
                return {"username": match["student"], "filename": name, "timestamp": moment}
        self._remark(f"{printable(name)}, in the exchange, {reason}, and was left there")
        return {"username": "", "filename": name, "timestamp": datetime.min}

    def copy_files(self) -> None:
        """Copy what is new, mend times that an earlier version has misread, and keep what is to be said."""
        shared, found = state.load(self._course, state.COUNTED), hand_ins(self._course)
        for record in self.src_records:
            student = record["username"]
            target = Path(
                self.coursedir.format_path(
                    self.coursedir.submitted_directory, student, self.coursedir.assignment_id
                )
            )
            mine = [read_stamp(one.folder, self._zones) for one in found.get(student, ())]
            if self._policy.attempts == BEST:
                self._copy_earlier(student, mine)
            if student in shared:  # what lies there may be another hand-in, or another's
                notes: list[str] = []
                others = [one.right for one in self._left(student)]
                existing = max((moment for moment in mine if moment and moment not in others), default=None)
            else:
                notes = self._mend(student, target)
                existing = self._right(student, read_stamp(target, self._zones))
            left = self._left(student)
            if existing in [one.right for one in left]:
                existing = None  # it was another's, collected before the student's own was there
            newer = existing is None or record["timestamp"] > existing
            again = target.is_dir() and (
                (self.update and newer) or (self.before_duedate and existing != record["timestamp"])
            )
            if again or not target.is_dir():
                self.log.info("Collecting submission: %s", student)
                self.do_copy(os.path.join(self.inbound_path, record["filename"]), str(target))
            elif notes:
                self.notes[student] = notes
        vouch(
            self._course,
            {student: [one.right for one in theirs] for student, theirs in self._eligible.items()},
        )
        known = state.load(self._course, state.COLLECTED)
        known |= {student: "\n".join(theirs) for student, theirs in self.notes.items()}
        state.save(self._course, state.COLLECTED, {student: text for student, text in known.items() if text})
        waiting = {
            student: note_waiting(self._course, student, self._left(student), _now()) for student in self._all
        }
        state.save(self._course, WAITING, {student: text for student, text in waiting.items() if text})

    def _left(self, student: str) -> list[Sent]:
        """What others have put beside a student's own hand-ins."""
        return [one for one in self._all[student] if one not in self._eligible[student]]

    def _copy_earlier(self, student: str, known: Sequence[datetime | None]) -> None:
        """Copy all but the latest, which were not copied before: any of them may be the best."""
        *earlier, _ = self._eligible[student]
        for number, one in enumerate(earlier, 1):
            target = Path(
                self.coursedir.format_path(
                    self.coursedir.submitted_directory,
                    attempt(student, number),
                    self.coursedir.assignment_id,
                )
            )
            if one.right not in known and not target.exists():
                self.do_copy(os.path.join(self.inbound_path, one.name), str(target))

    def _right(self, student: str, moment: datetime | None) -> datetime | None:
        """A time that was collected, or what it should have been, where an earlier version has misread it."""
        theirs = self._all[student]
        if moment is None or any(one.right == moment for one in theirs):
            return moment
        return next((one.right for one in theirs if one.misread == moment), moment)

    def _mend(self, student: str, target: Path) -> list[str]:
        """Write the right time where an earlier version has misread it: into what the student handed in.

        The copy in submitted/ is known by its contents, and made anew from it.
        """
        folder = self._course.collected / student
        folder = folder if folder.is_dir() and not folder.is_symlink() else target
        moment = read_stamp(folder, self._zones)
        right = self._right(student, moment)
        if moment is None or right is None or right == moment:
            return []
        (folder / TIMESTAMP).write_text(written(right))
        return [
            f"handed in on {right:%Y-%m-%d %H:%M} UTC; an earlier run has read the exchange's time as "
            f"{moment:%Y-%m-%d %H:%M} UTC, since Exchange.timezone is not UTC"
        ]

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy one submission in the place of an earlier one.

        Where that fails, the earlier one stays, and the others are collected all the same.
        """
        source, target = Path(src), Path(dest)
        student, record = self._by_name[source.name]
        ignored = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=self.log,
        )
        try:
            with tempfile.TemporaryDirectory(dir=self._course.root, prefix=".collecting-") as folder:
                copy = Path(folder, self.coursedir.assignment_id)
                _copy(source, copy, ignored)
                notes = _time(source, copy, record.right, self._zones)
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.is_dir():
                    shutil.rmtree(target)
                copy.rename(target)
            self.notes[student] = [
                *self.notes.get(student, ()),
                *about_sender(self._course, student, record.sender),
                *notes,
            ]
        except OSError as error:
            text = (
                f"{student}: the submission of {record.right:%Y-%m-%d %H:%M} UTC in the exchange was not "
                f"collected: {printable(str(error.filename or src))}: {error.strerror or error}"
            )
            self.faults.append(text)
            self.log.error("%s", text)


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
                with open_plainly(name, descriptor) as file, (here / name).open("wb") as copy:
                    shutil.copyfileobj(file, copy)


def _raise(error: OSError) -> None:
    raise error


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _time(source: Path, target: Path, claimed: datetime, zones: Iterable[ZoneInfo]) -> list[str]:
    """Write the time that counts, that of the folder's name, and say what speaks against it.

    Args:
        source: the submission in the exchange.
        target: its copy.
        claimed: UTC, without a time zone.
        zones: those of the course.
    """
    notes = []
    file = target / TIMESTAMP
    try:
        text = read_regular(file, 10_000).decode("utf-8", "replace").strip()
    except OSError:
        text = ""
    try:
        same = not text or read_time(text, zones) == claimed
    except UnknownTime:
        same = False
    if not same:
        notes.append(f"{TIMESTAMP} says {printable(text, 40)}, the exchange {claimed:%Y-%m-%d %H:%M} UTC")
    if file.is_symlink() or file.is_file():
        file.unlink()
    elif file.exists():
        shutil.rmtree(file)
    file.write_text(written(claimed))
    # The time of the last change of a file's entry is the machine's own: a student cannot set it.
    changed = max(path.lstat().st_ctime for path in (source, *source.rglob("*")))
    came = datetime.fromtimestamp(changed, UTC).replace(tzinfo=None)
    if in_future(claimed, _now()):
        notes.append(f"says it came on {claimed:%Y-%m-%d %H:%M} UTC, which has not come yet: ask the student")
    if came > claimed + SLACK:
        notes.append(
            f"says it came on {claimed:%Y-%m-%d %H:%M} UTC, but its files are of {came:%Y-%m-%d %H:%M} UTC"
        )
    return notes

"""nbgrader's plugins for what is downloaded from a learning platform: `nbgrader zip_collect a3`.

The archives go into `downloaded/a3/archive/`. Their names say whose they are (`grader.submission.downloads`
reads them), and the roster knows the names:

    Canvas       last_LATE_12345_6789_file-1.zip        the roster's lms_user_id is 12345
    Moodle       First Last_1327627_assignsubmission_file_/x.zip        first and last name
    Brightspace  13394-80551 - First Last - Mar 29, 2018 1205 PM - x.zip    first and last name, the time
    else         ada.zip, or a folder ada/        the roster's id or address, or the name

A name that the roster does not know becomes an id of its own, so that nobody is lost: `make grade` names it.
Of several hand-ins of a student the latest counts, as in `make grade` on a folder; where the course counts
the best, each of another time is taken.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins.zipcollect import ExtractorPlugin, FileNameCollectorPlugin

from grader.files import read_regular
from grader.gradebook import state
from grader.gradebook.course import Course
from grader.gradebook.groups import read_groups
from grader.gradebook.hand_in_times import TIMESTAMP, vouch, written
from grader.gradebook.hand_ins import owner_of
from grader.gradebook.handed_in import IMAGE_SUFFIXES, UNREADABLE
from grader.gradebook.late import BEST, read_policy
from grader.gradebook.list_names import is_member_list
from grader.gradebook.owners import Owner, find_owners
from grader.gradebook.packed import (
    COUNTED_SUFFIXES,
    MAX_MEMBER_BYTES,
    MAX_TOTAL_BYTES,
    UNREADABLE_ARCHIVE,
    inside,
    is_kept,
    is_packed,
    may_hold_report,
)
from grader.gradebook.roster import Person, Roster
from grader.submission.archive import names_in_archive, unpacked
from grader.submission.downloads import Entry, parse_all, platform_files
from grader.submission.loose import PLACES
from grader.submission.names import is_archive, is_clutter, may_be_archive, stem
from grader.submission.nested import MAX_OPENED
from grader.submission.several import Choice, choose_among
from grader.submission.uploads import Upload, in_order_of_age, of_each_name, of_the_latest_hand_in
from grader.text import listed, printable


class DownloadExtractor(ExtractorPlugin):
    """Unpacks archives with caps, and only what counts: code, pictures, notebooks and other reports."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack the latest hand-in of every student into a folder that says whose it is."""
        self._notes: dict[str, list[str]] = {}
        students: dict[tuple[str, str], list[tuple[Entry, Path]]] = {}
        paths = [path for path in sorted(Path(archive_path).iterdir()) if not is_clutter(path.name)]
        entries = parse_all(path.name for path in paths)
        own = platform_files(entries.values())
        paths = [path for path in paths if path.name not in own]
        places = _places(path for path in paths if path.name not in entries)
        for path in paths:
            if path.is_symlink():
                self.log.warning("%s: a symbolic link, skipped", printable(path.name))
                continue
            entry = entries.get(path.name)
            if entry is None:
                self._take(path, Path(extracted_path, places[path]))
                if path.is_dir() or is_packed(path):
                    self._leave_something(Path(extracted_path, places[path]))
            else:
                students.setdefault((entry.system, entry.student), []).append((entry, path))
        course = Course(Path(CourseDirectory(parent=self.parent).root))
        best = read_policy(course.policy).attempts == BEST
        for theirs in students.values():
            times = {entry.hand_in if best else () for entry, _ in theirs}
            for time in sorted(times):
                those = [one for one in theirs if one[0].hand_in == time or not best]
                _, last = max(those, key=lambda upload: (upload[0].hand_in, upload[0].order))
                self._take_latest(in_order_of_age(those), Path(extracted_path, last.name))
        if self._notes or state.load(course, state.UNPACKED):
            notes = {name: "\n".join(texts) for name, texts in self._notes.items()}
            state.save(course, state.UNPACKED, notes)

    def _take_latest(self, uploads: list[Upload], target: Path) -> None:
        """Unpack what one student handed in last: the archives that count, what lies beside, single files."""
        latest = of_the_latest_hand_in(uploads)
        wholes = [upload.path for upload in latest if upload.whole]
        singles, given = of_each_name(latest)
        choice = choose_among(wholes, singles) if wholes else Choice(())
        counting = [*choice.counting, *choice.earlier] if choice.review else list(choice.counting)
        taken = {*counting, *choice.beside, *singles.values(), *given}
        left = [upload for upload in uploads if upload.path not in taken]
        if left:
            text = f"handed in several times; left out: {listed(upload.path.name for upload in left)}"
            self.log.warning("%s: %s", printable(target.name), text)
            if any(upload.whole for upload in left):  # a single file was uploaded again: no need to look
                self._notes.setdefault(target.name, []).append(text)
        if choice.review:
            self.log.warning("%s: %s", printable(target.name), choice.review)
            self._notes.setdefault(target.name, []).append(choice.review)
        for path in counting:  # each in a place of its own: both may hold a utils.py
            self._take(path, target / path.name if len(counting) > 1 else target)
        for path in choice.beside:
            self._take(path, target / path.name)
        for name, path in singles.items():
            if not path.is_symlink():
                self._take(path, target, _place(name, alone=not counting))
        self._leave_something(target)

    def _take(self, path: Path, target: Path, place: PurePosixPath | None = None) -> None:
        """Unpack an archive, or copy a file, or a folder of those."""
        if path.is_dir():
            names = {inner: inner.relative_to(path) for inner in sorted(path.rglob("*"))}
            files = {
                inner: PurePosixPath(*name.parts)
                for inner, name in names.items()
                if inner.is_file() and not inner.is_symlink() and inside(name.as_posix())
            }
            several = sum(map(is_packed, files)) > 1  # both may hold a utils.py
            for inner, place in files.items():
                self._take(inner, target / place if several and is_packed(inner) else target, place)
            return
        try:
            if is_packed(path):
                self._unpack(path, target)
            elif _is_wanted(path.name) and (place or not _is_note(path.name)):
                content = read_regular(path, MAX_MEMBER_BYTES)
                self._keep(target, place or PurePosixPath(path.name), content)
            else:
                self.log.warning("%s: no archive, skipped", path.name)
        except UNREADABLE_ARCHIVE as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._unreadable(target, f"{path.name}: {reason}")
            self.log.error("%s: cannot be unpacked: %s", printable(path.name), reason)

    def _leave_something(self, target: Path) -> None:
        """Let nobody be lost of whose files none counts: nbgrader sees files, not folders."""
        if not any(path.is_file() and path.suffix.lower() in COUNTED_SUFFIXES for path in target.rglob("*")):
            self._unreadable(target, "holds no code, no notebook and no picture")

    def _unreadable(self, target: Path, reason: str) -> None:
        """Make a submission without files; `make grade` tells why."""
        target.mkdir(parents=True, exist_ok=True)
        if (target / UNREADABLE).is_dir():
            shutil.rmtree(target / UNREADABLE)
        (target / UNREADABLE).write_text(f"# {printable(reason)}\n")

    def _unpack(self, path: Path, target: Path, within: bool = False) -> None:
        """Unpack what counts, and where nothing does, what lies in archives within, as `make grade` does."""
        left_out: set[str] = set()
        has_code = False
        for name, content in unpacked(
            path, lambda name: _place_of(name, left_out), MAX_MEMBER_BYTES, MAX_TOTAL_BYTES
        ):
            self._keep(target, PurePosixPath(name), content)
            has_code = has_code or PurePosixPath(name).name in PLACES
        if any(map(may_be_archive, left_out)):
            left_out -= self._unpack_within(path, target, has_code, 0 if within else MAX_OPENED)
        if left_out:
            self.log.warning("%s: left out of it: %s", printable(path.name), listed(left_out))

    def _unpack_within(self, path: Path, target: Path, has_code: bool, most: int) -> set[str]:
        """Unpack the archives in an archive, each into a folder of its name.

        One that is not opened, and may hold the report, is kept as it is: `make grade` looks into it.

        Args:
            path: the archive.
            target: where to.
            has_code: whether the assignment's code lies beside them: then one that holds some, too, stays.
            most: how many of them are opened.

        Returns:
            Those that could be read.
        """
        read: set[str] = set()
        with TemporaryDirectory() as folder:
            for name, content in unpacked(path, _archive_place, MAX_MEMBER_BYTES, MAX_TOTAL_BYTES):
                inner = Path(folder, PurePosixPath(name).name)
                inner.write_bytes(content)
                if not is_packed(inner):
                    continue
                if len(read) < most and not (has_code and names_in_archive(inner) != frozenset()):
                    try:
                        self._unpack(inner, target / name, within=True)
                    except UNREADABLE_ARCHIVE as error:
                        self.log.error("%s in %s: cannot be unpacked: %s", printable(name), path.name, error)
                    else:
                        read.add(name)
                        continue
                if may_hold_report(inner, PurePosixPath(name)):
                    shutil.rmtree(target / name, ignore_errors=True)  # what came out before it failed
                    self._keep(target, PurePosixPath(name), content)
        return read

    def _keep(self, target: Path, name: PurePosixPath, content: bytes) -> None:
        place = target.joinpath(*name.parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


class DownloadCollector(FileNameCollectorPlugin):
    """Tells whose each unpacked file is."""

    def collect(self, submitted_file: str) -> dict | None:
        """The student, the file's place in the submission, and the time where the name says it."""
        name, *inner = Path(submitted_file).relative_to(self._extracted).parts
        if not inner or not (_is_wanted(inner[-1]) or is_archive(inner[-1])):
            return None
        found = {"student_id": self._owners[name].student, "file_id": os.path.join(*inner)}
        moment = self._time(name)
        if moment is not None:
            found["timestamp"] = written(moment)
        return found

    @cached_property
    def _extracted(self) -> Path:
        return Path(self.parent._format_collect_path(self.parent.extracted_directory)).absolute()

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        """What the names that the extractor has kept tell."""
        return parse_all(path.name for path in self._extracted.iterdir())

    @cached_property
    def _directory(self) -> CourseDirectory:
        return CourseDirectory(parent=self.parent)

    @cached_property
    def _course(self) -> Course:
        return Course(Path(self._directory.root))

    def _time(self, name: str) -> datetime | None:
        """When it was handed in, UTC, where the name tells: by the clock of the course."""
        time = self._entries[name].time if name in self._entries else None
        if time is None:
            return None
        zone = read_policy(self._course.policy).zone
        return time.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)

    @cached_property
    def _owners(self) -> dict[str, Owner]:
        """Whose each hand-in is; what is to be said about it is kept for `make grade`."""
        names = sorted(path.name for path in self._extracted.iterdir())
        with Gradebook(self._directory.db_url, self._directory.course_id or "default_course") as gradebook:
            people = [
                Person(
                    one.id, one.first_name or "", one.last_name or "", one.email or "", one.lms_user_id or ""
                )
                for one in gradebook.students
            ]
        groups = read_groups(self._course)
        owners = find_owners({name: self._entries.get(name) for name in names}, Roster(people), groups)
        times: dict[str, list[datetime]] = {}
        for name in names:
            time = self._time(name)
            times.setdefault(owner_of(owners[name].student), []).extend([time] if time else [])
        late = [owner_of(owners[name].student) for name, entry in self._entries.items() if entry.late]
        vouch(self._course, times, late)
        notes = state.load(self._course, state.COLLECTED) | dict.fromkeys(times, "")
        notes |= dict.fromkeys((owner.student for owner in owners.values()), "")
        said = state.load(self._course, state.UNPACKED)
        for name, owner in owners.items():
            lines = [*owner.notes, *said.get(name, "").splitlines()]
            notes[owner.student] = "\n".join(filter(None, [notes.get(owner.student, ""), *lines]))
        state.save(
            self._course, state.COLLECTED, {student: theirs for student, theirs in notes.items() if theirs}
        )
        return owners


def _places(paths: Iterable[Path]) -> dict[Path, str]:
    """A folder for each thing of its own name: of `ada.zip` and `ada/` neither is taken for ada's."""
    names = {path: path.name if path.is_dir() else stem(path.name) for path in paths}
    counted = Counter(names.values())
    return {
        path: name if counted[name] == 1 else f"{path.name}{' (folder)' if path.is_dir() else ''}"
        for path, name in names.items()
    }


def _place(name: str, alone: bool) -> PurePosixPath:
    """Where a file belongs that was uploaded by itself: code into its part, a picture to the figures.

    Args:
        name: what the student called it.
        alone: whether there is no archive beside it, whose code counts.
    """
    if alone and name in PLACES:
        return PurePosixPath(PLACES[name])
    if Path(name).suffix.lower() in IMAGE_SUFFIXES:
        return PurePosixPath("figures", name)
    return PurePosixPath(name)


def _place_of(name: str, left_out: set[str]) -> str | None:
    """A member's place, if it is one of the files that count and does not lead out of the archive.

    Args:
        name: as the archive spells it.
        left_out: takes the names of those that somebody may have meant to count.
    """
    place = inside(name)
    if place is not None and not _is_wanted(place.name):
        left_out.add(str(place))
        return None
    return str(place) if place is not None else None


def _is_wanted(name: str) -> bool:
    """Whether this is the name of a file that counts; when it came, no student says."""
    return is_kept(name) and name != TIMESTAMP


def _is_note(name: str) -> bool:
    """Whether a file that lies by itself among the archives is somebody's notes, and no hand-in."""
    return Path(name).suffix.lower() == ".txt" and not is_member_list(name)


def _archive_place(name: str) -> str | None:
    """The place of an archive in an archive."""
    place = inside(name)
    return (
        str(place)
        if place is not None and may_be_archive(place.name) and not _is_wanted(place.name)
        else None
    )

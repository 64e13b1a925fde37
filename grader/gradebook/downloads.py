"""nbgrader's plugins for what is downloaded from a learning platform: `nbgrader zip_collect a3`.

The archives go into `downloaded/a3/archive/`. Their names say whose they are (`grader.submission.downloads`
reads them), and the roster knows the names:

    Canvas       last_LATE_12345_6789_file-1.zip        the roster's lms_user_id is 12345
    Moodle       First Last_1327627_assignsubmission_file_/x.zip        first and last name
    Brightspace  13394-80551 - First Last - Mar 29, 2018 1205 PM - x.zip    first and last name, the time
    else         ada.zip, or a folder ada/        the roster's id is ada

A name that the roster does not know becomes an id of its own, so that nobody is lost: `make grade` names it.
Of several hand-ins of a student the latest counts, as in `make grade` on a folder.
"""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from datetime import UTC
from functools import cached_property
from pathlib import Path, PurePosixPath

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins.zipcollect import ExtractorPlugin, FileNameCollectorPlugin

from grader.gradebook.course import POLICY_FILE
from grader.gradebook.documents import DOCUMENT_SUFFIXES
from grader.gradebook.handed_in import IMAGE_SUFFIXES, UNREADABLE, read_regular
from grader.gradebook.late import read_policy
from grader.submission.archive import unpacked
from grader.submission.downloads import Entry, parse_all
from grader.submission.loose import PLACES
from grader.submission.model import UnreadableSubmission
from grader.submission.names import is_archive, is_clutter, listed, printable, stem
from grader.submission.uploads import Upload, in_order_of_age, of_the_latest_hand_in

MAX_MEMBER_BYTES = 50_000_000
MAX_TOTAL_BYTES = 300_000_000
COUNTED_SUFFIXES = (".py", ".ipynb", *IMAGE_SUFFIXES)
KEPT_SUFFIXES = (*COUNTED_SUFFIXES, *DOCUMENT_SUFFIXES)

# For an archive that is refused, and for a name that the system takes for none.
_UNREADABLE = (UnreadableSubmission, OSError, ValueError)


class DownloadExtractor(ExtractorPlugin):
    """Unpacks archives with caps, and only what counts: code, pictures, notebooks and other reports."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack the latest hand-in of every student into a folder that says whose it is."""
        students: dict[tuple[str, str], list[tuple[Entry, Path]]] = {}
        paths = [path for path in sorted(Path(archive_path).iterdir()) if not is_clutter(path.name)]
        entries = parse_all(path.name for path in paths)
        for path in paths:
            if path.is_symlink():
                continue
            entry = entries.get(path.name)
            if entry is None:
                self._take(path, Path(extracted_path, path.name if path.is_dir() else stem(path.name)))
                if path.is_dir():
                    self._leave_something(Path(extracted_path, path.name))
            else:
                students.setdefault((entry.system, entry.student), []).append((entry, path))
        for theirs in students.values():
            _, last = max(theirs, key=lambda upload: (upload[0].hand_in, upload[0].order))
            self._take_latest(in_order_of_age(theirs), Path(extracted_path, last.name))

    def _take_latest(self, uploads: list[Upload], target: Path) -> None:
        """Unpack what one student handed in last: of several archives the last, and the single files."""
        latest = of_the_latest_hand_in(uploads)
        archives = [upload for upload in latest if upload.whole]
        singles = {upload.name: upload for upload in latest if not upload.whole}
        taken = [*archives[-1:], *singles.values()]
        left = [upload.path.name for upload in uploads if upload not in taken]
        if left:
            self.log.warning("%s: handed in several times; left out: %s", target.name, listed(left))
        for upload in archives[-1:]:
            self._take(upload.path, target)
        for name, upload in singles.items():
            if not upload.path.is_symlink():
                self._take(upload.path, target, _place(name, alone=not archives))
        self._leave_something(target)

    def _take(self, path: Path, target: Path, place: PurePosixPath | None = None) -> None:
        """Unpack an archive, or copy a file, or a folder of those."""
        if path.is_dir():
            for inner in sorted(path.rglob("*")):
                name = inner.relative_to(path)
                if inner.is_file() and not inner.is_symlink() and not any(map(is_clutter, name.parts)):
                    self._take(inner, target, PurePosixPath(*name.parts))
            return
        try:
            if is_archive(path.name):
                self._unpack(path, target)
            elif path.suffix.lower() in KEPT_SUFFIXES:
                content = read_regular(path, MAX_MEMBER_BYTES)
                self._keep(target, place or PurePosixPath(path.name), content)
            elif zipfile.is_zipfile(path):
                self._unpack(path, target)
            else:
                self.log.warning("%s: no archive, skipped", path.name)
        except _UNREADABLE as error:
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

    def _unpack(self, path: Path, target: Path) -> None:
        for name, content in unpacked(path, _place_of, MAX_MEMBER_BYTES, MAX_TOTAL_BYTES):
            self._keep(target, PurePosixPath(name), content)

    def _keep(self, target: Path, name: PurePosixPath, content: bytes) -> None:
        place = target.joinpath(*name.parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


class DownloadCollector(FileNameCollectorPlugin):
    """Tells whose each unpacked file is."""

    def collect(self, submitted_file: str) -> dict | None:
        """The student, the file's place in the submission, and the time where the name says it."""
        owner, *inner = Path(submitted_file).relative_to(self._extracted).parts
        if not inner or Path(submitted_file).suffix.lower() not in KEPT_SUFFIXES:
            return None
        entry = self._entries.get(owner)
        keys = [f"id:{owner}"] if entry is None else _keys(entry)
        student = next((self._ids[key] for key in keys if key in self._ids), None)
        found = {"student_id": student or _made_up(owner, entry), "file_id": os.path.join(*inner)}
        if entry is not None and entry.time is not None:
            moment = entry.time.replace(tzinfo=read_policy(Path(POLICY_FILE)).zone)  # the course's clock
            found["timestamp"] = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return found

    @cached_property
    def _extracted(self) -> Path:
        return Path(self.parent._format_collect_path(self.parent.extracted_directory)).absolute()

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        """What the names that the extractor has kept tell."""
        return parse_all(path.name for path in self._extracted.iterdir())

    @cached_property
    def _ids(self) -> dict[str, str]:
        """Ids of the roster, by all that a name may say."""
        directory = CourseDirectory(parent=self.parent)
        ids: dict[str, str] = {}
        twice = set()
        with Gradebook(directory.db_url, directory.course_id or "default_course") as gradebook:
            for student in gradebook.students:
                full = f"{student.first_name or ''} {student.last_name or ''}".strip().casefold()
                for key in (f"id:{student.id}", f"platform:{student.lms_user_id}", f"full:{full}"):
                    if key in ids:
                        twice.add(key)
                    ids[key] = student.id
        return {key: value for key, value in ids.items() if key not in twice}


def _keys(entry: Entry) -> list[str]:
    """By what the roster may know them, surest first."""
    return [f"platform:{entry.student}", f"full:{entry.who.casefold()}"]


def _made_up(owner: str, entry: Entry | None) -> str:
    """An id for somebody whom the roster does not know."""
    name = re.sub(r"[^\w.@+-]+", "-", entry.name if entry else owner).strip("-.")[:70]
    return name or "unknown"


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


def _place_of(name: str) -> str | None:
    """A member's place, if it is one of the files that count and does not lead out of the archive."""
    path = PurePosixPath(name.replace("\\", "/"))
    clutter = any(part == ".." or is_clutter(part) for part in path.parts)
    if path.is_absolute() or clutter or path.suffix.lower() not in KEPT_SUFFIXES:
        return None
    return str(path)

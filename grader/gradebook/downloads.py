"""nbgrader's plugins for what is downloaded from a learning platform: `nbgrader zip_collect a3`.

The archives go into `downloaded/a3/archive/`. Their names say whose they are, and the roster knows the names:

    Canvas       last_LATE_12345_6789_file-1.zip        the roster's lms_user_id is 12345
    Moodle       First Last_1327627_assignsubmission_file_/x.zip        first and last name
    Brightspace  13394-80551 - First Last - Mar 29, 2018 1205 PM - x.zip    first and last name, the time
    else         ada.zip, or a folder ada/        the roster's id is ada

A name that the roster does not know becomes an id of its own, so that nobody is lost: `make grade` names it.
"""

from __future__ import annotations

import os
import re
import tarfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins.zipcollect import ExtractorPlugin, FileNameCollectorPlugin

from grader.gradebook.course import NOTEBOOK, POLICY_FILE
from grader.gradebook.handed_in import IMAGE_SUFFIXES, UNREADABLE
from grader.gradebook.late import read_policy
from grader.submission.names import is_clutter, printable, stem

MAX_MEMBER_BYTES = 50_000_000
MAX_TOTAL_BYTES = 300_000_000
MAX_MEMBERS = 5_000
KEPT_SUFFIXES = (".py", ".ipynb", *IMAGE_SUFFIXES)

# What the readers of the standard library raise for an archive that is damaged or encrypted.
_UNREADABLE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, tarfile.TarError)

_CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<platform>\d+)_\d+_.+")
_MOODLE = re.compile(r"(?P<full>[^_]+)_(?P<platform>\d+)_assignsubmission_file_?(?:_.*)?")
_BRIGHTSPACE = re.compile(
    r"\d+-\d+ - (?P<full>.+?) - (?P<time>\w{3,9} \d{1,2}, \d{4} \d{3,4} [AP]M)(?: - .*)?"
)


@dataclass(frozen=True)
class Sender:
    """Who a name says it is from.

    Attributes:
        platform: their number in the platform.
        full: first and last name.
        time: when it was handed in, as the name writes it.
        plain: the name itself.
    """

    plain: str
    platform: str = ""
    full: str = ""
    time: str = ""


def sender(name: str) -> Sender:
    """What the name of a download says."""
    if found := _BRIGHTSPACE.fullmatch(name):
        return Sender(name, full=found["full"], time=found["time"])
    if found := _MOODLE.fullmatch(name):
        return Sender(name, platform=found["platform"], full=found["full"])
    if found := _CANVAS.fullmatch(name):
        return Sender(name, platform=found["platform"])
    return Sender(name)


class DownloadExtractor(ExtractorPlugin):
    """Unpacks archives with caps, and only what counts: code, notebooks and pictures."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack every archive of a folder, and copy what is no archive."""
        for path in sorted(Path(archive_path).rglob("*")):
            inner = path.relative_to(archive_path)
            if path.is_symlink() or not path.is_file() or any(is_clutter(part) for part in inner.parts):
                continue
            owner = inner.parts[0] if len(inner.parts) > 1 else stem(inner.name)
            target = Path(extracted_path, owner)
            try:
                if zipfile.is_zipfile(path):
                    self._unzip(path, target)
                elif path.name.lower().endswith((".tar", ".tar.gz", ".tgz")):
                    self._untar(path, target)
                elif path.suffix.lower() in KEPT_SUFFIXES:
                    self._keep(target, PurePosixPath(*inner.parts[1:] or (inner.name,)), path.read_bytes())
                else:
                    self.log.warning("%s: no archive, skipped", inner)
            except _UNREADABLE as error:
                target.mkdir(parents=True, exist_ok=True)
                # The student is not lost: there is a submission, without files.
                (target / UNREADABLE).write_text(f"# {printable(path.name)}: {printable(str(error))}\n")
                self.log.error("%s: cannot be unpacked: %s", inner, error)

    def _unzip(self, path: Path, target: Path) -> None:
        left = MAX_TOTAL_BYTES
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist()[:MAX_MEMBERS]:
                name = _safe(member.filename)
                if name is None or member.is_dir() or (member.external_attr >> 16) & 0o170000 == 0o120000:
                    continue
                with archive.open(member) as file:
                    content = file.read(min(MAX_MEMBER_BYTES, left) + 1)
                left -= len(content)
                self._bounded(name, content, left)
                self._keep(target, name, content)

    def _untar(self, path: Path, target: Path) -> None:
        left = MAX_TOTAL_BYTES
        with tarfile.open(path) as archive:
            for number, member in enumerate(archive):
                name = _safe(member.name)
                file = archive.extractfile(member) if member.isreg() and name else None
                if number >= MAX_MEMBERS or file is None or name is None:
                    continue
                content = file.read(min(MAX_MEMBER_BYTES, left) + 1)
                left -= len(content)
                self._bounded(name, content, left)
                self._keep(target, name, content)

    def _bounded(self, name: PurePosixPath, content: bytes, left: int) -> None:
        if left < 0 or len(content) > MAX_MEMBER_BYTES:
            raise ValueError(f"{name} is too large")

    def _keep(self, target: Path, name: PurePosixPath, content: bytes) -> None:
        place = target.joinpath(*name.parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


class DownloadCollector(FileNameCollectorPlugin):
    """Tells whose each unpacked file is."""

    def collect(self, submitted_file: str) -> dict | None:
        """The student, the file's place in the submission, and the time where the name says it."""
        extracted = self.parent._format_collect_path(self.parent.extracted_directory)
        owner, *inner = Path(submitted_file).relative_to(Path(extracted).absolute()).parts
        if not inner or Path(submitted_file).suffix.lower() not in KEPT_SUFFIXES:
            return None
        who = sender(owner)
        while len(inner) > 1 and inner[0] not in ("part1", "part2", "figures"):
            inner = inner[1:]  # wrapping folders
        student = next((self._ids[key] for key in _keys(who) if key in self._ids), None) or _made_up(who)
        found = {"student_id": student, "file_id": os.path.join(*inner)}
        alone = len(inner) == 1 and len(list(Path(submitted_file).parent.glob("*.ipynb"))) == 1
        if alone and inner[-1].lower().endswith(".ipynb"):
            found["file_id"] = f"{NOTEBOOK}.ipynb"
        if who.time and (moment := _moment(who.time, read_policy(Path(POLICY_FILE)).zone)):
            found["timestamp"] = moment
        return found

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


def _keys(who: Sender) -> tuple[str, ...]:
    """By what the roster may know them, surest first."""
    keys = [f"id:{who.plain}"]
    keys += [f"platform:{who.platform}"] if who.platform else []
    keys += [f"full:{who.full.casefold()}"] if who.full else []
    return tuple(keys)


def _made_up(who: Sender) -> str:
    """An id for somebody whom the roster does not know."""
    name = re.sub(r"[^\w.@+-]+", "-", who.full or who.plain).strip("-.")[:70] or "unknown"
    return f"{name}-{who.platform}" if who.platform and who.full else name


def _safe(name: str) -> PurePosixPath | None:
    """A member's place, if it is one of the files that count and does not lead out of the archive."""
    path = PurePosixPath(name.replace("\\", "/"))
    clutter = any(part == ".." or is_clutter(part) for part in path.parts)
    if path.is_absolute() or clutter or path.suffix.lower() not in KEPT_SUFFIXES:
        return None
    return path


def _moment(text: str, zone: ZoneInfo) -> str | None:
    """Brightspace writes `Mar 29, 2018 1205 PM`, on the course's clock; nbgrader reads UTC."""
    for form in ("%b %d, %Y %I%M %p", "%B %d, %Y %I%M %p"):
        try:
            moment = datetime.strptime(re.sub(r"\b(\d{3}) ([AP]M)", r"0\1 \2", text), form)
        except ValueError:
            continue
        return moment.replace(tzinfo=zone).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return None

"""What learning management systems call the files of a download: whose each is, and which is the latest.

Canvas       doejane_LATE_12345_6789_answer-1.zip
Moodle       Jane Doe_1327627_assignsubmission_file_/answer.zip, or flat: ..._file_answer.zip
Brightspace  13394-80551 - Jane Doe - Mar 29, 2018 1205 PM - answer.zip, or folders without the last part

The system writes the head of a name, and the student chooses the rest: what looks like a head there tells
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

_CANVAS = re.compile(r"(?P<who>.+?)_(?:LATE_)?(?P<id>\d+)_(?P<upload>\d+)_(?P<file>.+)", re.DOTALL)
# The first number between underscores is the id: Moodle writes none into the student's name.
_MOODLE = re.compile(
    r"(?P<who>(?:(?!_\d+_).)+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.DOTALL
)
_BRIGHTSPACE = re.compile(
    r"(?P<id>\d+)-\d+ - (?P<who>.+?) - "
    r"(?P<month>[A-Z][a-z]{2})[a-z]* (?P<day>\d{1,2}), (?P<year>\d{4}) (?P<hour>\d{1,2}):?(?P<minute>\d\d) "
    r"(?P<half>[AP]M)(?: - (?P<file>.+))?",
    re.DOTALL,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_COPY = re.compile(r"(?P<stem>.+?)-(?P<number>\d{1,3})(?P<suffix>\.[^.]+|\.tar\.gz)?")


@dataclass(frozen=True)
class Entry:
    """What the name of a file or folder in a download tells.

    Attributes:
        system: `Canvas`, `Moodle` or `Brightspace`.
        student: the student's id there.
        name: what to call the submission: the student's name and id.
        file: the name under which the student handed it in; empty for a folder of files.
        hand_in: when it was handed in, where the name tells; files of the same time belong together.
        order: tells the later of two files of one hand-in.
    """

    system: str
    student: str
    name: str
    file: str
    hand_in: tuple[int, ...] = ()
    order: tuple[int, ...] = ()

    @property
    def who(self) -> str:
        """The student's name, as the system writes it."""
        return self.name.removesuffix(f"_{self.student}")

    @property
    def time(self) -> datetime | None:
        """When it was handed in, on the system's clock; None where the name does not tell, or nonsense."""
        try:
            year, month, *rest = self.hand_in
            return datetime(year, month + 1, *rest)  # type: ignore[arg-type]
        except ValueError:
            return None


def parse(name: str) -> Entry | None:
    """What a name in a download tells, or None for a name of any other origin."""
    return parse_all([name]).get(name)


def parse_all(names: Iterable[str]) -> dict[str, Entry]:
    """What the names in a folder of downloads tell, without those of any other origin.

    A name that reads as one of two systems is of the one that others in the folder surely are of.
    """
    readings = {name: _readings(name) for name in names}
    present = {entries[0].system for entries in readings.values() if len(entries) == 1}
    return {
        name: next((entry for entry in entries if entry.system in present), entries[0])
        for name, entries in readings.items()
        if entries
    }


def _readings(name: str) -> list[Entry]:
    """How a name can be read, the surest first."""
    telling = [entry for entry in (_brightspace(name), _moodle(name)) if entry is not None]
    canvas = _canvas(name) if not telling else None
    return telling if canvas is None else [canvas]


def _moodle(name: str) -> Entry | None:
    match = _MOODLE.fullmatch(name)
    if match is None:
        return None
    return Entry("Moodle", match["id"], f"{match['who']}_{match['id']}", match["file"])


def _brightspace(name: str) -> Entry | None:
    match = _BRIGHTSPACE.fullmatch(name)
    if match is None or match["month"] not in _MONTHS:
        return None
    hour = int(match["hour"]) % 12 + 12 * (match["half"] == "PM")
    date = (int(match["year"]), _MONTHS.index(match["month"]), int(match["day"]), hour, int(match["minute"]))
    return Entry("Brightspace", match["id"], f"{match['who']}_{match['id']}", match["file"] or "", date)


def _canvas(name: str) -> Entry | None:
    match = _CANVAS.fullmatch(name)
    if match is None:
        return None
    # A second upload of `answer.zip` is called `answer-1.zip`.
    file, number = match["file"], 0
    copy = _COPY.fullmatch(file)
    if copy is not None:
        file, number = copy["stem"] + (copy["suffix"] or ""), int(copy["number"])
    named = f"{match['who']}_{match['id']}"
    return Entry("Canvas", match["id"], named, file, order=(int(match["upload"]), number))

"""What learning management systems call the files of a download: whose each is, and which is the latest.

Canvas       doejane_LATE_12345_6789_answer-1.zip, or LATE_anon_Qq7r8_6789_answer.zip; doejane_12345_text.html
Moodle       Jane Doe_1327627_assignsubmission_file_/answer.zip, or flat: ..._file_answer.zip
Brightspace  13394-80551 - Jane Doe - Mar 29, 2018 1205 PM - answer.zip, or folders without the last part

The system writes the head of a name, and the student chooses the rest: what looks like a head there tells
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.submission.download_brightspace import brightspace_entries
from grader.submission.download_canvas import canvas_entries
from grader.submission.download_entry import Entry

__all__ = ["Entry", "parse", "parse_all", "platform_files"]

# Files that a platform itself puts into a download.
_OF_THE_PLATFORM = {"Brightspace": frozenset({"index.html"})}

# The first number between underscores is the id: Moodle writes none into the student's name.
_MOODLE = re.compile(
    r"(?P<who>(?:(?!_\d+_).)+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.DOTALL
)


def parse(name: str) -> Entry | None:
    """What a name in a download tells, or None for a name of any other origin."""
    return parse_all([name]).get(name)


def parse_all(names: Iterable[str]) -> dict[str, Entry]:
    """What the names in a folder of downloads tell, without those of any other origin.

    A name that reads as one of two systems is of the one that others in the folder surely are of.
    """
    names = list(names)
    brightspace = brightspace_entries(names)
    moodle = {name: entry for name in names if (entry := _moodle(name))}
    canvas = canvas_entries(name for name in names if name not in brightspace and name not in moodle)
    present = {
        system
        for system, here, other in (("Brightspace", brightspace, moodle), ("Moodle", moodle, brightspace))
        if here.keys() - other.keys()
    }
    entries = canvas | moodle | brightspace
    for name in brightspace.keys() & moodle.keys():
        if present == {"Moodle"}:
            entries[name] = moodle[name]
    return {name: entries[name] for name in names if name in entries}


def platform_files(entries: Iterable[Entry]) -> frozenset[str]:
    """The names of the files that the platforms of these entries put beside them: nobody handed them in."""
    systems = {entry.system for entry in entries}
    return frozenset[str]().union(*(_OF_THE_PLATFORM.get(system, ()) for system in systems))


def _moodle(name: str) -> Entry | None:
    match = _MOODLE.fullmatch(name)
    if match is None:
        return None
    return Entry("Moodle", match["id"], f"{match['who']}_{match['id']}", match["file"])

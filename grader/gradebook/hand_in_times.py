"""When something was handed in: the times that nbgrader writes, read right, and who vouches for them.

nbgrader 0.9.6 writes the short name of the zone that `Exchange.timezone` names (`CEST`, `IST`, `+04`), and
reads it back by `nbgrader.utils.parse_utc`: as a file of the zone database, which has CET and EST but no
CEST, EDT, BST or IST, so that these count as UTC; and a number as seconds, so that `+0530` is 530 s east.
Here a short name is what the course's own zone calls itself in that year, or what all that have it mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from grader.files import read_regular
from grader.gradebook import state
from grader.gradebook.course import Course
from grader.gradebook.late import clock
from grader.text import listed, printable

TIMESTAMP = "timestamp.txt"
SECRET = "submission_secret.txt"
TIMES = "times.json"  # student -> the times that the exchange or a platform tells, UTC, a line each; or _LATE
_LATE = "late"

_TIME = re.compile(
    r"(?P<moment>\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)"
    r"(?: ?(?P<number>[+-]\d\d(?::?\d\d)?)| ?(?P<name>[A-Za-z][A-Za-z_/-]*))?",
    re.ASCII,
)
_UTC_NAMES = frozenset({"UTC", "GMT", "Z", "UCT", "Zulu"})


class UnknownTime(ValueError):
    """A text is no time, or its zone may be several; the message says which."""


def read_time(text: str, zones: Iterable[ZoneInfo]) -> datetime:
    """A time that nbgrader wrote.

    Args:
        text: such as `2026-07-15 12:00:00.000000 CEST`; without a zone it is UTC.
        zones: those of the course, the one that writes the exchange's times first.

    Returns:
        UTC, without a time zone.

    Raises:
        UnknownTime: it is no time, or its zone is not known for certain.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise UnknownTime("it is not a time such as 2027-12-14 22:59:00 UTC")
    try:
        moment = datetime.fromisoformat(match["moment"])
        if match["number"]:
            return moment - _offset(match["number"])
        if match["name"] is None or match["name"] in _UTC_NAMES:
            return moment
        return moment - _offset_of(match["name"], moment, tuple(zones))
    except (ValueError, OverflowError) as error:
        raise error if isinstance(error, UnknownTime) else UnknownTime(str(error)) from error


def _offset(number: str) -> timedelta:
    """What `+0530`, `+05:30` or `+05` is east of UTC."""
    sign, digits = number[0], number[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    if offset > timedelta(hours=15):
        raise UnknownTime(f"no zone is {number} from UTC")
    return -offset if sign == "-" else offset


def _offset_of(name: str, moment: datetime, zones: tuple[ZoneInfo, ...]) -> timedelta:
    """What a zone's name stands for at that time on its clock."""
    if "/" in name:
        try:
            return ZoneInfo(name).utcoffset(moment) or timedelta()
        except (KeyError, ValueError, OSError) as error:
            raise UnknownTime(f"there is no time zone {printable(name)}") from error
    for zone in zones:
        here = _names(zone.key, moment.year).get(name, frozenset())
        if len(here) == 1:
            return next(iter(here))
    meanings = _names_anywhere(moment.year).get(name, frozenset())
    if len(meanings) == 1:
        return next(iter(meanings))
    own = " or ".join(zone.key for zone in zones)
    several = ", ".join(sorted(_shown(offset) for offset in meanings))
    what = f"stands for several: {several}" if meanings else "is not known"
    raise UnknownTime(f"{own} has no time called {name}, and elsewhere it {what}")


def _shown(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


@cache
def _names(key: str, year: int) -> dict[str, frozenset[timedelta]]:
    """What a zone calls its times in a year, and what each is east of UTC."""
    zone = ZoneInfo(key)
    names: dict[str, set[timedelta]] = {}
    for week in range(53):
        moment = (datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(weeks=week)).astimezone(zone)
        names.setdefault(moment.tzname() or "", set()).add(moment.utcoffset() or timedelta())
    return {name: frozenset(offsets) for name, offsets in names.items()}


@cache
def _names_anywhere(year: int) -> dict[str, frozenset[timedelta]]:
    """The same of all zones of the world."""
    names: dict[str, frozenset[timedelta]] = {}
    for key in available_timezones():
        for name, offsets in _names(key, year).items():
            names[name] = names.get(name, frozenset()) | offsets
    return names


def written(moment: datetime) -> str:
    """A time, UTC, as nbgrader reads it right."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC"


def read_stamp(folder: Path, zones: Iterable[ZoneInfo]) -> datetime | None:
    """The time in a submission's `timestamp.txt`, UTC; None where there is none that can be read."""
    try:
        return read_time(read_regular(folder / TIMESTAMP, 10_000).decode("utf-8"), zones)
    except (OSError, ValueError):
        return None


def vouch(course: Course, times: Mapping[str, Iterable[datetime]], late: Iterable[str] = ()) -> None:
    """Keep what the exchange or a platform tells of when students handed in.

    Args:
        course: the course.
        times: by student, UTC.
        late: students of whom a platform says that they were late, and not when they handed in.
    """
    table = state.load(course, TIMES) | {
        student: "\n".join(sorted(map(written, theirs))) for student, theirs in times.items()
    }
    table |= dict.fromkeys((student for student in late if not table.get(student)), _LATE)
    state.save(course, TIMES, {student: theirs for student, theirs in table.items() if theirs})


def time_notes(
    course: Course,
    students: Iterable[str],
    zone: ZoneInfo,
    origins: Mapping[str, tuple[str, Path]] | None = None,
) -> tuple[dict[str, str], list[str]]:
    """What to say of the times that decide about lateness.

    Args:
        course: the course.
        students: who handed in.
        zone: that of the course.
        origins: where another's hand-in counts for a student, or one of several: whose it is, and where it
            lies.

    Returns:
        By student, a note where nobody but a file in the submission tells the time; and remarks about those
        for whom no time is known.
    """
    vouched = state.load(course, TIMES)
    notes, timeless = {}, []
    for student in students:
        owner, folder = (origins or {}).get(student, (student, course.collected / student))
        moment = read_stamp(folder, [zone])
        if moment is None and vouched.get(owner) == _LATE:
            notes[student] = (
                "the platform says that it came late, and not when: see there, for here it counts as in time"
            )
        elif moment is None:
            timeless.append(student)
        elif written(moment) not in vouched.get(owner, "").splitlines():
            here = moment.replace(tzinfo=UTC).astimezone(zone)
            notes[student] = (
                f"counts as handed in on {clock(here)} {zone.key} by its own {TIMESTAMP} alone, which a "
                "student can write: compare with when it came"
            )
    if not timeless:
        return notes, []
    return notes, [f"no time of handing in is known, counts as in time: {listed(timeless, 10)}"]

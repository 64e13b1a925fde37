"""Times as the course's people read them; the tables hold UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from grader.errors import GraderUsageError
from grader.gradebook.course import Course
from grader.gradebook.late import read_policy


@dataclass(frozen=True)
class Moment:
    """A time to be shown.

    Attributes:
        text: date and time of day, to the minute.
        iso: the same for machines, with its distance from UTC.
        zone: the time zone's name, and what it is called at that time.
    """

    text: str
    iso: str
    zone: str


def zone_of(course: Course) -> ZoneInfo:
    """The course's time zone, from `late.toml`; UTC where it cannot be read, as whoever grades is told."""
    try:
        return read_policy(course.policy).zone
    except GraderUsageError:
        return ZoneInfo("UTC")


def shown(at: str, zone: ZoneInfo) -> Moment:
    """A time of the tables (ISO 8601, UTC) in a time zone."""
    moment = datetime.fromisoformat(at).astimezone(zone)
    name = zone.key if moment.tzname() in (None, zone.key) else f"{zone.key} ({moment.tzname()})"
    return Moment(f"{moment:%Y-%m-%d %H:%M}", moment.isoformat(timespec="seconds"), name)

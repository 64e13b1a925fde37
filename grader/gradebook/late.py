"""The deadline of a course, and what handing in late costs: `late.toml`, read and applied.

Times are wall-clock times of the course's time zone. A deadline of 23:59 is one in summer and in winter, and
a day of lateness lasts from one 23:59 to the next, also on the two days of a year that have 23 and 25 hours.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from grader.errors import GraderUsageError
from grader.text import listed, printable

UNITS = ("percent", "points")
LATEST, BEST = ATTEMPTS = ("latest", "best")
AFTER_DUE, ALWAYS, NEVER = SHOWN = ("after due", "always", "never")
EXAMPLE = "2027-12-14 23:59"
YEARS = range(2000, 2100)
# The one way to write a time. `datetime.fromisoformat` takes many more that nobody means: "2027-12-14 23.59"
# is 23:00:00.59 for it, "20271214T2359" and "2027-W50-2 23:59" are days, and "2027-12-14 23" is 23:00.
_FORM = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[ T](?P<time>(?:[01]\d|2[0-3]):\d\d(?::\d\d)?)"
    r"(?: ?(?P<offset>Z|UTC|[+-]\d\d:\d\d))?",
    re.ASCII,
)
_DAY = re.compile(r"\s*(\d{4}-\d\d-\d\d)\s*", re.ASCII)
_LIKE_A_TIME = re.compile(r"\d{1,4}[-./:]\d{1,2}")
_NO_KEY = re.compile(r"^[^\"'#\[:\s]*[^A-Za-z0-9_\-\"'#\[:\s]")
_KEYS = ("timezone", "due", "attempts", "inputs", "penalty", "extensions")
_PENALTY_KEYS = {"unit", "per_day", "grace_minutes", "free_days", "cap"}


@dataclass(frozen=True)
class LatePolicy:
    """What `late.toml` says.

    Attributes:
        zone: the course's time zone.
        due: the deadline, wall-clock time in `zone`; None: there is none.
        unit: of `per_day` and `cap`: per cent of the points earned, or points.
        per_day: what each day that has begun costs.
        grace_minutes: so much later is not late.
        free_days: the first late days that cost nothing.
        cap: lateness never costs more than this.
        extensions: deadlines of single students, wall-clock times in `zone`.
        attempts: which of several hand-ins counts: the latest, or the best by its automatic points.
        inputs: when the inputs of hidden checks may be shown: once nobody can hand in any more,
            always, or never.
    """

    zone: ZoneInfo
    due: datetime | None = None
    unit: str = "percent"
    per_day: float = 0.0
    grace_minutes: float = 0.0
    free_days: int = 0
    cap: float = math.inf
    extensions: Mapping[str, datetime] = field(default_factory=dict)
    attempts: str = LATEST
    inputs: str = AFTER_DUE

    def secret(self, now: datetime) -> str:
        """Why the inputs of hidden checks are not to be shown; empty where they may be.

        Args:
            now: the time, with its zone.
        """
        if self.inputs == NEVER:
            return f'inputs = "{NEVER}"'
        if self.inputs == ALWAYS:
            return ""
        if self.due is None:
            return "it sets no due, so anybody may hand in again"
        last = max((self.due, *self.extensions.values()), key=_utc)
        return f"somebody may hand in until {clock(last)} {self.zone.key}" if now <= last else ""

    def due_utc(self) -> datetime | None:
        """The deadline as nbgrader stores it: UTC, without a time zone."""
        return None if self.due is None else _utc(self.due)

    def extension(self, student: str) -> timedelta:
        """How much later than everyone's a student's deadline is, in hours that pass: nbgrader adds it."""
        own = self.extensions.get(student)
        if own is None or self.due is None:
            return timedelta()
        return _utc(own) - _utc(self.due)

    def told(self) -> str:
        """The deadlines that count, for people: everyone's, with its zone and as UTC, and the extensions."""
        if self.due is None:
            return "none, late.toml sets no due"
        text = f"{clock(self.due)} {self.zone.key} ({self.due:%Z}; {clock(_utc(self.due))} UTC)"
        own = [f"{printable(student)} {clock(moment)}" for student, moment in self.extensions.items()]
        return f"{text}; later for {listed(own, 10)}" if own else text

    def days_late(self, due: datetime, submitted: datetime) -> int:
        """Late days: each one that has begun.

        Args:
            due: the deadline, UTC without a time zone.
            submitted: when it was handed in, likewise.
        """
        if submitted <= due + timedelta(minutes=self.grace_minutes):
            return 0
        # On the wall clock a day is a day, whatever summer time does to its length.
        deadline = due.replace(tzinfo=UTC).astimezone(self.zone)
        days = max(0, (submitted.replace(tzinfo=UTC).astimezone(self.zone).date() - deadline.date()).days - 1)
        while _utc(_later(deadline, days)) < submitted:
            days += 1
        return days

    def penalty(self, days: int, score: float) -> float:
        """What so many late days cost of so many points."""
        charged = max(0, days - self.free_days)
        amount = min(charged * self.per_day, self.cap)
        if self.unit == "percent":
            amount = score * min(amount, 100.0) / 100
        return round(min(amount, max(score, 0.0)), 6)


def clock(moment: datetime) -> str:
    """A time as people write it, and as `late.toml` takes it: seconds only where there are any."""
    return f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def _later(deadline: datetime, days: int) -> datetime:
    """The same time of day so many days later."""
    return (deadline.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=deadline.tzinfo)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def read_policy(path: Path) -> LatePolicy:
    """Read `late.toml`; without the file there is no deadline.

    Raises:
        GraderUsageError: it is not valid; the message names what is wrong.
    """
    shown = printable(str(path))
    text = ""
    try:
        content = path.read_bytes()
        # Editors on Windows write a mark, or UTF-16: json knows both.
        text = content.decode(json.detect_encoding(content)).replace("\r\n", "\n")
        table = tomllib.loads(text)
    except FileNotFoundError:
        return LatePolicy(ZoneInfo("UTC"))
    except UnicodeDecodeError as error:
        raise GraderUsageError(f"{shown}: is not in UTF-8; save it so") from error
    except OSError as error:
        raise GraderUsageError(f"{shown}: cannot be read: {error.strerror or error}") from error
    except tomllib.TOMLDecodeError as error:
        raise GraderUsageError(f"{shown}: {_no_toml(str(error), text)}") from error
    try:
        return _policy(table)
    except _Invalid as error:
        raise GraderUsageError(f"{shown}: {error}") from error


def _no_toml(error: str, text: str) -> str:
    """What to say of a file that is no TOML: the line, and the form that its value has to have."""
    place = re.search(r"\(at line (\d+), column \d+\)", error)
    number = int(place[1]) if place else text.count("\n") + 1
    line = (text.splitlines() or [""])[min(number, len(text.splitlines()) or 1) - 1].strip()
    told = f"line {number}, {printable(line, 80)}, cannot be read"
    key, _, value = (piece.strip() for piece in line.partition("="))
    if "overwrite" in error:
        return f"{told}: this setting stands there twice"
    if _NO_KEY.search(key) and value:
        right = f'"{printable(key)}" = {printable(value)}'
        return f"{told}: an id with other signs than letters, digits, _ and - needs quotes, {right}"
    if _LIKE_A_TIME.search(line):
        return f'{told}: a day and time needs quotes; write it as "{EXAMPLE}"'
    return f"{told}: a setting is a name, =, and a number or a text in quotes"


class _Invalid(Exception):
    """A setting that cannot be; the message names it."""


def _policy(table: dict[str, Any]) -> LatePolicy:
    penalty, extensions = _table(table, "penalty"), _table(table, "extensions")
    if unknown := sorted(set(table) - set(_KEYS)):
        raise _Invalid(f"unknown setting {printable(unknown[0])}; there are {', '.join(_KEYS)}")
    if unknown := sorted(set(penalty) - _PENALTY_KEYS):
        known = ", ".join(sorted(_PENALTY_KEYS))
        raise _Invalid(f"unknown setting penalty.{printable(unknown[0])}; there are {known}")
    name = table.get("timezone", "UTC")
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError, AttributeError) as error:
        raise _Invalid(
            f"timezone {name!r} is not the name of a time zone, such as Europe/Amsterdam"
        ) from error
    due = _moment(table["due"], "due", zone) if "due" in table else None
    if extensions and due is None:
        raise _Invalid("extensions need a deadline: set due")
    unit = penalty.get("unit", "percent")
    if unit not in UNITS:
        raise _Invalid(f"penalty.unit is {unit!r}, not one of {', '.join(UNITS)}")
    attempts = table.get("attempts", LATEST)
    if attempts not in ATTEMPTS:
        raise _Invalid(f"attempts is {attempts!r}, not one of {', '.join(ATTEMPTS)}")
    inputs = table.get("inputs", AFTER_DUE)
    if inputs not in SHOWN:
        raise _Invalid(f"inputs is {inputs!r}, not one of {', '.join(SHOWN)}")
    free_days = _number(penalty, "free_days", 0)
    if free_days != int(free_days):
        raise _Invalid(f"penalty.free_days must be a whole number, not {free_days:g}")
    return LatePolicy(
        zone=zone,
        due=due,
        unit=unit,
        per_day=_number(penalty, "per_day", 0.0),
        grace_minutes=_number(penalty, "grace_minutes", 0.0),
        free_days=int(free_days),
        cap=_number(penalty, "cap", math.inf),
        extensions={
            student: _extended(value, student, due, zone) for student, value in extensions.items() if due
        },
        attempts=attempts,
        inputs=inputs,
    )


def _extended(value: Any, student: str, due: datetime, zone: ZoneInfo) -> datetime:
    """A student's own deadline: given as a time, or as days after everyone's."""
    name = f"extensions.{printable(student)}"
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= 1000:
            raise _Invalid(f"{name} is {value} days; give 0 to 1000")
        return _later(due, value)
    if isinstance(value, dict):  # an id with dots is a table in a table for TOML
        key = [student]
        while isinstance(value, dict) and len(value) == 1:
            ((inner, value),) = value.items()
            key.append(inner)
        raise _Invalid(f'{name}: an id with dots needs quotes, "{printable(".".join(key))}" = ...')
    moment = _moment(value, name, zone)
    if _utc(moment) < _utc(due):
        raise _Invalid(f"{name} is before the deadline")
    return moment


def _moment(value: Any, name: str, zone: ZoneInfo) -> datetime:
    """A time on the course's clock; one with an offset of its own is that moment."""
    shown = str(value) if isinstance(value, date | time) else repr(value)
    day = value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
    if isinstance(day, str) and (alone := _DAY.fullmatch(day)):
        raise _Invalid(f'{name} is {shown}: give the time, too, such as "{alone[1]} 23:59"')
    moment = value if isinstance(value, datetime) else _read(value)
    if moment is None or moment.microsecond:
        raise _Invalid(
            f'{name} is {shown}, not a day and time such as "{EXAMPLE}": write year-month-day, a blank, and '
            "hour:minute with a colon, in two digits each and quotes around"
        )
    if moment.year not in YEARS:
        raise _Invalid(f"{name} is {shown}: is the year right?")
    if moment.tzinfo is not None:
        return moment.astimezone(zone)
    placed = moment.replace(tzinfo=zone)
    if placed.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise _Invalid(f"{name} is {shown}: that time is skipped when summer time begins")
    return placed


def _read(value: Any) -> datetime | None:
    """A time in the one form that is taken, or None."""
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return datetime.fromisoformat(
            f"{match['day']}T{match['time']}{(match['offset'] or '').replace('UTC', 'Z')}"
        )
    except ValueError:
        return None  # 31 April, or an offset of 25 hours


def _table(table: dict[str, Any], name: str) -> dict[str, Any]:
    value = table.get(name, {})
    if not isinstance(value, dict):
        raise _Invalid(f"{name} must be a table: [{name}]")
    return value


def _number(table: dict[str, Any], name: str, default: float) -> float:
    value = table.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or value < 0:
        raise _Invalid(f"penalty.{name} is {value!r}, not a number of at least 0")
    return float(value)

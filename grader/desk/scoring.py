"""What a person has given an answer, as points and as the comment that the student reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from grader.report.marks_csv import number

STEP = 0.25  # points are whole multiples of it
STEP_RULE = f"points go in steps of {STEP:g}"
MOST_TEXT = 10_000  # characters of a comment, or of an item's text


class NotValid(ValueError):
    """Something that was sent cannot be given; the message says why, for a person at a page."""


@dataclass(frozen=True)
class RubricItem:
    """A line of a question's rubric.

    Attributes:
        id: its number in the database.
        cell: the question's cell.
        points: what it adds; below 0 what it takes.
        text: for the student, Markdown.
        note: for markers.
        origin: where in the marking guide it comes from; empty for one of a marker's own.
        retired: whether it is offered for no further answer.
    """

    id: int
    cell: str
    points: float
    text: str
    note: str = ""
    origin: str = ""
    retired: bool = False

    @property
    def as_json(self) -> dict[str, Any]:
        """For pages and the history."""
        return {
            "id": self.id,
            "points": self.points,
            "text": self.text,
            "note": self.note,
            "retired": self.retired,
        }


@dataclass(frozen=True)
class Given:
    """What one answer was given.

    Attributes:
        items: the items that apply, by number.
        adjustment: points besides, of either sign.
        reason: why; for the student.
        comment: words of the marker's own, Markdown.
    """

    items: tuple[int, ...] = ()
    adjustment: float = 0.0
    reason: str = ""
    comment: str = ""

    @property
    def as_json(self) -> dict[str, Any]:
        """For pages and the history."""
        return {
            "items": list(self.items),
            "adjustment": self.adjustment,
            "reason": self.reason,
            "comment": self.comment,
        }


def read_given(table: Any) -> Given:
    """What a page has sent, checked.

    Raises:
        NotValid: it cannot be given.
    """
    if not isinstance(table, dict):
        raise NotValid("there is nothing to give")
    items = table.get("items", [])
    if not isinstance(items, list) or not all(type(item) is int for item in items):
        raise NotValid("the items are not numbers")
    adjustment = read_points(table.get("adjustment", 0), "an adjustment")
    reason, comment = (clean_text(table.get(name, ""), name) for name in ("reason", "comment"))
    return Given(tuple(sorted(set(items))), adjustment, reason if adjustment else "", comment)


def read_points(value: Any, what: str) -> float:
    """A number of points, of either sign.

    Raises:
        NotValid: it is none.
    """
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > 100:
        raise NotValid(f"{what} is a number of points, such as 0.5 or -1")
    if value / STEP != round(value / STEP):
        raise NotValid(f"{value:g}: {STEP_RULE}")
    return float(value)


def clean_text(value: Any, what: str) -> str:
    """A text that a person typed, as both databases and all pages can hold it.

    Raises:
        NotValid: it is no text, or too long.
    """
    if not isinstance(value, str):
        raise NotValid(f"the {what} is no text")
    text = value.replace("\r\n", "\n").replace("\0", "").strip()
    if len(text) > MOST_TEXT:
        raise NotValid(f"the {what} has {len(text):,} characters, and {MOST_TEXT:,} are the most")
    return text.encode("utf-8", "replace").decode("utf-8")


def raw_points(given: Given, items: Mapping[int, RubricItem]) -> float:
    """The sum, without floor and ceiling.

    Raises:
        NotValid: an item is not of this question.
    """
    return math.fsum([given.adjustment, *(one.points for one in _applied(given, items))])


def points_of(given: Given, items: Mapping[int, RubricItem], worth: float) -> float:
    """The points: at least 0, at most what the question is worth.

    Raises:
        NotValid: an item is not of this question.
    """
    return round(min(max(raw_points(given, items), 0.0), worth), 6)


def comment_of(given: Given, items: Mapping[int, RubricItem]) -> str | None:
    """The comment that the student reads, Markdown; None where there is nothing to say.

    Raises:
        NotValid: an item is not of this question.
    """
    lines = [f"- **{signed(one.points)}** {_hanging(one.text)}" for one in _applied(given, items)]
    if given.adjustment and given.reason:
        lines.append(f"- **{signed(given.adjustment)}** {_hanging(given.reason)}")
    return "\n\n".join(filter(None, ("\n".join(lines), given.comment))) or None


def without(given: Given, item: int) -> Given:
    """The same without an item."""
    return replace(given, items=tuple(one for one in given.items if one != item))


def signed(points: float) -> str:
    """Points with their sign: `+1`, `-0.5`, `0`."""
    return f"+{number(points)}" if points > 0 else number(points)


def _applied(given: Given, items: Mapping[int, RubricItem]) -> Iterable[RubricItem]:
    """The items that apply, in the order of the rubric."""
    if strange := [item for item in given.items if item not in items]:
        raise NotValid(f"item {strange[0]} is not in this question's rubric any more")
    return [one for number, one in items.items() if number in given.items]


def _hanging(text: str) -> str:
    """A text within a list: its further lines belong to the same entry."""
    return "\n  ".join(text.splitlines())

"""The marks of a year as the board reads them: points by student and item, and why points were lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.marking.cause import Kind
from grader.marking.result import GRADER_ERROR, Change, ItemResult
from grader.report.pages.findings import Finding, ItemFindings, find
from grader.report.pages.load import Record, load
from grader.rubric import load_rubric
from grader.text import listed, printable

LEAST = 1e-6  # points; less is an error of rounding
# Kinds of causes beside those of checks, see `Cause.kind`.
PERSON, UNKNOWN = "person", "unknown"
NO_REASON = {
    PERSON: "given by a person, without a reason that is kept",
    UNKNOWN: "no cause is recorded",
}
# Of those kinds of causes that need no more words.
WORDS: Mapping[Kind | str, str] = {
    "missing": "is missing",
    "not_implemented": "not implemented",
    "not_submitted": "not handed in",
    "unreadable": "could not be read",
    "device": "asks for a device that is not there",
    "died": "ended its process",
    "timeout": "did not finish",
    "memory": "took too much memory",
    "hung": "not tried after a call that did not end",
}

Reasons = Mapping[tuple[str, str], Sequence[tuple[str, float]]]  # by student and item: why, and points lost


@dataclass(frozen=True)
class Loss:
    """Points that a student has lost.

    Attributes:
        item: of which item.
        kind: of the check's cause, or `PERSON` or `UNKNOWN`.
        cause: in words.
        points: how many.
    """

    item: str
    kind: str
    cause: str
    points: float


@dataclass(frozen=True)
class Student:
    """A student in a year.

    Attributes:
        name: the submission's.
        points: by item; None for what waits, or could not be marked.
        losses: what the points that are missing were lost for.
        changes: of marks that were given once.
    """

    name: str
    points: Mapping[str, float | None]
    losses: tuple[Loss, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Year:
    """The results of a year.

    Attributes:
        label: what it is called.
        worth: the most points of every item, in the order of the rubric.
        students: everybody with a mark.
        whole: whether what people gave is known; otherwise there are automatic items only.
        problems: what could not be read, a line each.
        notes: what should be known, likewise.
    """

    label: str
    worth: Mapping[str, float]
    students: tuple[Student, ...]
    whole: bool
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_year(label: str, results: Path, reasons: Reasons | None = None) -> Year:
    """Read a folder of results.

    Args:
        label: what the year is called.
        results: the folder.
        reasons: why people took points, where that is known.

    Raises:
        GraderUsageError: there are no results in it.
    """
    records, problems = load(results)
    whole = any(record.whole is not None for record in records)
    if whole:  # in a course, hand-ins have results, too, beside those of the students they count for
        records = [record for record in records if record.whole is not None]
    worth = _worth(records, whole)
    students = tuple(_student(record, worth, reasons or {}) for record in records)
    notes = tuple(_other_rubric(results, records, worth))
    return Year(label, worth, students, whole, tuple(problems), notes)


def _worth(records: Sequence[Record], whole: bool) -> dict[str, float]:
    """The most points of the items, those of results before those of today's rubric."""
    of_rubric = {item.id: item.points for item in load_rubric().items if whole or item.how == "auto"}
    return of_rubric | {item.id: item.max_points for record in records for item in record.result.items}


def _other_rubric(results: Path, records: Sequence[Record], worth: Mapping[str, float]) -> Iterator[str]:
    """What to know where the marks were given by another rubric than today's."""
    marks = [record.whole for record in records if record.whole is not None]
    unknown = sorted({item for mark in marks for item in mark.items} - worth.keys())
    if unknown:
        yield f"{printable(str(results))}: not in today's rubric, and left out here: {listed(unknown)}"
    most, here = max((mark.max_points for mark in marks), default=0.0), sum(worth.values())
    if marks and abs(most - here) > LEAST:
        yield (
            f"{printable(str(results))}: its marks are of {most:g} points, and its items make up {here:g}: "
            "what people mark is compared with the points of today's rubric"
        )


def _student(record: Record, worth: Mapping[str, float], reasons: Reasons) -> Student:
    marked = {item.id: item for item in record.result.items}
    points: dict[str, float | None] = {}
    losses: list[Loss] = []
    of_checks = {here.result.id: list(_of_checks(here)) for here in find(record.result)}
    for item, most in worth.items():
        points[item] = value = _points(record, marked.get(item), item)
        if value is None or most - value <= LEAST:
            continue
        if _is_the_checks(marked.get(item), value):
            found = of_checks[item]
        else:
            given = reasons.get((record.name, item), ())
            found = [Loss(item, PERSON, cause, lost) for cause, lost in given]
        losses += _adding_up(found, item, most - value, UNKNOWN if item in marked else PERSON)
    return Student(record.name, points, tuple(losses), record.result.history)


def _points(record: Record, item: ItemResult | None, name: str) -> float | None:
    """What counts: the gradebook's where there is one, else the grader's."""
    if record.whole is not None:
        return record.whole.items.get(name)
    if item is None or item.status == GRADER_ERROR or item.review:
        return None
    return item.points


def _is_the_checks(item: ItemResult | None, points: float) -> bool:
    """Whether it was the checks that gave these points, and no person."""
    return item is not None and item.decision is None and abs(item.points - points) <= LEAST


def _of_checks(here: ItemFindings) -> Iterator[Loss]:
    """What the checks of an item took points for: in it, and as it follows from an earlier one."""
    item = here.result.id
    for finding in here.findings:
        yield Loss(item, _kind(finding), _in_words(finding), finding.lost)
    for follow_on in here.follow_ons:
        cause = f"follows from {follow_on.cause.item}: {_in_words(follow_on.cause)}"
        yield Loss(item, _kind(follow_on.cause), cause, follow_on.lost)


def _kind(finding: Finding) -> str:
    return finding.cause.kind if finding.cause is not None else UNKNOWN


def _in_words(finding: Finding) -> str:
    """What happened; of a wrong value the mistake where the grader knew it, else the hint or what came."""
    cause = finding.cause
    if cause is None:
        return finding.hint or finding.message
    if cause.kind in WORDS:
        return (
            f"{cause.call} {WORDS[cause.kind]}"
            if cause.call and cause.kind == "missing"
            else WORDS[cause.kind]
        )
    if cause.kind == "value" and cause.detail:
        return cause.detail
    return finding.family if cause.kind != "value" or finding.hint_is_general else finding.hint


def _adding_up(found: Sequence[Loss], item: str, lost: float, otherwise: str) -> list[Loss]:
    """The same, so that they make up all that was lost, and no more."""
    found = [loss for loss in found if loss.points > LEAST]
    total = sum(loss.points for loss in found)
    if total > lost:
        return [replace(loss, points=loss.points * lost / total) for loss in found]
    rest = lost - total
    if rest > LEAST:
        kind = PERSON if any(loss.kind == PERSON for loss in found) else otherwise
        found.append(Loss(item, kind, NO_REASON[kind], rest))
    return found

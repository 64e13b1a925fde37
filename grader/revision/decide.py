"""A person's decision on an item: recorded, carried by every report, kept when code is marked again."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from grader.engine.reuse import carry_note, run_lock
from grader.errors import GraderFault, GraderUsageError
from grader.marking.decision import undecided
from grader.marking.result import (
    GRADER_ERROR,
    NOT_SUBMITTED,
    Decision,
    ItemResult,
    SubmissionResult,
    Why,
)
from grader.report.decisions import carried_over, now, read_decisions, write_decisions
from grader.report.results_json import FILE_NAME, read_result, write_result
from grader.text import one_line, printable

MOST_CHARACTERS = 500  # of a reason


@dataclass(frozen=True)
class Decided:
    """What a decision has changed.

    Attributes:
        before: the item as it was.
        after: the item as it is now.
        total: of the submission's automatic points now.
    """

    before: ItemResult
    after: ItemResult
    total: float


def decide(folder: Path, item: str, points: float, reason: str, who: str) -> Decided:
    """Give an item of a submission the points that a person has decided on.

    Args:
        folder: `OUTPUT/<submission>`.
        item: its id.
        points: from 0 to what the item is worth.
        reason: for the student and the staff, one line.
        who: decides.

    Raises:
        GraderUsageError: there is no such result or item, the points do not fit, there is no reason, or
            another run is writing.
        GraderFault: something cannot be read or written.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise GraderUsageError("--reason: say why, in a line; the student reads it")
    if len(reason) > MOST_CHARACTERS:
        raise GraderUsageError(f"--reason: {len(reason)} characters; a line of at most {MOST_CHARACTERS}")
    with run_lock(folder.parent):
        result = _result(folder)
        here = _item(result, item)
        if not math.isfinite(points) or not 0 <= points <= here.max_points:
            raise GraderUsageError(f"--points {points:g}: {item} is worth 0 to {here.max_points:g} points")
        if not result.code and here.status not in (GRADER_ERROR, NOT_SUBMITTED):
            raise GraderUsageError(
                f"{printable(folder.name)}: its result is of an earlier version of the grader; "
                "mark the submission again first"
            )
        marked = undecided(here)
        decision = Decision(
            points, one_line(reason, MOST_CHARACTERS), who, now(), result.code, marked.points, marked.status
        )
        return _write(folder, result, item, read_decisions(folder) | {item: decision}, "decided", who)


def withdraw(folder: Path, item: str, who: str) -> Decided:
    """Take a decision back: the item has the points of its checks again.

    Args:
        folder: `OUTPUT/<submission>`.
        item: its id.
        who: takes it back.

    Raises:
        GraderUsageError: there is no such decision, or another run is writing.
        GraderFault: something cannot be read or written.
    """
    with run_lock(folder.parent):
        result = _result(folder)
        _item(result, item)
        decisions = read_decisions(folder)
        if item not in decisions:
            decided = ", ".join(decisions) or "none"
            raise GraderUsageError(
                f"{item}: no decision to withdraw; decided in {printable(folder.name)}: {decided}"
            )
        del decisions[item]
        return _write(folder, result, item, decisions, "withdrawn", who)


def _write(
    folder: Path,
    result: SubmissionResult,
    item: str,
    decisions: dict[str, Decision],
    why: Why,
    who: str,
) -> Decided:
    """The decisions first: what is cut off after them is made up for whenever the result is written next."""
    path = folder / FILE_NAME
    try:
        content = path.read_bytes()
        write_decisions(folder, decisions)
        bare = replace(result, items=tuple(undecided(one) for one in result.items))
        written = carried_over(folder, bare, why, who)
        write_result(folder.parent, written)
        carry_note(folder.parent, folder.name, content, path.read_bytes())
    except OSError as error:
        raise GraderFault(f"{printable(str(folder))}: cannot write there: {error.strerror}") from error
    return Decided(_item(result, item), _item(written, item), written.points)


def _result(folder: Path) -> SubmissionResult:
    return replace(read_result(folder), submission=folder.name)


def _item(result: SubmissionResult, name: str) -> ItemResult:
    for item in result.items:
        if item.id == name:
            return item
    known = ", ".join(item.id for item in result.items)
    raise GraderUsageError(f"{printable(name)}: no automatic item; there are {known}")

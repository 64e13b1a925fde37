"""What people decide of marks, and how the history of a mark grows: the same for every writer of results.

A decision replaces an item's points, not its checks. It is about the code that the person has seen: where a
student hands in other code, it falls away, and the history says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from grader.marking.result import (
    FAILED,
    GRADER_ERROR,
    PARTIAL,
    PASSED,
    Change,
    Decision,
    ItemResult,
    Status,
    SubmissionResult,
    Why,
)


def decide(item: ItemResult, decision: Decision) -> ItemResult:
    """An item with the points that a person gives; it waits for nobody any more."""
    item = undecided(item)
    status: Status = FAILED
    if decision.points >= item.max_points:
        status = PASSED
    elif decision.points > 0:
        status = PARTIAL
    kept = replace(decision, marked=item.points, status=item.status, review=item.review)
    return replace(item, points=decision.points, status=status, review="", decision=kept)


def undecided(item: ItemResult) -> ItemResult:
    """An item as its checks left it."""
    decision = item.decision
    if decision is None:
        return item
    return replace(
        item, points=decision.marked, status=decision.status, review=decision.review, decision=None
    )


def decisions_of(result: SubmissionResult) -> dict[str, Decision]:
    """The decisions in a result, by item."""
    return {item.id: item.decision for item in result.items if item.decision is not None}


def with_decisions(result: SubmissionResult, decisions: Mapping[str, Decision]) -> SubmissionResult:
    """A result of the checks with those decisions that are about its code.

    Args:
        result: as it was marked.
        decisions: by item.
    """
    items = []
    for item in result.items:
        decision = decisions.get(item.id)
        if decision is not None and decision.code == result.code and decision.points <= item.max_points:
            item = decide(item, decision)
        items.append(item)
    return replace(result, items=tuple(items))


def with_history(
    result: SubmissionResult,
    before: SubmissionResult,
    when: str,
    why: Why,
    who: str = "",
) -> SubmissionResult:
    """A result that goes on with the history of the one in whose place it comes."""
    changes = tuple(_changes(result, before, when, why, who))
    return replace(result, history=(*before.history, *changes))


def _changes(
    result: SubmissionResult,
    before: SubmissionResult,
    when: str,
    why: Why,
    who: str,
) -> Iterator[Change]:
    earlier = {item.id: item for item in before.items}
    for item in result.items:
        old = _points(earlier.get(item.id))
        new = _points(item)
        if old != new:
            yield Change(when, item.id, old, new, why, result.suite, who)


def _points(item: ItemResult | None) -> float | None:
    return None if item is None or item.status == GRADER_ERROR else item.points

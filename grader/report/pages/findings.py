"""What went wrong in a submission, told by cause.

One mistake fails many checks: a colon that is missing in `utils.py` fails every check of nine items. Checks
with the same cause make one finding, which belongs to the first item it shows in; where it fails checks of
later items, these are follow-on faults. Causes are recognised by what the results say, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field

from grader.marking.result import (
    FAILED,
    GRADER_ERROR,
    NOT_IMPLEMENTED,
    NOT_SUBMITTED,
    PASSED,
    CheckResult,
    ItemResult,
    SubmissionResult,
)
from grader.report.told_once import first_alike, without_numbers

# An exception with its place: the same one, whatever was called when it was raised.
_RAISED = re.compile(r"(?:cannot be imported: |raised )(\w+: .*\([^()]+, line \d+\))$", re.DOTALL)
_ENDED = re.compile(r"^(.+?) (?:ended the process it runs in|did not finish within \d+ s)$")
_NOT_TRIED = "not tried: an earlier call did not end"
_ENDLESS = re.compile(r" did not finish within \d+ s$")
_NOT_HANDED_IN = re.compile(r"^(part\d/\w+\.py)\b.* was not handed in$")
_NOT_IMPORTED = re.compile(
    r"(?P<file>\w+\.py) cannot be imported: (?P<error>\w+)(?:.*\((?P<place>part\d/\w+\.py), line \d+\)$)?",
    re.DOTALL,
)
# What some messages end with: the mistake itself, in words. Hints to it may differ from check to check.
_DIAGNOSIS = re.compile(r": ([a-z][^:\d\[\]()]{14,})$")
# Python names the place of a syntax error itself, and then it stands there twice.
_PLACE_TWICE = re.compile(r" \((\w+\.py), line (\d+)\)(?= \(part\d/\1, line \2\))")
# These hints go with any exception or value, and say nothing of the cause.
_GENERAL_HINTS = ("run the same call on small tensors",)


@dataclass
class Finding:
    """One cause, in the item where it shows first.

    Attributes:
        item: that item's id.
        status: of its checks.
        hint: the likely cause and what to try next.
        observations: what was expected and what came, with the names of the checks that say so.
        lost: the points it costs in its own item.
        follow_ons: the later items in which it fails checks as well.
    """

    item: str
    status: str
    hint: str
    observations: dict[str, list[str]] = field(default_factory=dict)
    lost: float = 0.0
    follow_ons: list[FollowOn] = field(default_factory=list)

    @property
    def checks(self) -> list[str]:
        """The checks it fails in its own item."""
        return [name for names in self.observations.values() for name in names]

    @property
    def message(self) -> str:
        """What is seen of it first."""
        return next(iter(self.observations))

    @property
    def to_try(self) -> str:
        """What to try next: the hint, or more where that says nothing and the message tells."""
        if is_general(self.hint) and (match := _NOT_IMPORTED.match(self.message)):
            file = match["place"] or match["file"]
            if match["error"] in ("SyntaxError", "IndentationError", "TabError"):
                return f"look at that line and the one before it; python -m py_compile {file} says the same"
            return (
                "importing the file fails before anything in it can be used; training and tests belong below "
                f'if __name__ == "__main__", and python {file} shows where it stops'
            )
        return self.hint

    @property
    def lost_in_all(self) -> float:
        """The points it costs, follow-on faults included."""
        return self.lost + sum(follow_on.lost for follow_on in self.follow_ons)


@dataclass
class FollowOn:
    """Checks of a later item that fail for a cause known already."""

    cause: Finding
    item: str
    checks: list[str] = field(default_factory=list)
    lost: float = 0.0


@dataclass
class ItemFindings:
    """An item with what went wrong in it."""

    result: ItemResult
    findings: list[Finding] = field(default_factory=list)
    follow_ons: list[FollowOn] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)


def find(result: SubmissionResult) -> list[ItemFindings]:
    """The items in their order, each with its findings and its follow-on faults."""
    causes: dict[Hashable, Finding] = {}
    told = []
    endless: Hashable = None  # the call that did not end last: what is not tried is not tried for its sake
    for item in result.items:
        here = ItemFindings(item)
        follow_ons: dict[int, FollowOn] = {}
        lost = item.max_points - item.points
        # One mistake shows in several checks, and an item loses less than the sum of what they cost alone.
        prices = sum(check.weight for check in item.checks if check.status != PASSED) or 1.0
        for check in item.checks:
            if check.status == PASSED:
                here.passed.append(check.name)
                continue
            if check.status == GRADER_ERROR:
                here.unmarked.append(check.name)
                continue
            share = lost * check.weight / prices
            key = _cause(item.id, check)
            if _ENDLESS.search(check.message):
                endless = key
            elif check.message == _NOT_TRIED and endless is not None:
                key = endless
            cause = causes.get(key)
            if cause is None:
                cause = causes[key] = Finding(item.id, check.status, check.hint)
                here.findings.append(cause)
            if cause.item == item.id:
                message = first_alike(_PLACE_TWICE.sub("", check.message), cause.observations)
                cause.observations.setdefault(message, []).append(check.name)
                cause.lost += share
            else:
                if id(cause) not in follow_ons:
                    follow_ons[id(cause)] = FollowOn(cause, item.id)
                    cause.follow_ons.append(follow_ons[id(cause)])
                follow_ons[id(cause)].checks.append(check.name)
                follow_ons[id(cause)].lost += share
        here.follow_ons = list(follow_ons.values())
        told.append(here)
    return told


def _cause(item: str, check: CheckResult) -> Hashable:
    """Equal for checks that fail for the same cause; only some causes reach beyond an item."""
    if check.status == NOT_SUBMITTED:
        match = _NOT_HANDED_IN.match(check.message)
        return NOT_SUBMITTED, match[1] if match else check.message
    if check.status == NOT_IMPLEMENTED:
        return NOT_IMPLEMENTED, check.message
    if match := _RAISED.search(check.message):
        return FAILED, match[1]
    if _ENDED.match(check.message):
        return FAILED, check.message
    if match := _DIAGNOSIS.search(check.message):
        return FAILED, item, "diagnosis", match[1]
    if is_general(check.hint):
        return FAILED, item, without_numbers(check.message)
    return FAILED, item, "hint", check.hint


def is_general(hint: str) -> bool:
    """Whether a hint says nothing of the cause."""
    return not hint or hint.startswith(_GENERAL_HINTS)


def in_words(check: str) -> str:
    """A check's name for readers: `sums_over_last_dimension_only` as words."""
    return check.replace("_", " ")

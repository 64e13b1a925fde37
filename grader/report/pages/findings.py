"""What went wrong in a submission, by cause.

One mistake fails many checks: a colon that is missing in `utils.py` fails every check of nine items. Checks
with the same cause make one finding, which belongs to the first item it shows in; where it fails checks of
later items, these are follow-on faults. Causes are compared as data; no message is read.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from grader.marking.cause import LIMITS, Cause
from grader.marking.result import GRADER_ERROR, PASSED, CheckResult, ItemResult, SubmissionResult
from grader.report.same_message import form_of
from grader.report.torch_errors import explained


@dataclass
class Finding:
    """One cause, in the item where it shows first.

    Attributes:
        item: that item's id.
        status: of its checks.
        cause: of its first check, as data.
        hint: the likely cause and what to try next.
        observations: what was expected and what came, with the names of the checks that say so.
        lost: the points it costs in its own item.
        follow_ons: the later items in which it fails checks as well.
    """

    item: str
    status: str
    cause: Cause | None
    hint: str
    observations: dict[str, list[str]] = field(default_factory=dict)
    lost: float = 0.0
    follow_ons: list[FollowOn] = field(default_factory=list)
    _forms: dict[str, str] = field(default_factory=dict)

    def observe(self, check: CheckResult) -> None:
        """Add a check. A message that differs from an earlier one in its numbers only is not repeated."""
        message = self._forms.setdefault(form_of(check), check.message)
        self.observations.setdefault(message, []).append(check.name)

    @property
    def checks(self) -> list[str]:
        """The checks it fails in its own item."""
        return [name for names in self.observations.values() for name in names]

    @property
    def message(self) -> str:
        """What is seen of it first."""
        return next(iter(self.observations))

    @property
    def hint_is_general(self) -> bool:
        """Whether the hint says nothing of the cause."""
        if self.cause is None or not self.hint:
            return not self.hint
        return self.cause.general_hint and self.hint != explained(self.cause.detail)

    @property
    def family(self) -> str:
        """What it is called beside those of other students: without values, and where it was raised."""
        if self.cause is None:
            return self.message
        if self.cause.kind == "import":
            return f"{self.cause.call} cannot be imported: {self.cause.exception}"
        if self.cause.exception and self.cause.call:
            return f"{self.cause.call} raised {self.cause.exception}"
        return self.cause.form

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
    items = []
    endless: Hashable = None  # the call that did not end last: later checks are not tried because of it
    for item in result.items:
        here = ItemFindings(item)
        follow_ons: dict[int, FollowOn] = {}
        # What a person has decided is no matter of the checks any more.
        lost = 0.0 if item.decision is not None else item.max_points - item.points
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
            key = _key(item.id, check)
            kind = check.cause.kind if check.cause is not None else ""
            if kind == "timeout":
                endless = key
            elif kind == "hung" and endless is not None:
                key = endless
            cause = causes.get(key)
            if cause is None:
                cause = causes[key] = Finding(item.id, check.status, check.cause, _hint(check))
                here.findings.append(cause)
            if cause.item == item.id:
                cause.observe(check)
                cause.lost += share
            else:
                if id(cause) not in follow_ons:
                    follow_ons[id(cause)] = FollowOn(cause, item.id)
                    cause.follow_ons.append(follow_ons[id(cause)])
                follow_ons[id(cause)].checks.append(check.name)
                follow_ons[id(cause)].lost += share
        here.follow_ons = list(follow_ons.values())
        items.append(here)
    return items


def _hint(check: CheckResult) -> str:
    """The suite's own hint or, where that is one for any error, what PyTorch's own words mean."""
    if check.cause is None or (check.hint and not check.cause.general_hint):
        return check.hint
    return explained(check.cause.detail) or check.hint


def _key(item: str, check: CheckResult) -> Hashable:
    """Equal for checks that fail for the same cause; only some causes reach beyond an item."""
    cause = check.cause
    if cause is None:
        return item, check.message, check.hint
    if cause.kind in ("not_submitted", "not_implemented"):
        return cause.kind, cause.call, cause.detail
    if cause.kind in ("raised", "import", "memory") and cause.file:
        return cause.exception, cause.detail, cause.file, cause.line
    if cause.kind in LIMITS:
        return cause.kind, cause.call, cause.form
    if cause.kind == "value" and cause.detail:
        return item, "mistake", cause.detail
    if cause.general_hint or not check.hint:
        return item, cause.form
    return item, "hint", check.hint


def in_words(check: str) -> str:
    """A check's name for readers: `sums_over_last_dimension_only` as words."""
    return check.replace("_", " ")

"""What marking a submission yields, as data; `results.json` is this, written down."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Final, Literal, get_args

from annotated_types import Ge, Predicate

PASSED: Final = "passed"
PARTIAL: Final = "partial"
FAILED: Final = "failed"
NOT_IMPLEMENTED: Final = "not_implemented"
NOT_SUBMITTED: Final = "not_submitted"
GRADER_ERROR: Final = "grader_error"
Status = Literal["passed", "partial", "failed", "not_implemented", "not_submitted", "grader_error"]
STATUSES: tuple[Status, ...] = get_args(Status)
# Of the layout of `results.json`. Keys are added without a new version: readers pass over unknown ones.
SCHEMA_VERSION: Final = 1
Finite = Annotated[float, Ge(0), Predicate(math.isfinite)]


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check: one hidden test.

    Attributes:
        name: of the check.
        status: one of `STATUSES`.
        weight: the share of its item, 0 to 1, that it costs if no other check fails.
        message: what came and what was expected; empty where it passed.
        hint: what to look at.
        severity: how bad it is that it failed, see prices.py; empty where it did not.
    """

    name: str
    status: Status
    weight: Finite = 1.0
    message: str = ""
    hint: str = ""
    severity: str = ""


@dataclass(frozen=True)
class ItemResult:
    """An item's points and the checks they come from.

    Attributes:
        id: of the rubric.
        points: earned.
        max_points: to be earned.
        status: one of `STATUSES`.
        checks: what was looked at.
        review: why a person has to look at it before it counts; empty where nobody has to. It is no fault of
            the grader's.
    """

    id: str
    points: Finite
    max_points: Finite
    status: Status
    checks: tuple[CheckResult, ...] = ()
    review: str = ""

    def __post_init__(self) -> None:
        if self.points > self.max_points:
            raise ValueError(f"item {self.id} has {self.points:g} of {self.max_points:g} points")


@dataclass(frozen=True)
class SubmissionResult:
    """One submission's marks on the automatic items.

    Attributes:
        hand_in: what to say of whose hand-in it is, or which attempt; empty where there is nothing to tell.
        memory_mb: the most memory that a process of its code took, in megabytes, where that is known.
        schema: the version of the layout.
    """

    submission: str
    seed: int
    suite: str
    sandbox: str
    seconds: Finite
    items: tuple[ItemResult, ...]
    violations: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    waived: tuple[str, ...] = ()
    hand_in: str = ""
    memory_mb: Finite | None = None
    schema: Literal[1] = SCHEMA_VERSION

    @property
    def points(self) -> float:
        """Points earned on the automatic items."""
        return round(sum(item.points for item in self.items), 6)

    @property
    def max_points(self) -> float:
        """Points the automatic items are worth."""
        return round(sum(item.max_points for item in self.items), 6)

    @property
    def marked(self) -> bool:
        """Whether every item was marked, that is, none is a `grader_error`."""
        return all(item.status != GRADER_ERROR for item in self.items)

    @property
    def reviews(self) -> dict[str, list[str]]:
        """What waits for a person: the ids of items by the reason."""
        found: dict[str, list[str]] = {}
        for item in self.items:
            if item.review:
                found.setdefault(item.review, []).append(item.id)
        return found

    def to_json(self) -> dict[str, Any]:
        """The frozen layout of `results.json`."""
        table = {
            "submission": self.submission,
            "seed": self.seed,
            "suite": self.suite,
            "sandbox": self.sandbox,
            "waived": list(self.waived),
            "seconds": round(self.seconds, 3),
            "points": self.points,
            "max_points": self.max_points,
            "items": [_item_to_json(item) for item in self.items],
            "violations": list(self.violations),
            "warnings": list(self.warnings),
        }
        table["schema"] = self.schema
        if self.hand_in:  # a key that was added: only where it says something
            table["hand_in"] = self.hand_in
        if self.memory_mb is not None:
            table["memory_mb"] = round(self.memory_mb, 1)
        return table


def _item_to_json(item: ItemResult) -> dict[str, Any]:
    table = asdict(item)
    if not item.review:  # a key that was added: only where it says something
        del table["review"]
    for check in table["checks"]:
        if not check["severity"]:
            del check["severity"]
    return table

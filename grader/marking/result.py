"""What marking a submission yields, as data; `results.json` is this, written down."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Final, Literal, get_args

from annotated_types import Ge, Predicate

from grader.marking.cause import Cause

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
Why = Literal["marked", "decided", "withdrawn", "accepted"]  # of a change
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
        cause: why it did not pass; None where it passed, or the grader failed, and in results of before.
    """

    name: str
    status: Status
    weight: Finite = 1.0
    message: str = ""
    hint: str = ""
    severity: str = ""
    cause: Cause | None = None


@dataclass(frozen=True)
class Decision:
    """What a person has decided of an item, whatever its checks say.

    Attributes:
        points: that it earns.
        reason: for the student and the staff, one line.
        who: has decided.
        when: ISO 8601, UTC.
        code: digest of the code that it is about, see `SubmissionResult.code`.
        marked: the points that the checks give.
        status: of the item as the checks left it.
        review: likewise.
    """

    points: Finite
    reason: str
    who: str
    when: str
    code: str = ""
    marked: Finite = 0.0
    status: Status = FAILED
    review: str = ""


@dataclass(frozen=True)
class Change:
    """One step in the history of an item's mark.

    Attributes:
        when: ISO 8601, UTC.
        item: its id.
        before: the points until then; None where there were none.
        after: the points from then on; None where the grader failed to mark.
        why: `marked` again; `decided` by a person; `withdrawn`, such a decision; `accepted` from another run.
        suite: the digest of the suites from then on.
        who: did it, for what a person did.
    """

    when: str
    item: str
    before: Finite | None
    after: Finite | None
    why: Why
    suite: str
    who: str = ""


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
        decision: of a person; the points are its own then.
    """

    id: str
    points: Finite
    max_points: Finite
    status: Status
    checks: tuple[CheckResult, ...] = ()
    review: str = ""
    decision: Decision | None = None

    def __post_init__(self) -> None:
        if self.points > self.max_points:
            raise ValueError(f"item {self.id} has {self.points:g} of {self.max_points:g} points")


@dataclass(frozen=True)
class Note:
    """What there is to say of a submission, beside its marks.

    Attributes:
        text: one line.
        audience: `student`, who can do something about it (the staff read it, too), or `staff`.
        kind: `rule` (broken), `hand_in` (what became of files), `figures` (more than are kept) or `grader`.
    """

    text: str
    audience: Literal["student", "staff"] = "student"
    kind: Literal["rule", "hand_in", "figures", "grader"] = "hand_in"


@dataclass(frozen=True)
class PictureDifference:
    """How far a picture that was made while marking is from what it should show. No mark depends on it.

    Attributes:
        item: the item that it belongs to.
        kind: such as `manifold` or `reconstructions`.
        value: 0, as it should be, to 1; 1 also where there is no picture, because nothing came to be drawn.
    """

    item: str
    kind: str
    value: Finite


@dataclass(frozen=True)
class SubmissionResult:
    """One submission's marks on the automatic items.

    Attributes:
        hand_in: what to say of whose hand-in it is, or which attempt; empty where there is nothing to tell.
        memory_mb: the most memory that a process of its code took, in megabytes, where that is known.
        python: the version of Python that ran the code, such as 3.11.2; empty in results of before.
        schema: the version of the layout.
        violations: rules that the code breaks, one line each, in the words for the staff.
        warnings: all else that the staff should know, one line each.
        notes: the same with their audiences; a rule that is broken in the words for the student.
        code: digest of the files that were marked; empty in results of before.
        history: every change of an item's points since it was first marked, the latest last.
        differences: of pictures, for those that can be compared with what they should show.
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
    notes: tuple[Note, ...] = ()
    python: str = ""
    code: str = ""
    history: tuple[Change, ...] = ()
    differences: tuple[PictureDifference, ...] = ()

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

    def for_students(self, *kinds: str) -> list[str]:
        """The lines that a student reads, of these kinds; of any where none is named."""
        return [
            note.text
            for note in self.notes
            if note.audience == "student" and (not kinds or note.kind in kinds)
        ]

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
        if self.python:
            table["python"] = self.python
        if self.code:
            table["code"] = self.code
        if self.history:
            table["history"] = [asdict(change) for change in self.history]
        if self.differences:
            table["differences"] = [asdict(one) | {"value": round(one.value, 5)} for one in self.differences]
        if self.notes:
            table["notes"] = [asdict(note) for note in self.notes]
        return table


def _item_to_json(item: ItemResult) -> dict[str, Any]:
    table = asdict(item)
    if not item.review:  # a key that was added: only where it says something
        del table["review"]
    if item.decision is None:
        del table["decision"]
    for check, made in zip(table["checks"], item.checks, strict=True):
        if not check["severity"]:
            del check["severity"]
        del check["cause"]
        if made.cause is not None:
            check["cause"] = made.cause.to_json()
    return table

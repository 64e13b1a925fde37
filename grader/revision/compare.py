"""What would move if another run's marks took the place of these, by submission and item, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GraderUsageError
from grader.marking.decision import decisions_of, with_decisions
from grader.marking.result import GRADER_ERROR, ItemResult, SubmissionResult
from grader.report.pages.load import Record, load
from grader.text import printable

# What may differ between two results of one submission, and how it is called.
CONDITIONS = {
    "code": "other code",
    "suite": "other suites",
    "seed": "another seed",
    "python": "another Python",
    "sandbox": "another sandbox",
    "waived": "other rules waived",
}


@dataclass(frozen=True)
class CheckChange:
    """A check that came out differently.

    Attributes:
        name: of the check.
        before, after: its statuses; empty where there was no such check.
        message: of the later one, or of the earlier where the later passed.
    """

    name: str
    before: str
    after: str
    message: str


@dataclass(frozen=True)
class Move:
    """An item whose points would change.

    Attributes:
        submission: its name.
        item: the item's id.
        before, after: points; None where there are none: not marked, or no such item.
        max_points: of the item.
        conditions: what else differs, keys of `CONDITIONS`.
        decided: whether a person's decision holds before, and after.
        checks: that came out differently.
    """

    submission: str
    item: str
    before: float | None
    after: float | None
    max_points: float
    conditions: tuple[str, ...]
    decided: tuple[bool, bool]
    checks: tuple[CheckChange, ...]


@dataclass(frozen=True)
class Overtaken:
    """A decision that would stay, though the checks say something else than they did.

    Attributes:
        submission: its name.
        item: the item's id.
        decided: the points of the decision.
        before, after: what the checks give.
    """

    submission: str
    item: str
    decided: float
    before: float
    after: float


@dataclass(frozen=True)
class Comparison:
    """Two folders of results.

    Attributes:
        old, new: the folders.
        moves: what would change, by submission.
        overtaken: decisions that a person should look at again.
        same: the submissions in which nothing would.
        only_old, only_new: the submissions that only one of them has.
        unmarked: those that the grader failed to mark in `new`.
        problems: a line for every result that cannot be read.
    """

    old: Path
    new: Path
    moves: tuple[Move, ...]
    overtaken: tuple[Overtaken, ...]
    same: tuple[str, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    unmarked: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def moved(self) -> tuple[str, ...]:
        """The submissions in which something would change."""
        return tuple(dict.fromkeys(move.submission for move in self.moves))


@dataclass(frozen=True)
class Runs:
    """Two folders of results, read.

    Attributes:
        old, new: the folders.
        before, after: what they hold, by submission.
        problems: a line for every result that cannot be read.
    """

    old: Path
    new: Path
    before: Mapping[str, Record]
    after: Mapping[str, Record]
    problems: tuple[str, ...]


def read_runs(old: Path, new: Path) -> Runs:
    """Read two folders of results.

    Raises:
        GraderUsageError: one of them holds no results, or both are the same.
    """
    if old.resolve() == new.resolve():
        raise GraderUsageError(f"{printable(str(new))}: the same folder twice; give the folders of two runs")
    before, problems = load(old)
    after, more = load(new)
    return Runs(
        old,
        new,
        {record.name: record for record in before},
        {record.name: record for record in after},
        (*problems, *more),
    )


def compare(runs: Runs) -> Comparison:
    """Compare two runs. Decisions in the old one hold for the new one, too, as `accept` keeps them."""
    earlier, later = runs.before, runs.after
    moves: list[Move] = []
    overtaken: list[Overtaken] = []
    same = []
    for name in sorted(earlier.keys() & later.keys(), key=lambda name: (name.casefold(), name)):
        found = list(_moves(earlier[name], later[name].result))
        moves += found
        overtaken += _overtaken(earlier[name], later[name].result)
        if not found:
            same.append(name)
    return Comparison(
        runs.old,
        runs.new,
        tuple(moves),
        tuple(overtaken),
        tuple(same),
        tuple(name for name in earlier if name not in later),
        tuple(name for name in later if name not in earlier),
        tuple(name for name, record in later.items() if not record.result.marked),
        runs.problems,
    )


def _moves(old: Record, new: SubmissionResult) -> Iterator[Move]:
    new = with_decisions(new, old.decisions)
    conditions = tuple(key for key in CONDITIONS if getattr(old.result, key) != getattr(new, key))
    earlier = {item.id: item for item in old.result.items}
    later = {item.id: item for item in new.items}
    for name in dict.fromkeys((*earlier, *later)):
        one, other = earlier.get(name), later.get(name)
        before, after = _points(one), _points(other)
        if before == after:
            continue
        known = other or one
        assert known is not None
        decided = (one is not None and one.decision is not None, bool(other and other.decision))
        yield Move(
            old.name,
            name,
            before,
            after,
            known.max_points,
            conditions,
            decided,
            tuple(_checks(one, other)),
        )


def _overtaken(old: Record, new: SubmissionResult) -> Iterator[Overtaken]:
    before = decisions_of(old.result)
    for item, decision in decisions_of(with_decisions(new, old.decisions)).items():
        if item in before and decision.marked != before[item].marked:
            yield Overtaken(old.name, item, decision.points, before[item].marked, decision.marked)


def _points(item: ItemResult | None) -> float | None:
    return None if item is None or item.status == GRADER_ERROR else item.points


def _checks(one: ItemResult | None, other: ItemResult | None) -> Iterator[CheckChange]:
    before = {check.name: check for check in one.checks} if one else {}
    after = {check.name: check for check in other.checks} if other else {}
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        statuses = (old.status if old else "", new.status if new else "")
        if statuses[0] != statuses[1]:
            message = (new.message if new else "") or (old.message if old else "")
            yield CheckChange(name, *statuses, message)

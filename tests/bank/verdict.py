"""What a result says of the grader: did it catch, was it fair?"""

from __future__ import annotations

from dataclasses import dataclass

from grader.marking.result import GRADER_ERROR, PASSED, SubmissionResult
from grader.suites.measures import Measure
from tests.bank.entries import Entry

AT_LEAST = "at least"  # ends the names of measures that are wrong below their limit


@dataclass(frozen=True)
class Verdict:
    """One entry with one seed.

    Attributes:
        entry: its name.
        seed: of the run.
        missed: a wrong entry kept all points of its item.
        unfair: items of a right entry that lost points, or items of a wrong one that had to keep theirs.
        collateral: items beside the named one that lost points, those that were expected to included.
        faults: the grader's own failures and surprises.
        failed: item, check and message of every failed check.
        measures: what checks compared with limits: name, the value nearest to the limit, the limit.
        seconds: on the clock.
        breached: what an attack got or did that it must not.
        lost: the share of its points, 0 to 1, that each item lost that lost any.
    """

    entry: str
    seed: int
    missed: bool
    unfair: tuple[str, ...]
    collateral: tuple[str, ...]
    faults: tuple[str, ...]
    failed: tuple[tuple[str, str, str], ...]
    seconds: float
    measures: tuple[tuple[str, float, float], ...] = ()
    breached: tuple[str, ...] = ()
    lost: tuple[tuple[str, float], ...] = ()

    @property
    def reasons(self) -> list[str]:
        """A line for each failed check."""
        return [f"{item} {check}: {message}" for item, check, message in self.failed]

    @property
    def good(self) -> bool:
        """Nothing to complain of."""
        return not (self.missed or self.unfair or self.faults or self.breached)


def nearest(measures: list[Measure]) -> tuple[tuple[str, float, float], ...]:
    """Of each measure the value that comes nearest to its limit."""
    found: dict[str, Measure] = {}
    for measure in measures:
        worse = min if measure.name.endswith(AT_LEAST) else max
        found[measure.name] = worse(found.get(measure.name, measure), measure, key=lambda one: one.value)
    return tuple(tuple(measure) for measure in found.values())


def judge(entry: Entry, result: SubmissionResult, measures: list[Measure]) -> Verdict:
    """Compare a result with what the entry's points should be."""
    lost = {item.id for item in result.items if item.points < item.max_points}
    lost |= {item.id for item in result.items if any(check.status != PASSED for check in item.checks)}
    beside = tuple(sorted(lost - {entry.item}))
    failed = tuple(
        (item.id, check.name, check.message)
        for item in result.items
        for check in item.checks
        if check.status != PASSED
    )
    errors = [item.id for item in result.items if item.status == GRADER_ERROR]
    return Verdict(
        entry=entry.name,
        seed=result.seed,
        missed=bool(entry.item) and entry.item not in lost,
        unfair=tuple(item for item in beside if item not in entry.also),
        collateral=beside if entry.item else (),
        faults=(*errors, *result.warnings),
        failed=failed,
        seconds=result.seconds,
        measures=nearest(measures),
        lost=tuple(
            (item.id, round(1 - item.points / item.max_points, 4))
            for item in result.items
            if item.points < item.max_points
        ),
    )

"""Marks mutants with the hidden suites: which of them lose a point, and by which item?

One process with one warm marker: a box per mutant would cost seven seconds each. The item that answers for
the mutated code goes first, then the other items of the part, then the trainings; the first failed check ends
it.
"""

from __future__ import annotations

import json
import unittest.mock
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import pytest

from grader.marking import plugin
from grader.marking.marker import Marker, MarkingOptions, suite_digest
from grader.marking.plugin import MarkingPlugin, item_id
from grader.marking.result import PASSED, SubmissionResult
from grader.submission import Submission
from tests.bank.entries import TRAININGS, automatic_items
from tests.mutation.mutants import Mutant
from tests.suites.variants import solution

KEPT = Path("build/mutation/verdicts.jsonl")
SEED = 1


class Marks(Protocol):
    """What is needed of a marker."""

    def mark(self, submission: Submission, items: frozenset[str] | None = None) -> SubmissionResult:
        """Run the hidden suites."""


@dataclass(frozen=True)
class Outcome:
    """What came of one mutant.

    Attributes:
        digest: of the mutant.
        killed_by: the item that lost points first; none for a survivor.
        checks: the check that failed first.
        message: what it says.
        faults: the grader's own failures and surprises.
        seconds: on the clock.
    """

    digest: str
    killed_by: tuple[str, ...]
    checks: tuple[str, ...]
    message: str
    faults: tuple[str, ...]
    seconds: float

    @property
    def survived(self) -> bool:
        """No item lost a point."""
        return not self.killed_by


class StopAtFirstLoss(MarkingPlugin):
    """Marks what is near to the mutated code first, trainings last, and nothing after a failed check."""

    near = ""  # the item that answers for the mutated code

    def choose(self, tests: list[pytest.Item]) -> list[pytest.Item]:
        """All that count, the near ones first."""
        return sorted(super().choose(tests), key=lambda test: order(item_id(test), test.path.stem, self.near))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        lost = any(check.status != PASSED for checks in self.checks.values() for check in checks)
        return True if lost else None  # True: pytest need not run this check


def order(item: str, module: str, near: str) -> tuple[bool, bool]:
    """Sorts checks: other items behind the near one, and whatever trains behind both."""
    trains = (item, module) == ("2.5.training", "test_training") or item in TRAININGS - {"2.5.training"}
    return (trains, item != near)


def kill(marker: Marks, mutant: Mutant) -> Outcome:
    """Mark a mutant until a check fails."""
    part = mutant.file.split("/")[0]
    number = part.removeprefix("part")
    items = frozenset(item for item in automatic_items() if item.startswith(f"{number}."))
    files = {**solution(part), mutant.file: mutant.text.encode()}
    StopAtFirstLoss.near = mutant.item
    with unittest.mock.patch.object(plugin, "MarkingPlugin", StopAtFirstLoss):
        result = marker.mark(Submission("mutant", files), items)
    failed = [(item.id, check) for item in result.items for check in item.checks if check.status != PASSED]
    return Outcome(
        mutant.digest,
        tuple(dict.fromkeys(item for item, _ in failed)),
        tuple(check.name for _, check in failed),
        failed[0][1].message if failed else "",
        result.warnings,
        result.seconds,
    )


def key(mutant: Mutant) -> str:
    """Names what a kept outcome depends on."""
    return f"{suite_digest()} {mutant.digest} {SEED}"


def kept(path: Path = KEPT) -> dict[str, Outcome]:
    """The outcomes of earlier runs, by key. Half a line, of a run that was cut off, is passed over."""
    found = {}
    lines = path.read_text().splitlines() if path.exists() else []
    for line in lines:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[record["key"]] = Outcome(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in record["outcome"].items()
            }
        )
    return found


def keep(mutant: Mutant, outcome: Outcome, path: Path = KEPT) -> None:
    """Remember an outcome for later runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps({"key": key(mutant), "outcome": asdict(outcome)}) + "\n")


def earlier(path: Path = KEPT) -> dict[str, Outcome]:
    """The last outcome of every mutant, by its digest, whatever the suites were like then."""
    return {outcome.digest: outcome for outcome in kept(path).values()}


def past(todo: list[Mutant], believe: str, path: Path = KEPT) -> Iterator[tuple[Mutant, Outcome]]:
    """What earlier runs have found out of these mutants.

    Args:
        todo: the mutants.
        believe: of outcomes with other versions of the suites, `none`, those that were `killed`, or `all`.
        path: where outcomes are kept.
    """
    same, any_suites = kept(path), earlier(path)
    for mutant in todo:
        outcome = same.get(key(mutant))
        other = any_suites.get(mutant.digest)
        if (
            outcome is None
            and other is not None
            and (believe == "all" or (believe == "killed" and not other.survived))
        ):
            outcome = other
        if outcome is not None:
            yield mutant, outcome


def run(
    todo: list[Mutant], path: Path = KEPT, marker: Marks | None = None, believe: str = "none"
) -> Iterator[tuple[Mutant, Outcome]]:
    """Outcomes as they come, each kept at once.

    Args:
        todo: the mutants.
        path: where outcomes are kept.
        marker: None starts one with a box of its own, when it is needed.
        believe: as for `past`.
    """
    known = {mutant.digest: outcome for mutant, outcome in past(todo, believe, path)}
    own = None
    try:
        for mutant in todo:
            outcome = known.get(mutant.digest)
            if outcome is None:
                if marker is None:
                    marker = own = Marker(MarkingOptions(seed=SEED))
                outcome = kill(marker, mutant)
                keep(mutant, outcome, path)
            yield mutant, outcome
    finally:
        if own is not None:
            own.close()

"""`python -m tests.bank.curve`: what marking would cost with fewer checks, and what would then be missed.

Checks are left out one after the other, that one first which catches the fewest mistakes alone for the
time that it takes. A mistake is missed where none of the checks is left that its item failed in the bank.
The times are those of the solutions on the clock: run nothing else beside it. Verdicts that `make bank`
has kept are not made again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from unittest import mock

import pytest
from rich.console import Console
from rich.table import Table

from grader.marking.marker import Marker, MarkingOptions
from grader.marking.plugin import MarkingPlugin, check_name, item_id
from grader.submission import read_submission
from tests.bank.entries import wrong
from tests.bank.run import run
from tests.suites.variants import SOLUTIONS

Check = tuple[str, str]  # item, name
# One training serves both: leaving out one of them saves nothing.
TOGETHER: dict[Check, Check] = {
    ("2.5.training", "training_draws_the_codes_to_the_prior"): (
        "2.4.reconstruction",
        "training_reconstructs_held_out_images",
    )
}


@dataclass(frozen=True)
class Step:
    """The marking without some more checks.

    Attributes:
        left_out: the check that goes.
        share: of today's time, with all that is left.
        missed: entries that nothing catches any more.
    """

    left_out: Check
    share: float
    missed: frozenset[str]


def seconds_of_checks(markings: int) -> dict[Check, float]:
    """How long each check of the solutions takes: seconds on the clock, medians."""
    found: dict[Check, list[float]] = defaultdict(list)

    class Timed(MarkingPlugin):
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
            started = time.perf_counter()
            try:
                return (yield)
            finally:
                check = item_id(item), check_name(item)
                found[TOGETHER.get(check, check)].append(time.perf_counter() - started)

    submission, marker = read_submission(SOLUTIONS), Marker(MarkingOptions(seed=0))
    try:
        marker.mark(submission)  # what a process imports once does not count
        with mock.patch("grader.marking.plugin.MarkingPlugin", Timed):
            for seed in range(1, markings + 1):
                marker.options = MarkingOptions(seed=seed)
                marker.mark(submission)
    finally:
        marker.close()
    return {
        check: statistics.median(times) * len(times) / markings  # of two that go together, both
        for check, times in found.items()
    }


def caught_by(seeds: list[int], jobs: int) -> dict[str, frozenset[Check]]:
    """By wrong entry and seed, the checks of its own item that fail."""
    entries = {entry.name: entry for entry in wrong()}
    tasks = [(entry, seed) for seed in seeds for entry in entries.values()]
    found = {}
    for verdict in run(tasks, jobs):
        checks = {(item, name) for item, name, _ in verdict.failed if item == entries[verdict.entry].item}
        found[f"{verdict.entry} ({verdict.seed})"] = frozenset(TOGETHER.get(check, check) for check in checks)
    return found


def curve(seconds: Mapping[Check, float], caught: Mapping[str, frozenset[Check]]) -> list[Step]:
    """Leave out one check after the other, the one that costs the fewest mistakes for its time first."""
    total, left, steps = sum(seconds.values()), set(seconds), []
    missed: frozenset[str] = frozenset(name for name, checks in caught.items() if not checks & left)
    time_left = total
    while left:
        alone: dict[Check, set[str]] = defaultdict(set)
        for name, checks in caught.items():
            if len(checks & left) == 1:
                alone[next(iter(checks & left))].add(name)
        gone = min(left, key=lambda check: (len(alone[check]) / seconds[check], -seconds[check], check))
        left.remove(gone)
        missed |= alone[gone]
        time_left -= seconds[gone]
        steps.append(Step(gone, max(0.0, time_left / total), missed))
    return steps


def main() -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of the bank")
    parser.add_argument("--markings", type=int, default=9, help="of the solutions, for the times")
    parser.add_argument("--jobs", type=int, default=2, help="processes, where verdicts are missing")
    options = parser.parse_args()
    console = Console(width=110)
    caught = caught_by(options.seeds, options.jobs)
    steps = curve(seconds_of_checks(options.markings), caught)
    table = Table("cost", "checks left", "mistakes missed", "the last check that goes")
    before = 1.0
    for index, step in enumerate(steps, start=1):
        if int(step.share * 20) < int(before * 20):  # at each 0.05
            missed = f"{len(step.missed)} of {len(caught)} ({len(step.missed) / len(caught):.1%})"
            table.add_row(f"{step.share:.2f}", str(len(steps) - index), missed, " ".join(step.left_out))
        before = step.share
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`make flakes`: the solutions over many seeds. Whoever is right must never lose a point.

Verdicts and measures are kept in build/bank as those of `make bank` are; an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import sys
import time

from rich.console import Console
from rich.progress import track

from tests.bank.entries import TRAININGS, automatic_items, solved
from tests.bank.run import run


def main() -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="runs of the checks without a training")
    parser.add_argument("--trainings", type=int, default=100, help="runs of the checks with a training")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    console = Console(width=110)
    quick = solved(frozenset(automatic_items()) - TRAININGS, "solutions without training")
    trained = solved(TRAININGS, "solutions in training")
    failures = 0
    for entry, count in ((quick, options.seeds), (trained, options.trainings)):
        started = time.monotonic()
        tasks = [(entry, seed) for seed in range(1, count + 1)]
        for verdict in track(run(tasks, options.jobs), entry.name, count, console=console):
            if not verdict.good:
                failures += 1
                console.print(f"seed {verdict.seed}: {verdict.reasons or verdict.faults}", markup=False)
        console.print(f"{count} seeds, {time.monotonic() - started:.0f} s with {options.jobs} processes")
    console.print(f"{failures} of {options.seeds + options.trainings} runs lost points")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.bank.kinds`: right networks of ten very different kinds, each with many seeds.

A right network may learn slowly, start large, or look at nothing twice; none may lose a point, whatever the
seed. Each kind is written for both parts and takes the place of the solution's networks.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import track

from tests.bank import networks
from tests.bank.entries import Entry, automatic_items
from tests.bank.run import run
from tests.suites.variants import solution

FILES = {"part1": "part1/cnn_encoder_decoder.py", "part2": "part2/models.py"}


def entries() -> list[Entry]:
    """The kinds, for either part."""
    source = Path(networks.__file__).read_text()
    chosen = 'KIND = "narrow"\n'
    assert source.count(chosen) == 1
    found = []
    for part, file in FILES.items():
        number = part.removeprefix("part")
        items = frozenset(item for item in automatic_items() if item.startswith(f"{number}."))
        for kind in networks.KINDS:
            files = solution(part)
            files[file] += b"\n\n" + source.replace(chosen, f'KIND = "{kind}"\n').encode()
            found.append(Entry(f"kind {part}: {kind}", "", (), files, items))
    return found


def main() -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", default="", help="kinds with this text in their names")
    options = parser.parse_args()
    console = Console(width=110)
    chosen = [entry for entry in entries() if options.only in entry.name]
    if not chosen:
        console.print(f"--only {options.only!r}: no kind has this in its name", markup=False)
        return 2
    started = time.monotonic()
    tasks: list[tuple[Entry | str, int]] = [
        (entry, seed) for seed in range(1, options.seeds + 1) for entry in chosen
    ]
    found = list(track(run(tasks, options.jobs), "marking", len(tasks), console=console))
    lost = [verdict for verdict in found if not verdict.good]
    for verdict in lost:
        console.print(
            f"seed {verdict.seed}: {verdict.entry}: {verdict.unfair} {verdict.faults}", markup=False
        )
        for reason in verdict.reasons:
            console.print(f"    {reason}", markup=False)
    console.print(
        f"{len(chosen)} kinds, {len(tasks)} submissions: {len(lost)} lost points; "
        f"{time.monotonic() - started:.0f} s with {options.jobs} processes"
    )
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())

"""`make prices`: what each wrong submission of the bank costs, and what a mistake of its family should cost.

Then pairs of mistakes, one of each family: two cost no more than their sum and no less than the larger,
unless one hides the other. Verdicts that `make bank` has kept are not made again.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.progress import track
from rich.table import Table

from grader.rubric import load_rubric
from tests.bank.entries import Entry, combined, mistakes, wrong
from tests.bank.run import Task, run
from tests.bank.severities import BANDS, severity
from tests.bank.verdict import Verdict
from tests.suites.variants import Variant

MOST_PAIRS = 200
ROUNDING = 0.006  # of points, which are rounded to hundredths
HIDDEN, DEARER = "one hides the other", "more than both"


@dataclass(frozen=True)
class Cost:
    """What a wrong entry costs.

    Attributes:
        entry: the submission.
        share: of its own item, 0 to 1.
        beside: points lost in other items.
        fits: its share is what its family should cost.
    """

    entry: Entry
    share: float
    beside: float
    fits: bool


def cost(entry: Entry, verdict: Verdict) -> Cost:
    """Compare what an entry lost with its severity."""
    lost = dict(verdict.lost)
    points = load_rubric()[entry.item].points
    low, high = BANDS[severity(entry)]
    share = lost.get(entry.item, 0.0)
    fits = low - ROUNDING / points <= share <= high + ROUNDING / points
    return Cost(entry, share, total(verdict, but=entry.item), fits)


def total(verdict: Verdict, but: str = "") -> float:
    """The points that a submission lost, in all items but one."""
    rubric = load_rubric()
    return sum(rubric[item].points * share for item, share in verdict.lost if item != but)


def judge_pair(first: float, second: float, both: float) -> str:
    """How the points that two mistakes cost together break the rule; empty where they do not."""
    if both > first + second + 2 * ROUNDING:
        return DEARER
    return HIDDEN if both < max(first, second) - ROUNDING else ""


def pairs(limit: int = MOST_PAIRS) -> list[tuple[Variant, Variant, Entry]]:
    """Two mistakes in one submission: the first entry of each family, and of all pairs a fixed choice."""
    of_family: dict[tuple[str, str], Variant] = {}
    for variant in mistakes():
        of_family.setdefault((variant.file.split("/")[0], variant.family), variant)
    candidates = list(itertools.combinations(of_family.values(), 2))
    random.Random(0).shuffle(candidates)
    found: list[tuple[Variant, Variant, Entry]] = []
    for first, second in candidates:
        entry = combined(first, second)
        if entry is not None:
            found.append((first, second, entry))
        if len(found) == limit:
            break
    return found


def show_families(costs: Iterable[Cost], console: Console) -> bool:
    """Print what each family costs, and each entry that costs something else; whether there is none."""
    by_family: dict[tuple[str, str], list[Cost]] = {}
    for one in costs:
        by_family.setdefault((severity(one.entry), one.entry.family), []).append(one)
    table = Table("severity", "family", "entries", "share of the item", "points beside")
    for (kind, family), ones in sorted(by_family.items()):
        shares, beside = [one.share for one in ones], max(one.beside for one in ones)
        span = f"{min(shares):.0%}" + (f" to {max(shares):.0%}" if max(shares) > min(shares) else "")
        table.add_row(kind, family, str(len(ones)), span, f"{beside:.2f}" if beside else "")
    console.print(table)
    outside = [one for ones in by_family.values() for one in ones if not one.fits]
    for one in outside:
        console.print(
            f"outside: {one.entry.name} ({one.entry.family}, {severity(one.entry)}) costs {one.share:.0%}",
            markup=False,
        )
    console.print(f"{len(by_family)} families; {len(outside)} entries outside their severity")
    return not outside


def show_entries(costs: Iterable[Cost], console: Console) -> None:
    """Print every entry of the bank with its family and what it costs."""
    table = Table("item", "entry", "family", "severity", "share", "beside")
    for one in sorted(costs, key=lambda one: one.entry.name):
        item, _, name = one.entry.name.partition(": ")
        beside = f"{one.beside:.2f}" if one.beside else ""
        table.add_row(item, name, one.entry.family, severity(one.entry), f"{one.share:.0%}", beside)
    console.print(table)


def run_all(entries: list[Entry], seed: int, jobs: int, console: Console) -> dict[str, Verdict]:
    """The verdicts by the entry's name."""
    tasks: list[Task] = [(entry, seed) for entry in entries]
    found = track(run(tasks, jobs), "marking", len(tasks), console=console)
    return {verdict.entry: verdict for verdict in found}


def main() -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the runs")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--pairs", type=int, default=MOST_PAIRS, help="how many pairs of mistakes")
    parser.add_argument("--entries", action="store_true", help="print every entry, not only the families")
    options = parser.parse_args()
    console = Console(width=120)
    entries = wrong()
    verdicts = run_all(entries, options.seed, options.jobs, console)
    costs = [cost(entry, verdicts[entry.name]) for entry in entries]
    if options.entries:
        show_entries(costs, console)
    good = show_families(costs, console)
    chosen = pairs(options.pairs)
    of_pairs = run_all([entry for *_, entry in chosen], options.seed, options.jobs, console)
    alone = {(entry.item, entry.name.partition(": ")[2]): total(verdicts[entry.name]) for entry in entries}
    dearer = hidden = 0
    for first, second, entry in chosen:
        one, other = alone[first.item, first.name], alone[second.item, second.name]
        both = total(of_pairs[entry.name])
        fault = judge_pair(one, other, both)
        dearer, hidden = dearer + (fault == DEARER), hidden + (fault == HIDDEN)
        if fault:
            console.print(f"{fault}: {one:.2f} and {other:.2f}, {both:.2f}: {entry.name}", markup=False)
    console.print(f"{len(chosen)} pairs: {dearer} cost more than both, {hidden} in which one hides the other")
    return 0 if good and not dearer else 1


if __name__ == "__main__":
    sys.exit(main())

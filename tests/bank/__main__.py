"""`make bank`: marks every wrong, right and hostile submission, and says how often the grader erred.

What is done is kept in build/bank and not done again while neither the suites nor the entry change.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.bank.attack import ATTACKS
from tests.bank.entries import Entry, of_hand_ins, right, wrong
from tests.bank.hostile import FOR_POINTS
from tests.bank.run import run
from tests.bank.verdict import Verdict

MOST_COLLATERAL = 0.03


def show(verdicts: Iterable[Verdict], wrongs: set[str], attacks: set[str], console: Console) -> bool:
    """Print the figures and every error; whether there is none."""
    verdicts = list(verdicts)
    of_wrong = [verdict for verdict in verdicts if verdict.entry in wrongs]
    of_right = [verdict for verdict in verdicts if verdict.entry not in wrongs | attacks]
    of_attacks = [verdict for verdict in verdicts if verdict.entry in attacks]
    collateral = {verdict.entry for verdict in of_wrong if verdict.collateral}
    entries = {verdict.entry for verdict in of_wrong}
    table = Table("", "submissions", "of them")
    missed = sum(verdict.missed for verdict in of_wrong)
    table.add_row("wrong", str(len(of_wrong)), f"{missed} missed, {len(of_wrong) - missed} caught")
    table.add_row(
        "", "", f"{len(collateral)} of {len(entries)} entries lose points in a second item (collateral)"
    )
    table.add_row("", "", f"{sum(bool(verdict.unfair) for verdict in of_wrong)} where it was not expected")
    table.add_row("right", str(len(of_right)), f"{sum(bool(verdict.unfair) for verdict in of_right)} unfair")
    table.add_row(
        "hostile", str(len(of_attacks)), f"{sum(bool(verdict.breached) for verdict in of_attacks)} breached"
    )
    table.add_row(
        "all", str(len(verdicts)), f"{sum(bool(verdict.faults) for verdict in verdicts)} grader faults"
    )
    console.print(table)
    for verdict in verdicts:
        if not verdict.good or verdict.entry in collateral:
            what = "missed " if verdict.missed else ""
            what += f"unfair {verdict.unfair} " if verdict.unfair else ""
            what += f"breached {verdict.breached} " if verdict.breached else ""
            what += f"faults {verdict.faults} " if verdict.faults else ""
            what += f"collateral {verdict.collateral}" if verdict.collateral else ""
            console.print(f"seed {verdict.seed}: {verdict.entry}: {what}", markup=False)
            for reason in verdict.reasons if not verdict.good else ():
                console.print(f"    {reason}", markup=False)
    enough = len(collateral) <= MOST_COLLATERAL * max(1, len(entries))
    if not enough:
        console.print(f"more than {MOST_COLLATERAL:.0%} of the wrong entries have collateral")
    return enough and all(verdict.good for verdict in verdicts)


def main() -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="one run of the bank for each")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--only", nargs="+", default=[""], help="entries with one of these texts in their names"
    )
    parser.add_argument("--hand-ins", action="store_true", help="only those in the style of real hand-ins")
    parser.add_argument("--unearned", action="store_true", help="only attempts to get points for no work")
    options = parser.parse_args()
    console = Console(width=110)

    def chosen(name: str) -> bool:
        return any(text in name for text in options.only)

    wrongs, rights = wrong(), right()
    entries: list[Entry | str] = [entry for entry in wrongs + rights if chosen(entry.name)]
    attacks = [entry.name for entry in ATTACKS if chosen(entry.name)]
    if options.hand_ins:
        names, attacks = of_hand_ins(), []
        entries = [entry for entry in entries if isinstance(entry, Entry) and entry.name in names]
    if options.unearned:
        entries = []
        attacks = [entry.name for entry in FOR_POINTS if chosen(entry.name)]
    entries += attacks
    if not entries:
        texts = " or ".join(map(repr, options.only))
        console.print(f"--only: no entry has {texts} in its name", markup=False)
        return 2
    started = time.monotonic()
    tasks = [(entry, seed) for seed in options.seeds for entry in entries]
    found = list(track(run(tasks, options.jobs), "marking", len(tasks), console=console))
    good = show(found, {entry.name for entry in wrongs}, set(attacks), console)
    console.print(
        f"{len(tasks)} submissions, {time.monotonic() - started:.0f} s with {options.jobs} processes"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

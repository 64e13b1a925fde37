"""The benchmarks, one command: `python -m tests.benchmarks`. Needs a machine on which nothing else runs.

Every contender marks the same cohort with the same checks. The figures are printed and written to
build/benchmarks/figures.json and figures.md. It takes most of an hour, so each measurement is kept, and a
command that was cut short goes on; other suites or another size begin anew.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from grader.marking.marker import suite_digest
from tests.benchmarks.against import NoSuchRevision, compare, revision, table
from tests.benchmarks.cohort import make_cohort
from tests.benchmarks.contenders import CONTENDERS
from tests.benchmarks.measure import Cost, end_with_all_on_sigterm, keep, read_kept

FOLDER = Path("build/benchmarks")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Run the benchmarks.")
    parser.add_argument("--size", type=int, default=40, help="submissions in the cohort (default: 40)")
    parser.add_argument("--jobs", type=int, nargs="+", choices=(1, 2), default=[1, 2])
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--fresh", action="store_true", help="measure again what is measured already")
    parser.add_argument("--against", metavar="REV", help="compare with a commit: see against.py")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each, with --against (default: 5)")
    options = parser.parse_args()
    end_with_all_on_sigterm()
    folder = FOLDER.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if options.against is not None:
        return compare_with(options, folder)
    about = {"size": options.size, "suite": suite_digest()}
    costs = {key: Cost(**cost) for key, cost in read_kept(folder / "figures.json", about).items()}
    shutil.rmtree(folder / "cohort", ignore_errors=True)
    cohort = make_cohort(folder / "cohort", options.size)
    for jobs in options.jobs:
        for name in options.only:
            if name == "training" and jobs > 1:
                continue  # CPU time alone, which is the same
            key = f"{name}, {jobs}"
            if options.fresh or key not in costs:
                place = folder / f"{name}-{jobs}"
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                costs[key] = CONTENDERS[name](cohort, place, jobs)
                keep(folder / "figures.json", about, {key: asdict(cost) for key, cost in costs.items()})
            print(row(name, jobs, costs[key], options.size), flush=True)
    table = [HEADER, *(row(*_split(key), cost, options.size) for key, cost in sorted(costs.items()))]
    (folder / "figures.md").write_text("\n".join(table) + "\n")
    print(f"\nwritten: {FOLDER}/figures.md, {FOLDER}/figures.json")
    return 0


def compare_with(options: argparse.Namespace, folder: Path) -> int:
    """The builds side by side; the exit status."""
    try:
        commit = revision(options.against)
        shutil.rmtree(folder / "cohort", ignore_errors=True)
        cohort = make_cohort(folder / "cohort", options.size)
        for jobs in options.jobs:
            if options.fresh:
                (folder / f"against-{commit[:10]}-{jobs}.json").unlink(missing_ok=True)
            costs = compare(commit, options.only, cohort, folder, jobs, options.rounds)
            print(f"jobs: {jobs}", *table(costs, options.size), sep="\n", flush=True)
    except NoSuchRevision as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


HEADER = "| way | jobs | submissions per minute | CPU seconds each | peak memory, GB |\n|---|---|---|---|---|"


def row(name: str, jobs: int, cost: Cost, size: int) -> str:
    """A line of the table."""
    memory = f"{cost.peak_bytes / 1e9:.2f}" if cost.peak_bytes else ""
    pace, cpu = 60 * size / cost.seconds, cost.cpu_seconds / size
    return f"| {name} | {jobs} | {pace:.1f} | {cpu:.2f} | {memory} |"


def _split(key: str) -> tuple[str, int]:
    name, jobs = key.split(", ")
    return name, int(jobs)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # whoever reads what is printed has seen enough: what was measured is kept
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)

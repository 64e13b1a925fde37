"""`python -m tests.benchmarks --against REV`: this build and another one, in turn, on one cohort.

Machines drift, so the builds take turns, pair by pair, and the figures are medians, also of the ratios of the
pairs. The other contenders are those of REV: they stay the same from build to build. Each measurement is
kept in build/benchmarks, and a command that was cut short goes on.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from grader.marking.marker import suite_digest
from tests.benchmarks.contenders import REPOSITORY
from tests.benchmarks.measure import Cost, keep, read_kept

# Runs in a checkout, so that all that is measured is that checkout's.
IN_CHECKOUT = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from tests.benchmarks.contenders import CONTENDERS
cost = CONTENDERS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
print(json.dumps(asdict(cost)))
"""


class NoSuchRevision(Exception):
    """The message names the revision, and says why there is no checkout of it."""


def revision(name: str) -> str:
    """The full id of a commit.

    Raises:
        NoSuchRevision: git does not know it.
    """
    found = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    if found.returncode != 0:
        raise NoSuchRevision(f"--against {name}: git knows no such commit; fetch it, or give another")
    return found.stdout.strip()


@contextlib.contextmanager
def checkout(commit: str, folder: Path) -> Iterator[Path]:
    """A worktree of a commit, removed at the end.

    Raises:
        NoSuchRevision: it cannot be made.
    """
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["git", "worktree", "prune"], cwd=REPOSITORY, check=True)
    made = subprocess.run(
        ["git", "worktree", "add", "--quiet", "--detach", str(folder), commit],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        raise NoSuchRevision(f"--against {commit[:10]}: no worktree can be made: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(
            ["git", "worktree", "remove", "--force", str(folder)], cwd=REPOSITORY, capture_output=True
        )


def cost_in(place: Path, name: str, cohort: Path, folder: Path, jobs: int) -> Cost:
    """What a contender costs as it is in a checkout.

    Raises:
        RuntimeError: it fails.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-W", "ignore", "-c", IN_CHECKOUT, name, str(cohort), str(folder), str(jobs)]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{name} in {place} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def compare(
    commit: str, names: list[str], cohort: Path, folder: Path, jobs: int, rounds: int
) -> dict[str, list[Cost]]:
    """Measure in turn: `here` and `there`, which are the engines, and the other contenders of that commit.

    Args:
        commit: the other build.
        names: contenders; `engine` always takes part.
        cohort: what is marked.
        folder: where measurements are kept.
        jobs: of every contender.
        rounds: how many turns.
    """
    kept = folder / f"against-{commit[:10]}-{jobs}.json"
    about = {"commit": commit, "suite": suite_digest(), "size": len(list(cohort.iterdir()))}
    costs = {key: [Cost(**cost) for cost in ones] for key, ones in read_kept(kept, about).items()}
    with checkout(commit, folder / "other") as other:
        turns = [("there", other, "engine"), ("here", REPOSITORY, "engine")]
        turns += [(name, other, name) for name in names if name != "engine"]
        for turn in range(rounds):
            # Who was first is last in the next turn: what drifts hits both.
            for key, place, name in turns if turn % 2 == 0 else turns[::-1]:
                if len(costs.setdefault(key, [])) > turn:
                    continue
                costs[key].append(cost_in(place, name, cohort, folder / f"{key}-{jobs}", jobs))
                keep(kept, about, {one: [asdict(cost) for cost in all_] for one, all_ in costs.items()})
    return costs


def table(costs: dict[str, list[Cost]], size: int) -> list[str]:
    """Medians, and the medians of the ratios of `here` to each, turn by turn."""
    lines = [
        "| | turns | CPU seconds each | submissions per minute | ratio of CPU time | ratio of pace |",
        "|---|---|---|---|---|---|",
    ]
    here = costs["here"]
    for name, ones in costs.items():
        cpu = statistics.median(one.cpu_seconds for one in ones) / size
        pace = 60 * size / statistics.median(one.seconds for one in ones)
        pairs = list(zip(here, ones, strict=False))
        of_cpu = statistics.median(mine.cpu_seconds / its.cpu_seconds for mine, its in pairs)
        of_pace = statistics.median(its.seconds / mine.seconds for mine, its in pairs)
        lines.append(f"| {name} | {len(ones)} | {cpu:.2f} | {pace:.1f} | {of_cpu:.3f} | {of_pace:.2f} |")
    return lines

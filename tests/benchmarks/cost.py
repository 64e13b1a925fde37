"""`python -m tests.benchmarks.cost OTHER`: CPU seconds of a submission here and in another checkout, in turn.

Both use this environment's Python. Timings drift with the machine, so the checkouts take turns, and what
counts is the ratio of their medians. Run nothing else beside it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
# On one CPU, as a worker marks; the first marking loads what is loaded once, and does not count.
MEASURE = """
import sys, time
from pathlib import Path
from grader.engine.cpus import idle_cpus, keep_to
from grader.marking.marker import Marker, MarkingOptions
from grader.submission import read_submission
for cpu in idle_cpus(1):
    keep_to(cpu)
submission = read_submission(Path(sys.argv[1]))
marker = Marker(MarkingOptions(seed=1))
for seed in range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[3]) + 1):
    marker.options = MarkingOptions(seed=seed)
    own, boxed = time.process_time(), marker.box().cpu_seconds
    result = marker.mark(submission)
    own, boxed = time.process_time() - own, marker.box().cpu_seconds - boxed
    assert result.points == result.max_points, result
    print(own + boxed)
marker.close()
"""


def seconds(checkout: Path, submission: Path, seed: int, count: int) -> list[float]:
    """CPU seconds of some markings by a checkout's grader, each with another seed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEASURE, str(submission), str(seed), str(count)],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(line) for line in done.stdout.split()[1:]]


def main() -> int:
    """The command line; the exit status is 1 where the ratio is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--submission", type=Path, default=HERE / "solutions", help="a right one")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each checkout")
    parser.add_argument("--count", type=int, default=4, help="markings in a turn")
    parser.add_argument("--most", type=float, default=1.1, help="the largest ratio")
    options = parser.parse_args()
    here: list[float] = []
    other: list[float] = []
    for turn in range(options.rounds):
        seed = 1 + turn * options.count
        for checkout, found in ((options.other, other), (HERE, here)):
            found += seconds(checkout, options.submission.resolve(), seed, options.count)
    ratio = statistics.median(here) / statistics.median(other)
    for name, found in (("other", other), ("here", here)):
        print(
            f"{name}: {statistics.median(found):.2f} s of CPU time "
            f"({min(found):.2f} to {max(found):.2f}, {len(found)} markings)"
        )
    print(f"ratio {ratio:.3f}, at most {options.most}")
    return 0 if ratio <= options.most else 1


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.benchmarks.cost OTHER`: CPU seconds of a submission here and in another checkout.

Both use this environment's Python, one CPU, and the same seeds. Timings drift with the machine, within
seconds by a third where it is a virtual one: so they mark in pairs, one right after the other, and what
counts is the median of the pairs' ratios. Run nothing else beside it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

from grader.engine.cpus import idle_cpus
from tests.benchmarks.elsewhere import Measured

HERE = Path(__file__).resolve().parents[2]
# On one CPU, as a worker marks; the first marking loads what is loaded once, and is not asked for.
MEASURE = """
import sys, time
from pathlib import Path
from grader.engine.cpus import keep_to
from grader.marking.marker import Marker, MarkingOptions
from grader.submission import read_submission
keep_to(int(sys.argv[2]))
submission = read_submission(Path(sys.argv[1]))
marker = Marker(MarkingOptions(seed=0))
marker.mark(submission)
for line in sys.stdin:
    marker.options = MarkingOptions(seed=int(line))
    own, boxed = time.process_time(), marker.box().cpu_seconds
    result = marker.mark(submission)
    own, boxed = time.process_time() - own, marker.box().cpu_seconds - boxed
    assert result.points == result.max_points, result
    print(own + boxed, flush=True)
marker.close()
"""


def main() -> int:
    """The command line; the exit status is 1 where the ratio is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--submission", type=Path, default=HERE / "solutions", help="a right one")
    parser.add_argument("--pairs", type=int, default=20, help="markings by each")
    parser.add_argument("--most", type=float, default=1.1, help="the largest ratio")
    options = parser.parse_args()
    idle = idle_cpus(1)
    if not idle:
        print("no CPU is idle: the ratio is only a hint", file=sys.stderr)
    cpu = (idle or sorted(os.sched_getaffinity(0)))[0]
    graders = [
        Measured(checkout, MEASURE, options.submission.resolve(), cpu) for checkout in (options.other, HERE)
    ]
    try:
        pairs = [[grader.seconds(seed) for grader in graders] for seed in range(1, options.pairs + 1)]
    finally:
        for grader in graders:
            grader.close()
    for name, found in zip(("other", "here"), zip(*pairs, strict=True), strict=True):
        print(f"{name}: {statistics.median(found):.2f} s of CPU time ({min(found):.2f} to {max(found):.2f})")
    ratios = sorted(here / other for other, here in pairs)
    ratio = statistics.median(ratios)
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    print(f"ratio {ratio:.3f}, at most {options.most}; half of the pairs: {low:.3f} to {high:.3f}")
    return 0 if ratio <= options.most else 1


if __name__ == "__main__":
    sys.exit(main())

"""Mark one submission in this process, and end: `python -m tests.benchmarks.single PATH SEED`."""

from __future__ import annotations

import sys
from pathlib import Path

from grader.marking.marker import Marker, MarkingOptions
from grader.submission import read_submission


def main(path: str, seed: str) -> None:
    """Print the points."""
    marker = Marker(MarkingOptions(seed=int(seed)))
    try:
        print(marker.mark(read_submission(Path(path))).points)
    finally:
        marker.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

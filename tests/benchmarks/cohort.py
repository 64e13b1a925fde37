"""The cohort of the benchmarks: half complete, half on the way there, no two alike."""

from __future__ import annotations

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = ("part1", "part2")


def make_cohort(folder: Path, size: int) -> Path:
    """Write a cohort into a new folder.

    Args:
        folder: where to.
        size: how many submissions; every other one is complete, of the rest a third each has part 1 done,
            has the helpers of part 1 done, or is untouched.
    """
    for number in range(size):
        submission = folder / f"s{number:03}"
        if number % 2 == 0:
            done = [f"{part}/{file.name}" for part in PARTS for file in _files(part)]
        else:
            part1 = [f"part1/{file.name}" for file in _files("part1")]
            done = [part1, ["part1/utils.py"], []][number // 2 % 3]
        for part in PARTS:
            for file in _files(part):
                name = f"{part}/{file.name}"
                source = REPOSITORY / ("solutions" if name in done else "student") / name
                (submission / part).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, submission / name)
                with (submission / name).open("a") as target:
                    target.write(f"\n# submission {number}\n")
    return folder


def _files(part: str) -> list[Path]:
    return sorted((REPOSITORY / "student" / part).glob("*.py"))

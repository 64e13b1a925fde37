"""`python -m tests.benchmarks.kit OTHER`: how soon a student has the answer, here and in another checkout.

Each checkout's release is unpacked with its solutions in it. In pairs, one right after the other, it measures

- cold: `check.py 1.7.kld`, in CPU seconds, which a busy machine changes least, and on the clock;
- watch: from a save of utils.py to the verdict's line on a terminal, for 1.7.kld and for all items.

What counts is the median of the pairs' ratios. Run nothing else beside it. `--saves 500` does something else:
so many saves in a row by this checkout alone, right and wrong, with crashes and endless loops among them; a
wrong verdict, growth of the process that watches, or a process that is left over ends it with status 1.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import random
import re
import resource
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parents[2]
ITEM = "1.7.kld"
RIGHT = "return 0.5 * (torch.exp(2 * log_std) + mean**2 - 1 - 2 * log_std).sum(dim=-1)"
WRONG = "return 0.5 * (torch.exp(2 * log_std) + mean**2 - 1 - 2 * log_std).mean(dim=-1)"
# What a save may bring, and whether the item is right then; None where the run never comes to a verdict.
SAVES = {
    RIGHT: True,
    WRONG: False,
    "import os; os._exit(3)": None,
    "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)": None,
    "while True: pass": None,
    "raise SystemExit(0)": False,
    "return undefined": False,
}
ENVIRONMENT = {**os.environ, "COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1", "TERM": "xterm"}
VERDICT = re.compile(r"In reach: ([\d.]+) of ([\d.]+) points")
PATIENCE = 600  # seconds for a verdict
HANGS = 2.0  # seconds that an endless loop is given before the next save
GROWTH = 1.2  # of the memory of the process that watches


def unpack(checkout: Path, into: Path) -> Path:
    """A checkout's release with its solutions in it."""
    command = [sys.executable, "-m", "grader.release.bundle", "--output", str(into)]
    subprocess.run(command, cwd=checkout, check=True, stdout=subprocess.DEVNULL)
    (archive,) = into.glob("*.zip")
    zipfile.ZipFile(archive).extractall(into)
    folder = into / archive.stem
    for part in ("part1", "part2"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(checkout / "solutions" / part, folder / part, ignore=ignored, dirs_exist_ok=True)
    return folder


def cold(kit: Path) -> tuple[float, float]:
    """CPU seconds and seconds of a check of one item that nothing has prepared."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([sys.executable, "check.py", ITEM], cwd=kit, env=ENVIRONMENT, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.monotonic() - began


class Watch:
    """`check.py --watch` on a terminal."""

    def __init__(self, kit: Path, *question: str) -> None:
        self._utils = kit / "part1" / "utils.py"
        self.text = self._utils.read_text()
        assert self.text.count(RIGHT) == 1
        self._terminal, other = pty.openpty()
        command = [sys.executable, "check.py", *question, "--watch"]
        self.process = subprocess.Popen(
            command, cwd=kit, env=ENVIRONMENT, stdin=other, stdout=other, stderr=other
        )
        os.close(other)
        self._seen = ""

    def verdict(self, patience: float = PATIENCE) -> bool | None:
        """Whether the next run that comes to its end finds everything right; None if none does in time."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if found := VERDICT.search(self._seen):
                self._seen = self._seen[found.end() :]
                return found[1] == found[2]
            if select.select([self._terminal], [], [], 0.05)[0]:
                self._seen += os.read(self._terminal, 65_536).decode(errors="replace")
        return None

    def save(self, line: str = RIGHT) -> None:
        """Write utils.py with another line in the place of the right one, all at once as editors do."""
        self._seen = ""
        beside = self._utils.with_name(".utils.py.new")
        beside.write_text(self.text.replace(RIGHT, line))
        beside.replace(self._utils)

    def forget(self) -> None:
        """Pass over what has been printed."""
        while select.select([self._terminal], [], [], 0.0)[0]:
            os.read(self._terminal, 65_536)
        self._seen = ""

    def rest(self, seconds: float) -> None:
        """As long as it takes to think: no process of it is busy after that."""
        while True:
            busy = sum(cpu_seconds(one) for one in self.family())
            time.sleep(seconds)
            if sum(cpu_seconds(one) for one in self.family()) - busy < 0.2 * seconds:
                return

    def family(self) -> list[psutil.Process]:
        """The process that watches, and all that it has started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            watching = psutil.Process(self.process.pid)
            return [watching, *watching.children(recursive=True)]
        return []

    def end(self) -> list[psutil.Process]:
        """End it as Ctrl+C does; what is left of it after that."""
        family = self.family()
        self.process.send_signal(2)
        self.process.wait(60)
        self._utils.write_text(self.text)
        os.close(self._terminal)
        return psutil.wait_procs(family, timeout=20)[1]


def cpu_seconds(process: psutil.Process) -> float:
    """What a process has used; 0 where it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


def saves_in_pairs(kits: list[Path], pairs: int, *question: str) -> Iterator[list[float]]:
    """Seconds from a save to its verdict's line, by each kit."""
    watches = [Watch(kit, *question) for kit in kits]
    try:
        for watch in watches:
            assert watch.verdict(), "the solutions are not right"
        for number in range(pairs):
            line, right = ((WRONG, False), (RIGHT, True))[number % 2]
            row = []
            for watch in watches:
                watch.rest(1.0)
                began = time.monotonic()
                watch.save(line)
                assert watch.verdict() == right
                row.append(time.monotonic() - began)
            yield row
    finally:
        for watch in watches:
            watch.end()


def told(name: str, rows: list[list[float]], unit: str, most: float) -> bool:
    """Print medians and ratio; whether the ratio is small enough."""
    before, now = (statistics.median(row[side] for row in rows) for side in (0, 1))
    ratio = statistics.median(row[1] / row[0] for row in rows)
    print(
        f"{name:34} {before:6.2f} -> {now:6.2f} {unit}, median ratio {ratio:.3f} of {len(rows)} pairs, "
        f"at most {most:g}",
        flush=True,
    )
    return ratio <= most


def many_saves(kit: Path, count: int, seed: int) -> int:
    """So many saves in a row; the exit status."""
    draw = random.Random(seed)
    watch = Watch(kit, ITEM)
    assert watch.verdict(), "the solutions are not right"
    watching = psutil.Process(watch.process.pid)
    at_first = watching.memory_info().rss
    wrong, most, processes = [], 0, 0
    try:
        for number in range(count):
            line = draw.choice(list(SAVES))
            watch.forget()
            watch.save(line)
            seen = watch.verdict(HANGS if SAVES[line] is None else PATIENCE)
            if seen != SAVES[line]:
                wrong.append(f"{line}: {seen} instead of {SAVES[line]}")
            most = max(most, watching.memory_info().rss)
            processes = max(processes, len(watch.family()))
            if (number + 1) % 25 == 0:
                print(f"{number + 1} saves, {len(wrong)} wrong verdicts, {most / at_first:.2f} of the memory")
    finally:
        left = watch.end()
    print(f"{count} saves: {len(wrong)} wrong verdicts, at most {processes} processes, {len(left)} left")
    print(f"the process that watches: {at_first / 1e6:.0f} MB at first, {most / 1e6:.0f} MB at most")
    for one in wrong:
        print(f"  {one}")
    return int(bool(wrong or left or most > GROWTH * at_first))


def main() -> int:
    """The command line; the exit status is 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("other", type=Path, nargs="?", help="the other checkout")
    parser.add_argument("--pairs", type=int, default=20, help="saves of one item, and cold checks")
    parser.add_argument("--all-pairs", type=int, default=5, help="saves with all items")
    parser.add_argument("--saves", type=int, help="so many saves in a row instead")
    parser.add_argument("--seed", type=int, default=0, help="of what they bring")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        here = unpack(HERE, Path(folder, "here"))
        if options.saves:
            return many_saves(here, options.saves, options.seed)
        if options.other is None:
            parser.error("name the other checkout, or use --saves")
        kits = [unpack(options.other.resolve(), Path(folder, "other")), here]
        for kit in kits:
            cold(kit)  # compiles what will be measured
        checks = [[cold(kit) for kit in kits] for _ in range(options.pairs)]
        well = [
            told("cold check of one item", [[one[0] for one in row] for row in checks], "s of CPU", 0.85),
            told("cold check of one item", [[one[1] for one in row] for row in checks], "s", 0.85),
            told("watch, one item", list(saves_in_pairs(kits, options.pairs, ITEM)), "s", 0.1),
            told("watch, all items", list(saves_in_pairs(kits, options.all_pairs)), "s", 0.6),
        ]
    return int(not all(well))


if __name__ == "__main__":
    sys.exit(main())

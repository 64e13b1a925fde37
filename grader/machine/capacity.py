"""How many submissions this machine can mark at once: by its processors, and by the memory it may use.

A control group, as of a container, a service or a Slurm job, often allows less than the machine has.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

JOB_BYTES = 13 * 10**8  # a worker process and its box, with torch loaded in both
_ROOT = Path("/")


@dataclass(frozen=True)
class Capacity:
    """What this process may use.

    Attributes:
        processors: at least 1.
        memory: bytes that are free for it.
        grouped: whether a control group sets the memory, and not the machine.
    """

    processors: int
    memory: int
    grouped: bool = False

    @property
    def jobs(self) -> int:
        """How many submissions can be marked at once; at least 1."""
        return max(1, min(self.processors, self.memory // JOB_BYTES))


def capacity(root: Path = _ROOT) -> Capacity:
    """What this process may use.

    Args:
        root: the folder with proc/ and sys/ in it.
    """
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processors = min([here, *(math.ceil(share) for share in _shares(root))])
    free = psutil.virtual_memory().available
    left = min(_left(root), default=None)
    grouped = left is not None and left < free
    return Capacity(max(1, processors), left if grouped and left is not None else free, grouped)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the control groups that this process is in, from its own up to the outermost.

    In version 2 all controllers share one tree; in version 1 each has its own.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    mount = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top = mount
        elif controller in controllers.split(","):
            top = mount / controller
        else:
            continue
        # In a container the path may be the host's, of which only the end is mounted: then the top holds it.
        inner = [part for part in path.split("/") if part not in ("", "..")]
        for length in range(len(inner), -1, -1):
            folder = top.joinpath(*inner[:length])
            if folder.is_dir():
                yield folder


def _number(path: Path) -> int | None:
    """The number in a file; None where there is none, or no limit."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _left(root: Path) -> Iterator[int]:
    """The bytes that each control group leaves: its limit less what it holds and cannot give back."""
    for group in _groups(root, "memory"):
        for limit_file, used_file, statistic in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit = _number(group / limit_file)
            if limit is not None:
                used = (_number(group / used_file) or 0) - _statistic(group / "memory.stat", statistic)
                yield max(0, limit - max(0, used))


def _statistic(path: Path, name: str) -> int:
    try:
        pairs = (line.split() for line in path.read_text().splitlines())
        return next((int(pair[1]) for pair in pairs if pair[0] == name), 0)
    except (OSError, ValueError, IndexError):
        return 0


def _shares(root: Path) -> Iterator[float]:
    """How many processors each control group gives."""
    for group in _groups(root, "cpu"):
        try:
            quota, period = (group / "cpu.max").read_text().split()
            yield int(quota) / int(period)
        except (OSError, ValueError):
            quota_us, period_us = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
            if quota_us is not None and quota_us > 0 and period_us:
                yield quota_us / period_us

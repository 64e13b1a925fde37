"""Which CPU a worker process keeps to.

A worker and its box take turns: one waits while the other works. Left alone, the kernel wakes each of them
on another CPU than the one that woke it. On one CPU the same submission was measured to cost a fifth less
time, since every request finds its caches warm, and the other CPUs are free for the other workers.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import psutil

LOOK_SECONDS = 0.2
# Of a CPU that is busier than this, the rest of the machine already has a use: the kernel then knows better.
MOST_BUSY = 50.0


def idle_cpus(count: int) -> list[int]:
    """The `count` most idle CPUs that this process may use; none where so many are not idle."""
    idle = _idle()
    return idle[:count] if len(idle) >= count else []


def _idle() -> list[int]:
    """The CPUs that this process may use and that have little to do, the most idle first."""
    if not hasattr(os, "sched_setaffinity"):  # macOS
        return []
    busy = psutil.cpu_percent(interval=LOOK_SECONDS, percpu=True)
    allowed = [cpu for cpu in os.sched_getaffinity(0) if cpu < len(busy) and busy[cpu] <= MOST_BUSY]
    return sorted(allowed, key=lambda cpu: busy[cpu])


class ClaimedCpu:
    """An idle CPU that no other process of this machine's has claimed, until `release` or this process's end.

    For workers that know nothing of each other, as those of a cluster do: a lock on a file tells them.

    Attributes:
        number: of the CPU, or None where every idle one is taken.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._lock: int | None = None
        for cpu in _idle():
            path = Path(tempfile.gettempdir(), f"grader-{os.getuid()}-cpu-{cpu}.lock")
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            except OSError:  # another's file, or no disk: it is about speed only
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                continue
            self.number, self._lock = cpu, descriptor
            return

    def release(self) -> None:
        """Leave the CPU to others."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = self.number = None


_BEFORE: set[int] = set()


def keep_to(cpu: int) -> None:
    """Let this process, and all that it starts from now on, run on this CPU alone."""
    _BEFORE.update(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})


def cpus_before() -> frozenset[int]:
    """The CPUs that this process had before it was told to keep to one; none where it was not."""
    return frozenset(_BEFORE)

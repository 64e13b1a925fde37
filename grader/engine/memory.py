"""How much memory a submission's code takes, as the kernel counts it.

Everything that runs for a submission descends from the worker process that marks it. While it is in work,
a thread looks at these processes ten times a second and keeps the highest `VmHWM`: the most that one process
has had in memory at any time, as `/usr/bin/time` reports it. The kernel keeps that peak itself, so nothing
between two looks is missed but the last moments of a process that ends. What the libraries take, about
half a gigabyte, is part of it. Several processes at once are not added up: most of their memory is shared.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

LOOK_SECONDS = 0.1
_PEAK = "VmHWM:"


class PeakMemory:
    """Watches the processes below this one while the block runs.

    Attributes:
        megabytes: the most that one of them had in memory (10**6 bytes); None where the system does not tell.
    """

    def __init__(self) -> None:
        self.megabytes: float | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        own = os.getpid()
        while not self._end.wait(LOOK_SECONDS):
            peaks = [peak for pid in descendants(own) if (peak := peak_of(pid)) is not None]
            if peaks:
                self.megabytes = max(max(peaks), self.megabytes or 0.0)


def descendants(pid: int) -> Iterator[int]:
    """The processes that a process has started, those that they have started, and so on."""
    pending = [pid]
    while pending:
        try:
            tasks = list(Path(f"/proc/{pending.pop()}/task").iterdir())
        except OSError:  # it has ended
            continue
        for task in tasks:
            try:
                children = [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
            yield from children
            pending += children


def peak_of(pid: int) -> float | None:
    """The most memory that a process has had, in megabytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(_PEAK):
            return int(line.removeprefix(_PEAK).split()[0]) * 1024 / 10**6
    return None

"""How much memory a submission's code takes, as the kernel counts it.

Everything that runs for a submission descends from the worker process that marks it, and begins while it is
marked: sessions are forks of a template that has imported torch. A thread looks at these processes ten times
a second and keeps the highest `VmHWM`: the most that one of them has had in memory at any time, as
`/usr/bin/time` reports it. The kernel keeps that peak itself, so nothing between two looks is missed but the
last moments of a process that ends. What the libraries take, about half a gigabyte, is part of it. Several
processes at once are not added up: most of their memory is shared.

The template takes more while it imports than most sessions do. Where it begins anew while a submission is
marked, because that broke the box, it is told by its process namespace: it is one level below the worker's,
sessions are two. Without the sandbox there are no namespaces, and such a template is counted.
"""

from __future__ import annotations

import os
import threading

from grader.box.processes import descendants, status

LOOK_SECONDS = 0.1
_PEAK, _NUMBERS = "VmHWM", "NSpid"


class PeakMemory:
    """Watches the processes that begin below this one while the block runs.

    Attributes:
        megabytes: the most that one of them had in memory (10**6 bytes); None where the system does not tell.
    """

    def __init__(self) -> None:
        self.megabytes: float | None = None
        self._earlier: frozenset[int] = frozenset()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._earlier = frozenset(descendants(os.getpid()))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        own = os.getpid()
        level = _level(status(own))
        while not self._end.wait(LOOK_SECONDS):
            for pid in descendants(own):
                if pid in self._earlier:
                    continue
                said = status(pid)
                if _PEAK in said and _level(said) != level + 1:
                    peak = int(said[_PEAK].split()[0]) * 1024 / 10**6
                    self.megabytes = max(peak, self.megabytes or 0.0)


def _level(said: dict[str, str]) -> int:
    """How many process namespaces a process has a number in."""
    return len(said.get(_NUMBERS, "").split())

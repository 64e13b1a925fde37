"""A worker process of the bank: one warm marker, one entry after the other."""

from __future__ import annotations

import os
import signal
import tempfile
from multiprocessing import util
from pathlib import Path
from types import FrameType

from grader.engine.cpus import ClaimedCpu, keep_to
from grader.engine.worker import end_with_parent
from grader.marking.marker import Marker, MarkingOptions
from grader.submission import Submission
from grader.suites.measures import drain
from tests.bank.attack import ATTACKS, attempt, warm
from tests.bank.entries import Entry
from tests.bank.verdict import Verdict, judge

_MARKERS: dict[str, Marker] = {}
_WARM: list[bool] = []


def start() -> None:
    """Prepare a worker process."""
    cpu = ClaimedCpu().number  # until this process ends
    if cpu is not None:
        keep_to(cpu)
    util.Finalize(None, stop, exitpriority=10)
    signal.signal(signal.SIGTERM, _end)
    end_with_parent()
    _MARKERS["marker"] = Marker(MarkingOptions(seed=0))


def stop() -> None:
    """Close the worker's box."""
    for marker in _MARKERS.values():
        marker.close()


def _end(number: int, frame: FrameType | None) -> None:
    # A box that is closed in the middle of something may complain, and the task that was interrupted would
    # take that for one of its own errors and go on, without a parent.
    try:
        stop()
    finally:
        os._exit(128 + number)


def attack(name: str, seed: int) -> Verdict:
    """Try one attack in a worker process."""
    marker = _MARKERS["marker"]
    marker.options = MarkingOptions(seed=seed)
    if not _WARM:
        warm(marker)
        _WARM.append(True)
    (entry,) = (entry for entry in ATTACKS if entry.name == name)
    with tempfile.TemporaryDirectory() as folder:
        breached, result = attempt(marker, entry, Path(folder))
    return Verdict(name, seed, False, (), (), (), (), result.seconds, breached=tuple(breached))


def mark(entry: Entry, seed: int) -> Verdict:
    """Mark one entry in a worker process."""
    marker = _MARKERS["marker"]
    marker.options = MarkingOptions(seed=seed)
    drain()
    result = marker.mark(Submission(entry.name, entry.files), entry.items)
    return judge(entry, result, drain())

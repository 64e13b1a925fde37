"""A worker process of the bank: one warm marker, one entry after the other."""

from __future__ import annotations

from multiprocessing import util
from multiprocessing.queues import SimpleQueue

from grader.engine.cpus import take_place
from grader.marking.marker import Marker, MarkingOptions
from grader.submission import Submission
from grader.suites.measures import drain
from tests.bank.entries import Entry
from tests.bank.verdict import Verdict, judge

_MARKERS: dict[str, Marker] = {}


def start(places: SimpleQueue[int | None]) -> None:
    """Prepare a worker process."""
    take_place(places)
    util.Finalize(None, stop, exitpriority=10)
    _MARKERS["marker"] = Marker(MarkingOptions(seed=0))


def stop() -> None:
    """Close the worker's box."""
    for marker in _MARKERS.values():
        marker.close()


def mark(entry: Entry, seed: int) -> Verdict:
    """Mark one entry in a worker process."""
    marker = _MARKERS["marker"]
    marker.options = MarkingOptions(seed=seed)
    drain()
    result = marker.mark(Submission(entry.name, entry.files), entry.items)
    return judge(entry, result, drain())

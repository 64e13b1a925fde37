"""How far a run is: counts, the pace, and when it will be done."""

from __future__ import annotations

import time
from collections.abc import Callable

from grader.engine.pool import Event, Finished, Started
from grader.marking.result import PASSED

SURE_AFTER = 3  # finished submissions before the pace is told: the first ones include starting the boxes


class Tally:
    """Follows a run's events.

    Args:
        total: how many submissions there are.
        clock: seconds, never set back.

    Attributes:
        done: how many have a result.
        reused: how many of these results are an earlier run's.
        not_marked: how many could not be marked, through the grader's own fault.
        with_failures: how many were marked and have an item that is not passed.
        running: the names of those in work, from the longest in work on.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self.done = self.reused = self.not_marked = self.with_failures = 0
        self.running: dict[str, None] = {}
        self._clock = clock
        self._began: float | None = None
        self._marked: list[float] = []  # when each submission of this run was done

    def on_event(self, event: Event) -> None:
        """Take note of what the engine tells."""
        if isinstance(event, Started):
            self.running[event.name] = None
            if self._began is None:
                self._began = self._clock()
        elif isinstance(event, Finished):
            self.running.pop(event.result.submission, None)
            self.done += 1
            if event.reused:
                self.reused += 1
            else:
                self._marked.append(self._clock())
            if not event.result.marked:
                self.not_marked += 1
            elif any(item.status != PASSED for item in event.result.items):
                self.with_failures += 1

    @property
    def per_minute(self) -> float | None:
        """Submissions per minute, without reused results; None as long as too few are done to tell."""
        if self._began is None or len(self._marked) < SURE_AFTER:
            return None
        return 60 * len(self._marked) / max(1e-3, self._marked[-1] - self._began)

    @property
    def seconds_left(self) -> float | None:
        """When the run will be done at this pace; None as long as it is unknown."""
        pace = self.per_minute
        if pace is None:
            return None
        since = self._clock() - self._marked[-1]
        return max(0.0, 60 * (self.total - self.done) / pace - since)

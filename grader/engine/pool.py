"""Mark a cohort in several places at once, each submission once, whatever happens to a place.

A worker may die: killed for want of memory, or by a fault in a library. What was in work there is tried once
more, at the end and alone. One that fails alone too is recorded as the grader's fault; the others go on.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from grader.engine.slots import LocalWorkers, Slot, Workers
from grader.engine.unmarked import Provenance, grader_fault
from grader.engine.worker import Marked, MarkerCannotStart, MarkerFactory
from grader.limits import WORKER_SECONDS
from grader.marking.result import SubmissionResult
from grader.submission import Found

# All calls into the box together have 10 minutes, and a single check 15. Twice that, and the worker hangs.
LOOK_SECONDS = 1.0  # how often to look for lost and for hanging workers, and for new ones
ATTEMPTS = 2  # for a submission whose worker died or failed
PLACES = 4  # for a submission whose machine was lost: that happens to machines on clusters


@dataclass(frozen=True)
class Started:
    """A submission is being marked."""

    name: str


@dataclass(frozen=True)
class Finished:
    """A submission has its result.

    Attributes:
        result: the marks.
        reused: whether it is an earlier run's.
    """

    result: SubmissionResult
    reused: bool = False


Event = Started | Finished
Finish = Callable[[Marked], None]


def grade_cohort(
    submissions: Sequence[Found],
    marker_factory: MarkerFactory,
    provenance: Provenance,
    jobs: int = 1,
    on_event: Callable[[Event], None] = lambda event: None,
    workers: Workers | None = None,
    on_marked: Finish = lambda marked: None,
) -> list[SubmissionResult]:
    """Mark submissions.

    Args:
        submissions: what to mark, in this order; names are distinct.
        marker_factory: makes a worker process's marker; has to be picklable.
        provenance: what the results of unmarked submissions say about the run.
        jobs: how many processes, capped at the number of submissions.
        on_event: told in this process of every submission that starts and of every result, as they come.
        workers: where to mark, instead of in processes here.
        on_marked: given, before the event, all that came back with a result.

    Returns:
        The results, in the order of the submissions.

    Raises:
        KeyboardInterrupt: by the user; all processes have ended then.
        GraderFault: a cluster is lost.
    """
    results: dict[str, SubmissionResult] = {}

    def finish(marked: Marked) -> None:
        on_marked(marked)
        results[marked.result.submission] = marked.result
        on_event(Finished(marked.result))

    if submissions:
        if workers is None:
            workers = LocalWorkers(marker_factory, max(1, min(jobs, len(submissions))))
        with workers:
            _Run(submissions, workers, provenance, on_event, finish).go()
    return [results[found.name] for found in submissions]


@dataclass
class _Work:
    found: Found
    slot: Slot
    started: float  # by the clock that never jumps
    hung: bool = False


class _Run:
    """Hands submissions to slots until each has a result."""

    def __init__(
        self,
        submissions: Sequence[Found],
        workers: Workers,
        provenance: Provenance,
        on_event: Callable[[Event], None],
        finish: Finish,
    ) -> None:
        self.pending = deque(submissions)
        self.suspects: deque[Found] = deque()
        self.running: dict[Future[Marked], _Work] = {}
        self.failures: Counter[str] = Counter()
        self.losses: Counter[str] = Counter()
        self.no_start: BaseException | None = None
        self.workers = workers
        self.provenance = provenance
        self.on_event = on_event
        self.finish = finish

    def go(self) -> None:
        """Until nothing is left to do."""
        while self.pending or self.suspects or self.running:
            slots = self.workers.slots()
            self._give_up_lost(slots)
            if not self.running and self.workers.hopeless:
                self._give_up_all()
                return
            self._hand_out(slots)
            if not self.running:
                time.sleep(LOOK_SECONDS)  # for a worker of the cluster to come
                continue
            for future in wait(self.running, LOOK_SECONDS, FIRST_COMPLETED).done:
                self._take(self.running.pop(future), future)
            self._end_hanging()

    def _hand_out(self, slots: Sequence[Slot]) -> None:
        # No more are handed over than there are slots: few are suspects when a process dies.
        busy = {id(work.slot) for work in self.running.values()}
        for slot in slots:
            if self.pending and id(slot) not in busy:
                self._start(self.pending.popleft(), slot)
        if self.suspects and slots and not self.pending and not self.running:
            self.workers.alone()
            self._start(self.suspects.popleft(), slots[0])

    def _start(self, found: Found, slot: Slot) -> None:
        self.on_event(Started(found.name))
        self.running[slot.submit(found, self.provenance)] = _Work(found, slot, time.monotonic())

    def _take(self, work: _Work, future: Future[Marked]) -> None:
        """See what has come of a submission."""
        if future.cancelled():
            self._lost(work)
            return
        error = future.exception()
        if error is None:
            self.workers.begun(work.slot)
            self.finish(future.result())
        elif isinstance(error, MarkerCannotStart):
            self.no_start = error
            self.workers.refused(work.slot, error)
            self.pending.appendleft(work.found)
        elif isinstance(error, CancelledError) or type(error).__name__ == "KilledWorker":
            self._lost(work)
        else:
            if isinstance(error, BrokenProcessPool):
                self.workers.renew(work.slot)
            self.failures[work.found.name] += 1
            if self.failures[work.found.name] < ATTEMPTS:
                self.suspects.append(work.found)
            else:
                self._fault(work.found, _explained(error, work.hung))

    def _lost(self, work: _Work) -> None:
        self.losses[work.found.name] += 1
        if self.losses[work.found.name] < PLACES:
            self.pending.appendleft(work.found)
        else:
            self._fault(work.found, f"the machine that marked it was lost, {PLACES} times")

    def _give_up_lost(self, slots: Sequence[Slot]) -> None:
        """Take back what was in work in slots that are no longer there."""
        present = {id(slot) for slot in slots}
        for future, work in list(self.running.items()):
            if id(work.slot) not in present and not future.done():
                del self.running[future]
                future.cancel()
                self._lost(work)

    def _end_hanging(self) -> None:
        for work in self.running.values():
            if not work.hung and time.monotonic() - work.started > WORKER_SECONDS:
                work.hung = True
                work.slot.kill()

    def _give_up_all(self) -> None:
        """No marker starts anywhere: that is not the submissions' doing."""
        for found in (*self.pending, *self.suspects):
            self._fault(found, f"the marker does not start: {self.no_start}")
        self.pending.clear()
        self.suspects.clear()

    def _fault(self, found: Found, message: str) -> None:
        self.finish(Marked(grader_fault(found.name, message, self.provenance), fingerprint=""))


def _explained(error: BaseException, hung: bool) -> str:
    if hung:
        return f"it was not marked within {WORKER_SECONDS / 60:.0f} minutes, twice"
    if isinstance(error, BrokenProcessPool):
        return "the process that marked it died, twice; is there enough memory for this many --jobs?"
    return f"the grader failed, twice: {error}"

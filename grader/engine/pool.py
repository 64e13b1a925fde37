"""Mark a cohort in several processes, each submission once, whatever happens to a process.

A worker may die: killed for want of memory, or by a fault in a library. A pool that loses one is lost
altogether and does not say who was to blame, so every submission that was in work then is tried again, once
and alone. One that fails alone too is recorded as the grader's fault; the others go on.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

from grader.engine.cpus import places
from grader.engine.unmarked import Provenance, grader_fault
from grader.engine.worker import MarkerCannotStart, MarkerFactory, mark_one, start_worker
from grader.marking.result import SubmissionResult
from grader.submission import Found

GRACE_SECONDS = 5.0  # for a worker to close its box when it is told to stop, before it is killed


@dataclass(frozen=True)
class Started:
    """A worker process has been given a submission."""

    name: str


@dataclass(frozen=True)
class Finished:
    """A submission has its result."""

    result: SubmissionResult


Event = Started | Finished


def grade_cohort(
    submissions: Sequence[Found],
    marker_factory: MarkerFactory,
    provenance: Provenance,
    jobs: int = 1,
    on_event: Callable[[Event], None] = lambda event: None,
) -> list[SubmissionResult]:
    """Mark submissions.

    Args:
        submissions: what to mark; names are distinct.
        marker_factory: makes a worker process's marker; has to be picklable.
        provenance: what the results of unmarked submissions say about the run.
        jobs: how many processes, capped at the number of submissions.
        on_event: told in this process of every submission that starts and of every result, as they come.

    Returns:
        The results, in the order of the submissions.

    Raises:
        KeyboardInterrupt: by the user; all processes have ended then.
    """
    results: dict[str, SubmissionResult] = {}

    def finish(result: SubmissionResult) -> None:
        results[result.submission] = result
        on_event(Finished(result))

    pending = deque(submissions)
    while pending:
        failed = deque(_in_parallel(pending, marker_factory, provenance, jobs, on_event, finish))
        while failed:
            found = failed.popleft()
            on_event(Started(found.name))
            outcome = _alone(found, marker_factory, provenance)
            if isinstance(outcome, SubmissionResult):
                finish(outcome)
                continue
            finish(grader_fault(found.name, _explained(outcome), provenance))
            if isinstance(outcome, MarkerCannotStart):
                # Twice in a row, in fresh processes: that is not this submission's doing.
                for other in (*failed, *pending):
                    finish(grader_fault(other.name, _explained(outcome), provenance))
                failed.clear()
                pending.clear()
    return [results[found.name] for found in submissions]


Outcome = SubmissionResult | BaseException


def _in_parallel(
    pending: deque[Found],
    factory: MarkerFactory,
    provenance: Provenance,
    jobs: int,
    on_event: Callable[[Event], None],
    finish: Callable[[SubmissionResult], None],
) -> list[Found]:
    """Mark what is pending until all is done, a process dies, or a marker does not start.

    Returns:
        The submissions to try again. What was never begun stays in `pending`.
    """
    failed: list[Found] = []
    running: dict[Future[SubmissionResult], Found] = {}
    jobs = max(1, min(jobs, len(pending)))
    going = True
    with _workers(factory, jobs) as pool:
        while running or (pending and going):
            # No more are handed over than there are workers: few are suspects when a process dies.
            while pending and going and len(running) < jobs:
                try:
                    with _interrupt_later():
                        future = pool.submit(mark_one, pending[0], provenance)
                except BrokenProcessPool:
                    going = False
                    break
                running[future] = pending.popleft()
                on_event(Started(running[future].name))
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                found = running.pop(future)
                error = future.exception()
                if error is None:
                    finish(future.result())
                    continue
                failed.append(found)
                if isinstance(error, (BrokenProcessPool, MarkerCannotStart)):
                    going = False
    return failed


def _alone(found: Found, factory: MarkerFactory, provenance: Provenance) -> Outcome:
    """Mark one submission in a process of its own."""
    with _workers(factory, 1) as pool:
        with _interrupt_later():
            future = pool.submit(mark_one, found, provenance)
        wait([future])  # interruptible, and no exception of the task can be taken for one of ours
        return future.exception() or future.result()


def _explained(error: Outcome) -> str:
    if isinstance(error, BrokenProcessPool):
        return "the process that marked it died, twice; is there enough memory for this many --jobs?"
    if isinstance(error, MarkerCannotStart):
        return f"the marker does not start: {error}"
    return f"the grader failed, twice: {error}"


@contextmanager
def _workers(factory: MarkerFactory, jobs: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of worker processes that all have ended when the block is left, however it is left."""
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        jobs, context, initializer=start_worker, initargs=(factory, places(context, jobs))
    )
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        with _undisturbed():
            pool.shutdown(wait=False, cancel_futures=True)
            _end(set(multiprocessing.active_children()) - others)
        raise


def _end(processes: set[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


@contextmanager
def _interrupt_later() -> Iterator[None]:
    """Hold Ctrl-C back while a process may be started.

    It inherits that until it ignores the signal itself: it would die with a traceback before it gets there.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not cut the cleaning up short."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

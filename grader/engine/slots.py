"""Where submissions are marked: slots that take one at a time, in processes here or on a cluster.

Behind every slot stands a `concurrent.futures` executor, so that marking here and elsewhere differ in nothing
but where the executor comes from.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Protocol

from grader.engine import cpus
from grader.engine.unmarked import Provenance
from grader.engine.worker import Marked, MarkerFactory, mark_one, start_worker
from grader.limits import WORKER_END_SECONDS
from grader.submission import Found, Submission

START_ATTEMPTS = 2  # a slot whose marker does not start as often in a row is given up


class Slot(Protocol):
    """Takes one submission at a time."""

    def submit(self, found: Found, provenance: Provenance) -> Future[Marked]:
        """Begin to mark a submission."""

    def kill(self) -> None:
        """End a submission that does not end by itself."""


class Workers(Protocol):
    """The slots of a run. A context manager: when the block is left, nothing of them is left running."""

    def __enter__(self) -> Workers: ...

    def __exit__(self, *error: object) -> None: ...

    def slots(self) -> Sequence[Slot]:
        """The slots that there are now. One that is no longer among them has been lost with its work."""

    def begun(self, slot: Slot) -> None:
        """A slot's marker has started: it has brought back a result."""

    def refused(self, slot: Slot, error: BaseException) -> None:
        """A slot's marker did not start."""

    def renew(self, slot: Slot) -> None:
        """A slot's process has died; give it another."""

    def alone(self) -> None:
        """From now on one slot is used at a time: free what the others hold."""

    @property
    def hopeless(self) -> bool:
        """Whether there is no slot, and none to be expected."""


class LocalSlot:
    """A process with a warm marker, started when there is work for it."""

    def __init__(self, factory: MarkerFactory, cpu: int | None = None) -> None:
        self._factory = factory
        self._cpu = cpu
        self._pool: ProcessPoolExecutor | None = None
        self._processes: set[BaseProcess] = set()

    def submit(self, found: Found | Submission, provenance: Provenance) -> Future[Marked]:
        """Begin to mark a submission, in a new process where there is none."""
        try:
            return self._submit(found, provenance)
        except BrokenProcessPool:  # it died while it had nothing to do
            self.close(kill=True)
            return self._submit(found, provenance)

    def _submit(self, found: Found | Submission, provenance: Provenance) -> Future[Marked]:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                1, context, initializer=start_worker, initargs=(self._factory, self._cpu)
            )
        others = set(multiprocessing.active_children())
        with _interrupt_later():
            future = self._pool.submit(mark_one, found, provenance)
        self._processes |= set(multiprocessing.active_children()) - others
        return future

    def kill(self) -> None:
        """End the process at once; the work in it fails."""
        for process in self._processes:
            process.kill()

    def close(self, kill: bool = False) -> None:
        """End the process.

        Args:
            kill: also where it has work.
        """
        end_slots([self], kill)

    def _let_go(self) -> set[BaseProcess]:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        processes, self._processes, self._pool = self._processes, set(), None
        return processes


def end_slots(slots: Iterable[LocalSlot], kill: bool) -> None:
    """End the processes of slots side by side; returns when all have ended."""
    processes = {process for slot in slots for process in slot._let_go()}
    if kill:
        for process in processes:
            process.terminate()
    deadline = time.monotonic() + WORKER_END_SECONDS
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


class LocalWorkers:
    """Processes on this machine, each on an idle CPU of its own.

    Args:
        factory: makes a process's marker; has to be picklable.
        jobs: how many.
    """

    def __init__(self, factory: MarkerFactory, jobs: int) -> None:
        idle = cpus.idle_cpus(jobs)
        self._slots = [LocalSlot(factory, idle[number] if idle else None) for number in range(jobs)]
        self._refusals: dict[LocalSlot, int] = {}

    def __enter__(self) -> LocalWorkers:
        return self

    def __exit__(self, *error: object) -> None:
        with undisturbed():
            end_slots(self._slots, kill=error[0] is not None)

    def slots(self) -> Sequence[LocalSlot]:
        """All whose marker starts."""
        return [slot for slot in self._slots if self._refusals.get(slot, 0) < START_ATTEMPTS]

    def begun(self, slot: Slot) -> None:
        """Forget a failed start."""
        assert isinstance(slot, LocalSlot)
        self._refusals.pop(slot, None)

    def refused(self, slot: Slot, error: BaseException) -> None:
        """Count a failed start: the next one is in a fresh process."""
        assert isinstance(slot, LocalSlot)
        self._refusals[slot] = self._refusals.get(slot, 0) + 1
        slot.close(kill=True)

    def renew(self, slot: Slot) -> None:
        """Let the slot's next submission have a new process."""
        assert isinstance(slot, LocalSlot)
        slot.close(kill=True)

    def alone(self) -> None:
        """End all processes: what is marked next has the machine's memory for itself."""
        end_slots(self._slots, kill=False)

    @property
    def hopeless(self) -> bool:
        """Whether no slot's marker starts."""
        return not self.slots()


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
def undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not cut the cleaning up short."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

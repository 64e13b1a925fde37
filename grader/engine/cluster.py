"""Marking on a Dask cluster: the same slots, each behind the executor of one of its workers.

The grader chooses the worker for each submission itself, so that one whose box does not hold gets no second
one, and what a lost worker had in work goes to another. On the worker's machine the submission is marked by a
process of its own, the same as on this machine: Dask's own process stays small, and survives it.

Workers need the grader installed and bubblewrap, but no common disk: submissions are sent as bytes.
"""

from __future__ import annotations

import ipaddress
import logging
import multiprocessing
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from grader.engine.cpus import ClaimedCpu
from grader.engine.slots import LocalSlot, Slot, undisturbed
from grader.engine.unmarked import Provenance
from grader.engine.worker import Marked, MarkerCannotStart, MarkerFactory
from grader.errors import GraderFault, GraderUsageError
from grader.limits import CLUSTER_CONNECT_SECONDS, CLUSTER_IDLE_SECONDS, CLUSTER_PATIENCE_SECONDS
from grader.submission import FIGURES, Found, Submission, read_found

if TYPE_CHECKING:
    from distributed import Client, Security

CLOSED = ("closing", "closed", "failed")  # states of a Dask worker
LOOK_SECONDS = 1.0  # how often the list of workers is asked for
OPEN_SCHEMES = ("tcp", "ws", "ucx", "ucxx")  # of Dask's, those that encrypt nothing and let everybody in


class ClusterSlot:
    """A worker of the cluster."""

    def __init__(self, client: Client, address: str, run: str, factory: MarkerFactory) -> None:
        self.address = address
        self._executor = client.get_executor(workers=[address], allow_other_workers=False, pure=False)
        self._client = client
        self._run = run
        self._factory = factory

    def submit(self, found: Found, provenance: Provenance) -> Future[Marked]:
        """Send a submission to the worker."""
        future: Future[Marked] = self._executor.submit(
            mark_on_worker, self._run, self._factory, read_found(found, shown=FIGURES), provenance
        )
        return future

    def cancel(self) -> None:
        """Take back what has not begun."""
        self._executor.shutdown(wait=False)

    def kill(self) -> None:
        """End the process that marks on the worker; the work in it fails."""
        with suppress(Exception):
            self._client.run(kill_on_worker, self._run, workers=[self.address], on_error="ignore")


class ClusterWorkers:
    """The workers of a Dask cluster, as they come and go.

    Args:
        client: connected to the scheduler; closed with the workers.
        factory: makes a marker on a worker; has to be picklable, and importable there.
        name: what messages call the cluster.
        expecting: whether workers are on their way, so that waiting for the first one has no end.
        tell: given a line for the user: about waiting, and about workers that refuse.
        end: ends what was started with the client, workers for example.
    """

    def __init__(
        self,
        client: Client,
        factory: MarkerFactory,
        name: str,
        expecting: bool = False,
        tell: Callable[[str], None] = lambda message: None,
        end: Callable[[], object] = lambda: None,
    ) -> None:
        self._client = client
        self._factory = factory
        self._name = name
        self._expecting = expecting
        self._tell = tell
        self._end = end
        self._run = secrets.token_hex(8)
        self._workers: dict[str, ClusterSlot] = {}
        self._refused: set[str] = set()
        self._looked = -LOOK_SECONDS
        self._seen = time.monotonic()  # when there was a worker the last time
        self._told = False

    def __enter__(self) -> ClusterWorkers:
        return self

    def __exit__(self, *error: object) -> None:
        action = close_on_worker if error[0] is None else kill_on_worker
        with undisturbed():
            for slot in self._workers.values():
                slot.cancel()
            with suppress(Exception):  # a cluster that is gone has no processes of ours any more
                present = [address for address in self._client.nthreads() if address in self._workers]
                self._client.run(action, self._run, workers=present, on_error="ignore")
            with suppress(Exception):
                self._client.close()
            self._end()

    def slots(self) -> Sequence[ClusterSlot]:
        """The workers that there are now, without those that refused.

        Raises:
            GraderFault: the scheduler is gone, or no worker comes.
        """
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._look()
            self._looked = time.monotonic()
        return [slot for address, slot in self._workers.items() if address not in self._refused]

    def _look(self) -> None:
        try:
            present = self._client.nthreads()
        except Exception as error:
            raise GraderFault(
                f"{self._name}: the scheduler is gone ({type(error).__name__}); "
                "the same command goes on from what is done"
            ) from error
        for address in set(self._workers) - set(present):
            del self._workers[address]
        for address in present:
            if address not in self._workers:
                self._workers[address] = ClusterSlot(self._client, address, self._run, self._factory)
        now = time.monotonic()
        if present:
            self._seen, self._told = now, False
        elif not self._told:
            self._told = True
            self._tell(f"{self._name}: waiting for workers")
        if not self._expecting and now - self._seen > CLUSTER_PATIENCE_SECONDS:
            raise GraderFault(
                f"{self._name}: has had no worker for {CLUSTER_PATIENCE_SECONDS:.0f} s; start workers, and "
                "then the same command again: it goes on from what is done"
            )

    def begun(self, slot: Slot) -> None:
        """Nothing has to be remembered."""

    def refused(self, slot: Slot, error: BaseException) -> None:
        """Give the worker no more work."""
        assert isinstance(slot, ClusterSlot)
        self._tell(f"{self._name}: worker {slot.address} gets no work: {error}")
        self._refused.add(slot.address)

    def renew(self, slot: Slot) -> None:
        """The worker has replaced its process itself."""

    def alone(self) -> None:
        """The workers' memory is not ours to free."""

    @property
    def hopeless(self) -> bool:
        """Whether there are workers, and all of them have refused."""
        return bool(self._workers) and self._refused.issuperset(self._workers)


def refuse_open(address: str) -> None:
    """Do not use a scheduler that anybody on the network can reach.

    Raises:
        GraderUsageError: the connection is not encrypted, and does not stay on this machine.
    """
    scheme, mark, place = address.partition("://")
    if not mark:
        import dask

        scheme, place = dask.config.get("distributed.comm.default-scheme", "tcp"), scheme
    if scheme not in OPEN_SCHEMES or _on_this_machine(place):
        return
    raise GraderUsageError(
        f"--dask {address}: without TLS whoever reaches this port can run code as you, here and on the "
        "workers; start scheduler and workers with TLS and give tls://..., see docs/performance.md, or add "
        "--dask-without-tls where nobody else is on that network"
    )


def _on_this_machine(place: str) -> bool:
    host = place.removeprefix("[").partition("]")[0] if place.startswith("[") else place.partition(":")[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def connect(address: str, security: Security | None = None) -> Client:
    """A client of a running scheduler.

    Args:
        address: the scheduler's.
        security: keys; by default those of Dask's own configuration.

    Raises:
        GraderUsageError: there is none at this address.
    """
    from distributed import Client

    logging.getLogger("distributed").setLevel(
        logging.CRITICAL
    )  # its warnings would break up the progress bar
    try:
        return Client(address, timeout=CLUSTER_CONNECT_SECONDS, set_as_default=False, security=security)
    except (OSError, ValueError, TypeError) as error:
        raise GraderUsageError(
            f"--dask {address}: no Dask scheduler answers there; start one with `dask scheduler`, workers "
            "with `dask worker`, and give the address that it prints, such as tls://10.0.0.1:8786"
        ) from error


# -- on the worker --------------------------------------------------------------------------------


class _Process:
    """The process on this worker that marks for one run, and when it was last needed."""

    def __init__(self, factory: MarkerFactory) -> None:
        self.cpu = ClaimedCpu()
        self.slot = LocalSlot(factory, self.cpu.number)
        self.lock = threading.Lock()  # a worker with several threads marks one submission at a time
        self.ended = threading.Event()
        self.timer: threading.Timer | None = None


_PROCESSES: dict[str, _Process] = {}
_LOCK = threading.Lock()


def mark_on_worker(
    run: str, factory: MarkerFactory, submission: Submission, provenance: Provenance
) -> Marked:
    """Mark a submission in a process of this worker's.

    Args:
        run: names the run; each has a process of its own.
        factory: makes the process's marker.
        submission: what was handed in.
        provenance: where the result comes from.

    Raises:
        MarkerCannotStart, RuntimeError, BrokenProcessPool: as `mark_one`, or its process has died.
    """
    with _LOCK:
        process = _PROCESSES.get(run)
        if process is None:
            process = _PROCESSES[run] = _Process(factory)
            _end_with_worker(run, process.ended)
    with process.lock:
        if process.timer is not None:
            process.timer.cancel()
        try:
            with _children_allowed():
                future = process.slot.submit(submission, provenance)
            return future.result()
        except (BrokenProcessPool, MarkerCannotStart):
            process.slot.close(kill=True)
            raise
        finally:
            # A grader that was killed says no goodbye.
            process.timer = threading.Timer(CLUSTER_IDLE_SECONDS, _end_idle, [process])
            process.timer.daemon = True
            process.timer.start()


def close_on_worker(run: str) -> None:
    """End a run's process on this worker, when it has no more work."""
    _end(run, kill=False)


def kill_on_worker(run: str) -> None:
    """End a run's process on this worker at once; what is in work fails."""
    _end(run, kill=True)


def _end_idle(process: _Process) -> None:
    if process.lock.acquire(blocking=False):
        try:
            process.slot.close()
            process.cpu.release()  # should the run come back, it shares the CPU with whoever has claimed it
        finally:
            process.lock.release()


def _end_with_worker(run: str, ended: threading.Event) -> None:
    """End a run's process when this worker closes, as it does when its scheduler is gone.

    Otherwise the worker would wait for it until it has been idle for long enough.
    """
    from distributed import get_worker

    try:
        worker = get_worker()
    except ValueError:  # called by something else than a worker
        return

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            if worker.status.name in CLOSED:
                _end(run, kill=True)

    threading.Thread(target=watch, daemon=True).start()


def _end(run: str, kill: bool) -> None:
    with _LOCK:
        process = _PROCESSES.pop(run, None)
    if process is not None:
        process.ended.set()
        if process.timer is not None:
            process.timer.cancel()
        process.slot.close(kill)
        process.cpu.release()


@contextmanager
def _children_allowed() -> Iterator[None]:
    """Let this process start another one.

    Dask starts its workers as daemons, which multiprocessing forbids children, since it would not end them.
    Ours end by themselves when their parent does.
    """
    settings: dict[str, Any] = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    before = settings.get("daemon", False)
    settings["daemon"] = False
    try:
        yield
    finally:
        settings["daemon"] = before

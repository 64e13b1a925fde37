"""The jobs of a run in Slurm's queue: which wait and why, which have ended and have to be asked for anew.

dask-jobqueue asks for jobs and never looks at them again. One that ends before its worker has connected,
since the machine lacks the environment for example, is noticed here.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import GraderFault
from grader.limits import SLURM_LOOK_SECONDS, SLURM_TRY_SECONDS
from grader.text import printable

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster

# States of a job that may still become, or is, a worker; all others are ends.
WAITING = ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "SUSPENDED")
ALIVE = (*WAITING, "RUNNING", "COMPLETING", "RESIZING", "SIGNALING", "STAGE_OUT", "STOPPED")
LEAST_ATTEMPTS = 3  # jobs in a row that end without a worker, before no more are asked for
GONE = "no longer in the queue"


@dataclass(frozen=True)
class QueuedJob:
    """What Slurm says of a job.

    Attributes:
        state: in Slurm's words, such as PENDING.
        reason: why it waits or has ended, in Slurm's words.
        node: where it runs or has run; empty where nowhere.
    """

    state: str
    reason: str = ""
    node: str = ""


def queued_jobs(name: str) -> dict[str, QueuedJob] | None:
    """The jobs of this name by number, also those that ended a while ago; None where Slurm is silent."""
    command = ["squeue", "--noheader", "--states=all", f"--name={name}", "--format=%i|%T|%r|%N"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SLURM_TRY_SECONDS, check=True, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):
        return None
    jobs = {}
    for line in done.stdout.splitlines():
        number, state, reason, node = (*line.strip().split("|"), "", "", "")[:4]
        jobs[number] = QueuedJob(state, "" if reason == "None" else reason, node)
    return jobs


class Jobs:
    """Keeps as many jobs in the queue as a run wants, as long as that leads to workers.

    Args:
        cluster: asks for the jobs.
        wanted: how many.
        name: of the jobs, which no other run's have.
        logs: the folder that they write to.
        tell: given a line for the user.
        ask: how Slurm's queue is asked.

    Attributes:
        failed: whether a job has ended without having been a worker.
    """

    def __init__(
        self,
        cluster: SLURMCluster,
        wanted: int,
        name: str,
        logs: Path,
        tell: Callable[[str], None],
        ask: Callable[[str], dict[str, QueuedJob] | None] = queued_jobs,
    ) -> None:
        self._cluster = cluster
        self._wanted = wanted
        self._name = name
        self._logs = logs
        self._tell = tell
        self._ask = ask
        self._connected: set[str] = set()  # the numbers of jobs that have been workers
        self._failures = 0  # jobs in a row that have not
        self._ended: set[tuple[str, str | None]] = set()  # the jobs whose end has been noted
        self._told: set[str] = set()
        self._looked = time.monotonic()
        self.failed = False

    def look(self) -> None:
        """Ask for jobs in the place of those that have ended, and say what keeps others from beginning.

        Raises:
            GraderFault: none of them becomes a worker.
        """
        present = {str(worker["name"]) for worker in list(self._cluster.scheduler_info["workers"].values())}
        numbers = {name: job.job_id for name, job in list(self._cluster.workers.items())}
        begun = {number for name, number in numbers.items() if name in present} - self._connected
        if begun:
            self._connected |= begun
            self._failures = 0
        missing = {name: number for name, number in numbers.items() if name not in present}
        now = time.monotonic()
        if now - self._looked < SLURM_LOOK_SECONDS or (len(present) >= self._wanted and not missing):
            return
        self._looked = now
        queue = self._ask(self._name)
        if queue is None:
            self._once("Slurm does not answer squeue; what its jobs do is not known")
            return
        ended = {name: number for name, number in missing.items() if not _alive(queue, number)}
        for name, number in ended.items():
            if (name, number) not in self._ended:
                self._ended.add((name, number))
                self._note_end(number, queue.get(number or ""))
        most = max(LEAST_ATTEMPTS, 2 * self._wanted)
        alive = present or len(missing) > len(ended)
        if self._failures >= most and not alive:
            raise GraderFault(
                f"--slurm: {self._failures} jobs in a row have ended before a worker was there; their logs "
                f"are in {printable(str(self._logs))}. Mend what they say, and then the same command goes on "
                "from what is done"
            )
        self._say_what_waits(queue[number] for number in missing.values() if number in queue)
        if self._failures < most:
            self._cluster.sync(self._renew, list(ended))

    async def _renew(self, names: list[str]) -> None:
        """Forget jobs that have ended, and fill up what is missing."""
        for name in names:
            job = self._cluster.workers.pop(name, None)
            if job is not None:
                await job.close()
            self._ended.discard((name, None))
        self._cluster.scale(jobs=self._wanted)

    def _note_end(self, number: str | None, job: QueuedJob | None) -> None:
        how = job.state + (f", {job.reason}" if job.reason else "") if job else GONE
        if number in self._connected:
            self._tell(f"--slurm: job {number} has ended ({how}); another is asked for")
            return
        self._failures += 1
        self.failed = True
        if number is None:
            self._once("a job could not be submitted; it is tried again")
            return
        where = f" on {job.node}" if job and job.node else ""
        log, last = self._log_of(number)
        said = f"; the end of {printable(str(log))}: {last}" if log else "; it has left no log"
        # Of many jobs that end for the same reason one is told.
        self._once(
            f"job {number}{where} has ended before its worker was there ({how}){said}",
            re.sub(r"\d+", "#", f"{where} {how} {last}"),
        )

    def _say_what_waits(self, jobs: Iterable[QueuedJob]) -> None:
        waiting = Counter(job.reason for job in jobs if job.state in WAITING and job.reason)
        for reason, count in waiting.items():
            self._once(f"{count} job{'s' if count > 1 else ''} waiting in the queue: {reason}", reason)

    def _once(self, text: str, about: str = "") -> None:
        if (about or text) not in self._told:
            self._told.add(about or text)
            self._tell(f"--slurm: {text}")

    def _log_of(self, number: str) -> tuple[Path | None, str]:
        """A job's log and its last line."""
        for path in (
            *sorted(self._logs.glob(f"*-{number}.err")),
            *sorted(self._logs.glob(f"*-{number}.out")),
        ):
            try:
                lines = path.read_text(errors="replace").strip().splitlines()
            except OSError:
                continue
            if lines:
                return path, printable(lines[-1].strip(), 200)
        return None, ""


def _alive(queue: dict[str, QueuedJob], number: str | None) -> bool:
    return number in queue and queue[number].state in ALIVE

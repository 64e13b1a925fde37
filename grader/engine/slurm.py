"""Workers that a Slurm cluster starts, through dask-jobqueue.

Their connections are encrypted, with keys of the run that nobody else can read: whoever reaches a scheduler
decides what runs on its workers and, by what it hands out, in the grader.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.engine.cluster import ClusterWorkers, connect
from grader.engine.run_folder import RunFolder
from grader.engine.slurm_jobs import Jobs
from grader.engine.worker import MarkerFactory
from grader.errors import GraderFault, GraderUsageError
from grader.limits import CLUSTER_LOST_SECONDS, SLURM_TRY_SECONDS

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster
    from distributed import Client

INSTALL = (
    "--slurm needs the package dask-jobqueue, which is not installed: "
    "pip install dask-jobqueue, in the environment of the grader"
)
MEMORY = "4GB"  # a worker, its marker and its box need about 2
QUIET = (
    "127.0.0.1:0"  # Dask's page of figures, which is open to all: on this machine alone, and no fixed port
)


class SlurmWorkers(ClusterWorkers):
    """The workers of a run on Slurm, whose jobs are looked after."""

    def __init__(
        self,
        client: Client,
        factory: MarkerFactory,
        jobs: Jobs,
        tell: Callable[[str], None],
        end: Callable[[], object],
    ) -> None:
        super().__init__(client, factory, "--slurm", expecting=True, tell=tell, end=end)
        self._jobs = jobs

    def _look(self) -> None:
        super()._look()
        self._jobs.look()


def slurm_workers(jobs: int, factory: MarkerFactory, tell: Callable[[str], None]) -> SlurmWorkers:
    """Ask Slurm for workers, one CPU each.

    Partition, account, time and memory are those of dask-jobqueue's own configuration, in `jobqueue.slurm` of
    `~/.config/dask/jobqueue.yaml`.

    Args:
        jobs: how many workers.
        factory: makes a marker on a worker.
        tell: given a line for the user.

    Raises:
        GraderUsageError: dask-jobqueue or Slurm is missing.
        GraderFault: Slurm cannot be asked, or the keys cannot be kept from others.
    """
    if shutil.which("sbatch") is None:
        raise GraderUsageError(
            "--slurm: there is no sbatch here; start the grader on a machine of the cluster"
        )
    cluster_of = _slurm_cluster()
    import dask

    settings: dict[str, Any] = dask.config.get("jobqueue.slurm", {})
    folder = RunFolder(_base(settings.get("shared-temp-directory")))
    logs = Path(settings.get("log-directory") or folder.logs)
    name = f"grader-{secrets.token_hex(4)}"
    cluster = None
    try:
        security = folder.security()
        with dask.config.set({"distributed.scheduler.http.routes": []}):
            cluster = cluster_of(
                cores=1,
                processes=1,
                memory=settings.get("memory") or MEMORY,
                job_name=name,
                log_directory=str(logs),
                security=security,
                death_timeout=max(CLUSTER_LOST_SECONDS, settings.get("death-timeout") or 0),
                worker_extra_args=[
                    *(settings.get("worker-extra-args") or []),
                    "--no-dashboard",
                    "--dashboard-address",
                    QUIET,
                ],
                scheduler_options={
                    **(settings.get("scheduler-options") or {}),
                    "dashboard": False,
                    "dashboard_address": QUIET,
                },
            )
        _try_out(cluster.job_script())
        cluster.scale(jobs=jobs)
        client = connect(cluster.scheduler_address, security=security)
    except GraderFault:
        _end(cluster, folder)
        raise
    except Exception as error:
        _end(cluster, folder)
        raise GraderFault(f"--slurm: workers cannot be asked for: {error}") from error
    except BaseException:  # Ctrl-C
        _end(cluster, folder)
        raise
    queue = Jobs(cluster, jobs, name, logs, tell)
    return SlurmWorkers(client, factory, queue, tell, lambda: _end(cluster, folder, keep_logs=queue.failed))


def _slurm_cluster() -> type[SLURMCluster]:
    """dask-jobqueue, without the handler that it puts in the place of the one for Ctrl-C."""
    before = signal.getsignal(signal.SIGINT)
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise GraderUsageError(INSTALL) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)
    return SLURMCluster


def _base(configured: str | None) -> Path:
    """Where the folders of runs lie: on a disk that the cluster's machines share."""
    if configured:
        return Path(os.path.expandvars(configured)).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "grader"


def _end(cluster: SLURMCluster | None, folder: RunFolder, keep_logs: bool = False) -> None:
    try:
        if cluster is not None:
            cluster.close()
    finally:
        folder.close(keep_logs)


def _try_out(script: str) -> None:
    """Let Slurm check a job without running it: dask-jobqueue would ask for it again and again.

    Raises:
        RuntimeError: Slurm would not take it.
    """
    done = subprocess.run(
        ["sbatch", "--test-only"], input=script, capture_output=True, text=True, timeout=SLURM_TRY_SECONDS
    )
    if done.returncode != 0:
        raise RuntimeError(
            " ".join(done.stderr.split()) or f"sbatch --test-only ended with {done.returncode}"
        )

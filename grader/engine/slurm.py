"""Workers that a Slurm cluster starts, through dask-jobqueue."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from grader.engine.cluster import ClusterWorkers, connect
from grader.engine.worker import MarkerFactory
from grader.errors import GraderFault, GraderUsageError
from grader.limits import SLURM_TRY_SECONDS

INSTALL = (
    "--slurm needs the package dask-jobqueue, which is not installed: "
    "pip install dask-jobqueue, in the environment of the grader"
)
MEMORY = "4GB"  # a worker, its marker and its box need about 2


def slurm_workers(jobs: int, factory: MarkerFactory, tell: Callable[[str], None]) -> ClusterWorkers:
    """Ask Slurm for workers, one CPU each.

    Partition, account, time and memory are those of dask-jobqueue's own configuration, in `jobqueue.slurm` of
    `~/.config/dask/jobqueue.yaml`.

    Args:
        jobs: how many workers.
        factory: makes a marker on a worker.
        tell: given a line for the user.

    Raises:
        GraderUsageError: dask-jobqueue or Slurm is missing.
        GraderFault: Slurm cannot be asked.
    """
    if shutil.which("sbatch") is None:
        raise GraderUsageError(
            "--slurm: there is no sbatch here; start the grader on a machine of the cluster"
        )
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise GraderUsageError(INSTALL) from error
    import dask

    memory = dask.config.get("jobqueue.slurm.memory", None) or MEMORY
    cluster = None
    try:
        cluster = SLURMCluster(cores=1, processes=1, memory=memory)
        _try_out(cluster.job_script())
        cluster.adapt(minimum_jobs=jobs, maximum_jobs=jobs)  # one whose time is over is replaced
        client = connect(cluster.scheduler_address)
    except Exception as error:
        if cluster is not None:
            cluster.close()
        raise GraderFault(f"--slurm: workers cannot be asked for: {error}") from error
    return ClusterWorkers(client, factory, "--slurm", expecting=True, tell=tell, end=cluster.close)


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

"""Workers that a Slurm cluster starts, through dask-jobqueue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from grader.engine.worker import MarkerFactory
from grader.errors import GraderFault, GraderUsageError

if TYPE_CHECKING:
    from grader.engine.cluster import ClusterCrew

INSTALL = (
    "--slurm needs the package dask-jobqueue, which is not installed: "
    "pip install dask-jobqueue, in the environment of the grader"
)
MEMORY = "4GB"  # a worker, its marker and its box need about 2


def slurm_crew(jobs: int, factory: MarkerFactory, tell: Callable[[str], None]) -> ClusterCrew:
    """Ask Slurm for workers, one CPU each.

    Partition, account, time and memory are those of dask-jobqueue's own configuration, in `jobqueue.slurm` of
    `~/.config/dask/jobqueue.yaml`.

    Args:
        jobs: how many workers.
        factory: makes a marker on a worker.
        tell: given a line for the user.

    Raises:
        GraderUsageError: dask-jobqueue is missing.
        GraderFault: Slurm cannot be asked.
    """
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise GraderUsageError(INSTALL) from error
    import dask

    from grader.engine.cluster import ClusterCrew, connect

    settings = {"cores": 1, "processes": 1}
    memory = dask.config.get("jobqueue.slurm.memory", None) or MEMORY
    cluster = None
    try:
        cluster = SLURMCluster(**settings, memory=memory)
        cluster.scale(jobs=jobs)
        client = connect(cluster.scheduler_address)
    except BaseException as error:
        if cluster is not None:
            cluster.close()
        if isinstance(error, Exception):
            raise GraderFault(f"--slurm: workers cannot be asked for: {error}") from error
        raise
    return ClusterCrew(client, factory, "--slurm", expecting=True, tell=tell, end=cluster.close)

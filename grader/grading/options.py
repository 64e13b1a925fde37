"""What a marking run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from grader.errors import GraderUsageError

DEFAULT_JOBS = 4  # each job holds a warm box, about 1.3 GB with torch loaded twice


class Data(StrEnum):
    """The images to train and judge on."""

    digits = "digits"
    mnist = "mnist"


@dataclass(frozen=True)
class GradingOptions:
    """What to mark, where to write the results, and how.

    Attributes:
        paths: submissions, or folders of submissions.
        output: the folder of results; created where it is missing.
        jobs: submissions to mark at once on this machine. None: as many as processors and memory
            allow, at most `DEFAULT_JOBS`.
        seed: all test inputs derive from it. None: the seed of the last run into `output`, or a new one.
        data: the images to train and judge on.
        sandbox: False runs the code unprotected; no gradebook takes such results.
        allow_distributions: waive the rule against torch.distributions.
        allow_devices: deduct nothing for a device that the code names and the grader lacks.
        dask: the address of a Dask scheduler on whose workers to mark.
        dask_without_tls: use the scheduler also where its connections are open to the network.
        slurm: how many workers Slurm is to start.
        fresh: mark everything anew: neither continue an interrupted run nor reuse an earlier result.
        pages: write the pages for students and staff at the end.

    Raises:
        GraderUsageError: more than one of `jobs`, `dask` and `slurm` is given.
    """

    paths: tuple[Path, ...]
    output: Path
    jobs: int | None = None
    seed: int | None = None
    data: Data = Data.digits
    sandbox: bool = True
    allow_distributions: bool = False
    allow_devices: bool = False
    dask: str | None = None
    dask_without_tls: bool = False
    slurm: int | None = None
    fresh: bool = False
    pages: bool = True

    def __post_init__(self) -> None:
        if sum(option is not None for option in (self.jobs, self.dask, self.slurm)) > 1:
            raise GraderUsageError("--jobs, --dask and --slurm exclude each other: give one of them")

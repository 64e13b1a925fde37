"""`python -m grader grade` and `report`."""

from __future__ import annotations

from pathlib import Path

from grader.cli import options as given
from grader.errors import FAULT
from grader.grading.options import Data, GradingOptions
from grader.terminal.lines import complain

# What takes long to load is loaded inside the commands, so that --help and mistakes answer at once.


def grade(
    paths: given.Paths,
    output: given.Output,
    jobs: given.Jobs = None,
    seed: given.Seed = None,
    data: given.DataSet = Data.digits,
    no_sandbox: given.NoSandbox = False,
    allow_distributions: given.AllowDistributions = False,
    allow_devices: given.AllowDevices = False,
    dask: given.Dask = None,
    dask_without_tls: given.DaskWithoutTls = False,
    slurm: given.Slurm = None,
    fresh: given.Fresh = False,
    quiet: given.Quiet = False,
    details: given.Details = None,
    pages: given.WithPages = True,
) -> int:
    """Mark submissions with the hidden suites."""
    options = GradingOptions(
        tuple(paths),
        output,
        jobs=jobs,
        seed=seed,
        data=data,
        sandbox=not no_sandbox,
        allow_distributions=allow_distributions,
        allow_devices=allow_devices,
        dask=dask,
        dask_without_tls=dask_without_tls,
        slurm=slurm,
        fresh=fresh,
        pages=pages,
    )
    from grader.terminal.grading import grade_in_terminal

    return grade_in_terminal(options, quiet, details).status


def report(results: given.ResultsFolder) -> int:
    """Write the pages for students and staff anew, from the results alone."""
    return write_pages_of(results)


def write_pages_of(results: Path) -> int:
    """Write all pages of a folder of results, say where, and return the exit status."""
    from grader.report.pages import write_pages
    from grader.text import printable

    written = write_pages(results)
    for problem in written.problems:
        complain("error", problem)
    print(f"pages: {printable(str(written.cohort))}")
    return FAULT if written.problems else 0

"""The four ways to have the same checks run on the same cohort."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from grader.box.client import Session
from grader.limits import CALL_SECONDS
from grader.marking.marker import Marker, MarkingOptions
from grader.submission import read_submission
from tests.benchmarks.course import autograde, prepare_course
from tests.benchmarks.measure import Cost, measure, run

REPOSITORY = Path(__file__).resolve().parents[2]
SEED = 7


def engine(cohort: Path, folder: Path, jobs: int) -> Cost:
    """This engine: `python -m grader grade`."""
    command = [sys.executable, "-m", "grader", "grade", str(cohort), "--output", str(folder / "output")]
    command += ["--jobs", str(jobs), "--seed", str(SEED), "--no-details", "--no-pages"]
    return measure(lambda: run(command, REPOSITORY, folder / "engine.log"))


def dask(cohort: Path, folder: Path, jobs: int) -> Cost:
    """This engine on a local Dask cluster; the start of the cluster does not count."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None) as cluster:
        command = [sys.executable, "-m", "grader", "grade", str(cohort), "--output", str(folder / "output")]
        command += ["--dask", cluster.scheduler_address, "--seed", str(SEED), "--no-details", "--no-pages"]
        return measure(lambda: run(command, REPOSITORY, folder / "dask.log"))


def fresh_processes(cohort: Path, folder: Path, jobs: int) -> Cost:
    """One fresh process with pytest and a box of its own for each submission."""

    def mark(submission: Path) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.single", str(submission), str(SEED)]
        run(command, REPOSITORY, folder / f"{submission.name}.log")

    def mark_all() -> None:
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(mark, sorted(cohort.iterdir())))

    return measure(mark_all)


def nbgrader(cohort: Path, folder: Path, jobs: int) -> Cost:
    """`nbgrader autograde`, each check's points in a cell of the notebook; without any sandbox."""
    prepare_course(folder / "course", cohort)
    # By the tens: of those with an odd number none is complete.
    shares = {1: ["*"], 2: ["s?[02468]?", "s?[13579]?"]}[jobs]

    def mark_all() -> None:
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda share: autograde(folder / "course", share), shares))

    return measure(mark_all)


def training(cohort: Path, folder: Path, jobs: int) -> Cost:
    """The bare training compute: the CPU time of those calls alone that train the students' networks."""
    spent = 0.0
    request = Session.request

    def timed(session: Session, operation: str, *arguments: Any, what: str = "") -> Any:
        # Calls that train are the ones that are given more than the usual time.
        nonlocal spent
        if operation != "call" or session._seconds <= CALL_SECONDS:
            return request(session, operation, *arguments, what=what)
        before = request(session, "cpu")
        reply = request(session, operation, *arguments, what=what)
        spent += request(session, "cpu") - before
        return reply

    marker = Marker(MarkingOptions(seed=SEED))
    try:
        Session.request = timed  # type: ignore[method-assign]
        for submission in sorted(cohort.iterdir()):
            marker.mark(read_submission(submission))
    finally:
        Session.request = request  # type: ignore[method-assign]
        marker.close()
    return Cost(spent / jobs, spent, 0)


CONTENDERS: dict[str, Callable[[Path, Path, int], Cost]] = {
    "engine": engine,
    "dask": dask,
    "fresh": fresh_processes,
    "nbgrader": nbgrader,
    "training": training,
}

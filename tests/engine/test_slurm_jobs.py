"""What is done about jobs that wait, end early, or are gone, with a queue that only pretends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.engine import slurm_jobs
from grader.engine.slurm_jobs import Jobs, QueuedJob, queued_jobs
from grader.errors import GraderFault


class FakeCluster:
    """dask-jobqueue's, as far as `Jobs` knows it; each job that is asked for has the next number."""

    def __init__(self, wanted: int) -> None:
        self.workers: dict[str, SimpleNamespace] = {}
        self.scheduler_info: dict[str, dict] = {"workers": {}}
        self.submitted = 0
        self.scale(wanted)

    def scale(self, jobs: int) -> None:
        for number in range(jobs):
            if f"w{number}" not in self.workers:
                self.submitted += 1
                self.workers[f"w{number}"] = SimpleNamespace(job_id=str(self.submitted), close=self._close)

    async def _close(self) -> None: ...

    def sync(self, function, *arguments) -> None:
        asyncio.run(function(*arguments))

    def connect(self, name: str) -> None:
        self.scheduler_info["workers"][f"tls://{name}"] = {"name": name}

    def lose(self, name: str) -> None:
        del self.scheduler_info["workers"][f"tls://{name}"]


class Queue(dict):
    """What squeue would say; every job that is not in it is PENDING."""

    silent = False

    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster

    def __call__(self, name: str) -> dict[str, QueuedJob] | None:
        if self.silent:
            return None
        known = {
            job.job_id: QueuedJob("PENDING", "Priority")
            for job in self.cluster.workers.values()
            if job.job_id
        }
        return {number: job for number, job in (known | self).items() if job.state}


@pytest.fixture
def make(tmp_path, monkeypatch):
    monkeypatch.setattr(slurm_jobs, "SLURM_LOOK_SECONDS", 0)

    def build(wanted: int):
        cluster, told = FakeCluster(wanted), []
        queue = Queue(cluster)
        return cluster, queue, told, Jobs(cluster, wanted, "grader-x", tmp_path, told.append, queue)

    return build


FAILED = QueuedJob("FAILED", "NonZeroExitCode", "node7")


def test_jobs_that_wait_are_told_once_with_the_reason(make):
    cluster, _, told, jobs = make(2)
    for _ in range(3):
        jobs.look()
    assert told == ["--slurm: 2 jobs waiting in the queue: Priority"]
    assert cluster.submitted == 2


def test_a_job_that_ends_without_a_worker_is_told_with_its_log_and_replaced(make, tmp_path):
    cluster, queue, told, jobs = make(1)
    (tmp_path / "grader-x-1.err").write_text("first\n/srv/python: No such file or directory\n\n")
    queue["1"] = FAILED
    jobs.look()
    assert told == [
        "--slurm: job 1 on node7 has ended before its worker was there (FAILED, NonZeroExitCode); the end of "
        f"{tmp_path}/grader-x-1.err: /srv/python: No such file or directory"
    ]
    assert (cluster.submitted, jobs.failed) == (2, True)


def test_after_as_many_failures_the_run_ends(make, tmp_path):
    cluster, queue, told, jobs = make(2)
    for number in ("1", "2", "3"):
        queue[number] = FAILED
        jobs.look()
    queue["4"] = queue["5"] = FAILED
    with pytest.raises(GraderFault, match=f"5 jobs in a row have ended .* {tmp_path}"):
        jobs.look()
    assert (cluster.submitted, len(told)) == (5, 2), "no endless row of jobs; one reason is told once"


def test_workers_that_are_there_go_on_where_others_fail(make):
    cluster, queue, _, jobs = make(2)
    cluster.connect("w0")
    for number in range(2, 12):
        queue[str(number)] = FAILED
        jobs.look()
    assert cluster.submitted == 5, "no more are asked for"


def test_a_worker_that_comes_makes_up_for_failures(make):
    cluster, queue, _, jobs = make(1)
    for number in ("1", "2"):
        queue[number] = FAILED
        jobs.look()
    cluster.connect("w0")
    jobs.look()
    cluster.lose("w0")
    for number in ("3", "4", "5"):
        queue[number] = FAILED
        jobs.look()
    assert cluster.submitted == 6


def test_a_worker_whose_time_is_over_is_replaced_and_is_no_failure(make):
    cluster, queue, told, jobs = make(1)
    cluster.connect("w0")
    jobs.look()
    cluster.lose("w0")
    queue["1"] = QueuedJob("TIMEOUT", "TimeLimit")
    jobs.look()
    assert told == ["--slurm: job 1 has ended (TIMEOUT, TimeLimit); another is asked for"]
    assert (cluster.submitted, jobs.failed) == (2, False)


def test_a_job_that_the_queue_has_forgotten_is_gone(make):
    cluster, queue, told, jobs = make(1)
    queue["1"] = QueuedJob("")
    jobs.look()
    assert "(no longer in the queue); it has left no log" in told[0]
    assert cluster.submitted == 2


def test_a_silent_slurm_is_told_and_no_job_is_given_up_for_it(make):
    cluster, queue, told, jobs = make(1)
    queue.silent = True
    jobs.look()
    jobs.look()
    assert told == ["--slurm: Slurm does not answer squeue; what its jobs do is not known"]
    assert cluster.submitted == 1


def test_a_job_that_could_not_be_submitted_counts(make):
    cluster, _, told, jobs = make(1)
    for _ in range(2):
        cluster.workers["w0"].job_id = None
        jobs.look()
    cluster.workers["w0"].job_id = None
    with pytest.raises(GraderFault, match="3 jobs in a row"):
        jobs.look()
    assert told[0] == "--slurm: a job could not be submitted; it is tried again"


def pretend_squeue(folder: Path, monkeypatch, script: str) -> None:
    (folder / "squeue").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_what_squeue_prints_is_read(tmp_path, monkeypatch):
    pretend_squeue(tmp_path, monkeypatch, "echo '7|PENDING|Resources|'; echo ' 8|RUNNING|None|node1'; echo 9")
    assert queued_jobs("x") == {
        "7": QueuedJob("PENDING", "Resources"),
        "8": QueuedJob("RUNNING", "", "node1"),
        "9": QueuedJob(""),
    }


@pytest.mark.parametrize("script", ["exit 1", "echo slurm_load_jobs error >&2; exit 1"])
def test_a_squeue_that_fails_is_no_empty_queue(tmp_path, monkeypatch, script):
    pretend_squeue(tmp_path, monkeypatch, script)
    assert queued_jobs("x") is None

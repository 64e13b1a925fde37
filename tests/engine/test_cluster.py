"""A real Dask cluster of two worker processes, and what happens when one of them is lost."""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from grader.engine import Finished, Started, cluster, grade_cohort
from grader.errors import GraderFault, GraderUsageError
from grader.marking.result import GRADER_ERROR, PASSED

from .fakes import PROVENANCE, FakeMarker, alive, cohort, fake, log_of
from .test_pool import status, statuses


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster with two workers; one that dies is replaced."""
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    ) as running:
        yield running.scheduler_address


@pytest.fixture(autouse=True)
def _no_client_of_the_test_before() -> None:
    """Collect it first (distributed 2026.8): one whose scheduler never answered closes itself when it is
    collected, and where a cluster or another client is just starting, it waits for their lock for ever.
    """
    gc.collect()


def workers_of(scheduler: str, factory, tell=lambda message: None) -> cluster.ClusterWorkers:
    client = cluster.connect(scheduler)
    client.wait_for_workers(2)
    return cluster.ClusterWorkers(client, factory, "--dask", tell=tell)


def marking_processes(folder: Path) -> set[int]:
    return {int(line.split()[1]) for line in (folder / "log").read_text().splitlines()}


def all_end(processes: set[int], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while any(alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(alive(process) for process in processes)


def test_both_workers_mark_and_nothing_is_left_on_them(tmp_path, scheduler):
    names = [f"s{number}-slow" for number in range(4)]
    events = []
    factory = fake(tmp_path)
    submissions = cohort(tmp_path, *names, "broken")
    results = grade_cohort(
        submissions, factory, PROVENANCE, on_event=events.append, workers=workers_of(scheduler, factory)
    )
    assert [result.submission for result in results] == [*names, "broken"]
    assert status(results[0]) == PASSED
    assert "the archive is damaged" in results[4].items[0].checks[0].message
    log = log_of(tmp_path)
    assert sorted(line for line in log if line.startswith("mark")) == [f"mark:{name}" for name in names]
    assert log.count("made") == log.count("close") == 2, "each worker keeps one marker warm"
    assert sorted(event.name for event in events if isinstance(event, Started)) == sorted([*names, "broken"])
    assert sum(isinstance(event, Finished) for event in events) == 5
    assert all_end(marking_processes(tmp_path))


def test_results_are_those_of_this_machine(tmp_path, scheduler):
    submissions = cohort(tmp_path, "s1", "broken", "fault")
    factory = fake(tmp_path)
    here = grade_cohort(submissions, factory, PROVENANCE)
    (tmp_path / "log").write_text("")
    there = grade_cohort(submissions, factory, PROVENANCE, workers=workers_of(scheduler, factory))
    assert [{**one.to_json(), "seconds": 0} for one in here] == [
        {**one.to_json(), "seconds": 0} for one in there
    ]


def test_a_worker_killed_in_mid_run_costs_no_result(tmp_path, scheduler):
    names = [f"s{number}-slow" for number in range(6)]
    factory = fake(tmp_path)
    with Client(scheduler, set_as_default=False) as client:
        victims = client.run(os.getpid)
    finished = []

    def kill_one(event):
        if isinstance(event, Finished):
            finished.append(event.result.submission)
            if len(finished) == 2:
                os.kill(next(iter(victims.values())), signal.SIGKILL)

    results = grade_cohort(
        cohort(tmp_path, *names),
        factory,
        PROVENANCE,
        on_event=kill_one,
        workers=workers_of(scheduler, factory),
    )
    assert statuses(results) == dict.fromkeys(names, PASSED)
    assert sorted(finished) == names, "each is told once"
    log = [line for line in log_of(tmp_path) if line.startswith("mark")]
    assert len(log) <= len(names) + 1, "only what was in work there is marked again"
    assert all_end(marking_processes(tmp_path)), "nothing of the lost worker is left"


def test_a_submission_that_kills_its_process_is_tried_twice_and_the_others_go_on(tmp_path, scheduler):
    factory = fake(tmp_path)
    submissions = cohort(tmp_path, "s1", "die", "raise", "s2", "once")
    results = grade_cohort(submissions, factory, PROVENANCE, workers=workers_of(scheduler, factory))
    assert statuses(results) == {
        "s1": PASSED,
        "die": GRADER_ERROR,
        "raise": GRADER_ERROR,
        "s2": PASSED,
        "once": PASSED,
    }
    assert log_of(tmp_path).count("mark:die") == 2


class RefusesOnOneWorker(FakeMarker):
    """Starts on any worker but the one that asks first."""

    def __init__(self, log: Path) -> None:
        try:
            with open(log.parent / "refuses", "x") as file:
                file.write(str(os.getppid()))
        except FileExistsError:
            time.sleep(0.1)
        if (log.parent / "refuses").read_text() == str(os.getppid()):
            raise RuntimeError("the box does not hold")
        super().__init__(log)


def test_a_worker_whose_box_does_not_hold_gets_no_work(tmp_path, scheduler):
    names = [f"s{number}-slow" for number in range(4)]
    told = []
    factory = partial(RefusesOnOneWorker, tmp_path / "log")
    workers = workers_of(scheduler, factory, told.append)
    results = grade_cohort(cohort(tmp_path, *names), factory, PROVENANCE, workers=workers)
    assert statuses(results) == dict.fromkeys(names, PASSED)
    (message,) = told
    assert "gets no work: RuntimeError: the box does not hold" in message
    assert len(marking_processes(tmp_path)) == 1


class RefusesEverywhere(FakeMarker):
    def __init__(self, log: Path) -> None:
        raise RuntimeError("the box does not hold")


def test_where_all_workers_refuse_the_run_ends(tmp_path, scheduler):
    factory = partial(RefusesEverywhere, tmp_path / "log")
    results = grade_cohort(
        cohort(tmp_path, "s1", "s2", "s3"), factory, PROVENANCE, workers=workers_of(scheduler, factory)
    )
    assert statuses(results) == dict.fromkeys(("s1", "s2", "s3"), GRADER_ERROR)
    assert "the marker does not start: RuntimeError: the box does not hold" in str(results[2].to_json())


def test_an_interrupt_leaves_nothing_running_on_the_workers(tmp_path, scheduler):
    factory = fake(tmp_path)

    def interrupt(event):
        if isinstance(event, Finished):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade_cohort(
            cohort(tmp_path, "s1-slow", "s2-sleep"),
            factory,
            PROVENANCE,
            on_event=interrupt,
            workers=workers_of(scheduler, factory),
        )
    assert all_end(marking_processes(tmp_path))


def test_a_warm_marker_that_nobody_asks_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CLUSTER_IDLE_SECONDS", 0.2)
    (found,) = cohort(tmp_path, "s1")
    submission = cluster.read_found(found)
    monkeypatch.setattr("grader.engine.cpus._idle", lambda: sorted(os.sched_getaffinity(0)))
    cluster.mark_on_worker("run", fake(tmp_path), submission, PROVENANCE)
    assert all_end(marking_processes(tmp_path))
    with cluster._PROCESSES["run"].lock:  # until the end of the process has been seen to
        assert cluster._PROCESSES["run"].cpu.number is None
    monkeypatch.setattr(cluster, "CLUSTER_IDLE_SECONDS", 60)
    cluster.mark_on_worker("run", fake(tmp_path), submission, PROVENANCE)
    cluster.close_on_worker("run")
    assert log_of(tmp_path) == ["made", "mark:s1", "close"] * 2
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_no_scheduler_at_the_address(monkeypatch):
    monkeypatch.setattr(cluster, "CLUSTER_CONNECT_SECONDS", 1)
    for address in ("tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1"):
        with pytest.raises(GraderUsageError, match=f"--dask {address}: no Dask scheduler answers there"):
            cluster.connect(address)


@pytest.mark.parametrize(
    "address", ["tcp://10.0.0.1:8786", "10.0.0.1:8786", "ws://node:1", "tcp://[2001:db8::1]:1"]
)
def test_an_open_scheduler_beyond_this_machine_is_refused(address):
    with pytest.raises(GraderUsageError, match=r"without TLS whoever reaches this port can run code as you"):
        cluster.refuse_open(address)


@pytest.mark.parametrize(
    "address", ["tls://10.0.0.1:8786", "tcp://127.0.0.1:8786", "localhost:1", "tcp://[::1]:1", "nonsense://x"]
)
def test_one_with_tls_or_on_this_machine_is_not(address):
    cluster.refuse_open(address)


def test_dasks_own_configuration_of_tls_counts():
    import dask

    with dask.config.set({"distributed.comm.default-scheme": "tls"}):
        cluster.refuse_open("10.0.0.1:8786")


@pytest.fixture
def own_cluster() -> Iterator[LocalCluster]:
    """One to break; its scheduler lives in this process."""
    with LocalCluster(
        n_workers=0, processes=True, dashboard_address=None, silence_logs=logging.CRITICAL
    ) as running:
        yield running


def test_without_workers_a_run_gives_up(tmp_path, own_cluster, monkeypatch):
    monkeypatch.setattr(cluster, "CLUSTER_PATIENCE_SECONDS", 1.0)
    told = []
    workers = cluster.ClusterWorkers(
        cluster.connect(own_cluster.scheduler_address), fake(tmp_path), "--dask", tell=told.append
    )
    with pytest.raises(GraderFault, match=r"--dask: has had no worker for 1 s; start workers"):
        grade_cohort(cohort(tmp_path, "s1"), fake(tmp_path), PROVENANCE, workers=workers)
    assert told == ["--dask: waiting for workers"]

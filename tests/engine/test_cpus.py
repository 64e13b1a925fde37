"""Every worker keeps to a CPU of its own, unless the machine is busy."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial

import psutil
import pytest

from grader.engine import cpus, grade_cohort

from .fakes import PROVENANCE, FakeMarker, cohort

ALLOWED = sorted(os.sched_getaffinity(0))
LoadOf = Callable[..., None]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> LoadOf:
    def pretend(*busy: float) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(len(busy))))
        monkeypatch.setattr(psutil, "cpu_percent", lambda interval, percpu: list(busy))

    return pretend


def test_the_most_idle_cpus_are_taken(load: LoadOf) -> None:
    load(40.0, 100.0, 3.0, 12.0)
    assert cpus.idle_cpus(2) == [2, 3]


def test_without_enough_idle_ones_none_is_taken(load: LoadOf) -> None:
    load(90.0, 80.0, 3.0)
    assert cpus.idle_cpus(2) == []


def test_cpus_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch, load: LoadOf) -> None:
    load(1.0, 2.0, 3.0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {2})
    assert cpus.idle_cpus(1) == [2]


def test_a_cpu_is_claimed_once(tmp_path, monkeypatch: pytest.MonkeyPatch, load: LoadOf) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    load(5.0, 1.0, 90.0)
    first, second, third = cpus.ClaimedCpu(), cpus.ClaimedCpu(), cpus.ClaimedCpu()
    assert (first.number, second.number, third.number) == (1, 0, None)
    first.release()
    assert cpus.ClaimedCpu().number == 1


def test_a_claim_ends_with_its_process(tmp_path, monkeypatch: pytest.MonkeyPatch, load: LoadOf) -> None:
    code = "from grader.engine import cpus; cpus.MOST_BUSY = 101; print(cpus.ClaimedCpu().number is not None)"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    load(*[1.0] * (max(ALLOWED) + 1))
    assert [cpus.ClaimedCpu().number for _ in ALLOWED][-1] is not None


def test_anothers_lock_file_is_passed_over(tmp_path, monkeypatch: pytest.MonkeyPatch, load: LoadOf) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    load(1.0, 5.0)
    (tmp_path / f"grader-{os.getuid()}-cpu-0.lock").symlink_to(tmp_path / "elsewhere")
    assert cpus.ClaimedCpu().number == 1
    assert not (tmp_path / "elsewhere").exists()


class WhereMarker(FakeMarker):
    """Notes the CPUs that it may run on."""

    def mark(self, submission):
        self.log("on:" + ",".join(map(str, sorted(os.sched_getaffinity(0)))))
        return super().mark(submission)


def places(tmp_path) -> set[str]:
    names = [f"s{number}-slow" for number in range(2)]
    grade_cohort(cohort(tmp_path, *names), partial(WhereMarker, tmp_path / "log"), PROVENANCE, 2)
    lines = (tmp_path / "log").read_text().splitlines()
    return {line.split()[0].removeprefix("on:") for line in lines if line.startswith("on:")}


def test_what_a_process_had_before_it_kept_to_one_cpu(tmp_path) -> None:
    code = (
        "from grader.engine.cpus import cpus_before, keep_to; first = cpus_before(); "
        f"keep_to({ALLOWED[0]}); keep_to({ALLOWED[0]}); print(sorted(first), sorted(cpus_before()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == f"[] {sorted(ALLOWED)}\n", done.stderr


@pytest.mark.skipif(len(ALLOWED) < 2, reason="needs two CPUs")
def test_workers_keep_to_one_cpu_each(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpus, "idle_cpus", lambda count: ALLOWED[:count])
    assert places(tmp_path) == {str(cpu) for cpu in ALLOWED[:2]}


def test_workers_may_use_all_cpus_of_a_busy_machine(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpus, "idle_cpus", lambda count: [])
    assert places(tmp_path) == {",".join(map(str, ALLOWED))}

"""The function that runs a marking, without a command line, with markers that only pretend."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from engine.fakes import HonestFake, marked_here, pretended_marking

from grader.engine import Finished, Started
from grader.errors import FAULT, INTERRUPTED, GraderFault, GraderUsageError
from grader.grading import run as run_module
from grader.grading.options import GradingOptions
from grader.grading.results import Results
from grader.grading.run import Listener, SeedFrom, grade
from grader.machine.capacity import Capacity


class Marker(HonestFake):
    """Marks by name, as the fakes do; `review` waits for a person, and `stop` is where somebody stops it."""

    def mark(self, submission):
        if "stop" in submission.name:
            raise KeyboardInterrupt
        result = super().mark(submission)
        if "review" not in submission.name:
            return result
        first, *others = result.items
        return replace(result, items=(replace(first, review="look at it"), *others))


@pytest.fixture(autouse=True)
def pretend(monkeypatch, tmp_path):
    with pretended_marking(monkeypatch, tmp_path, Marker):
        marked_here(monkeypatch)
        yield


@pytest.fixture
def cohort(tmp_path) -> Path:
    folder = tmp_path / "cohort"
    folder.mkdir()
    return folder


def hand_in(cohort: Path, *names: str, code: str = "") -> None:
    for name in names:
        (cohort / name / "part1").mkdir(parents=True, exist_ok=True)
        (cohort / name / "part1" / "utils.py").write_text(code)


def run(cohort: Path, listener: Listener | None = None, **options) -> Results:
    return grade(GradingOptions((cohort,), cohort.parent / "out", **{"pages": False} | options), listener)


def test_results_say_what_was_marked_kept_waits_and_failed(cohort):
    hand_in(cohort, "ada", "bob-review", "eve-raise")
    first = run(cohort)
    assert (first.marked, first.kept) == (("ada", "bob-review"), ())
    assert (first.waiting, first.failed, first.status) == (("bob-review",), ("eve-raise",), FAULT)
    assert [one.submission for one in first.submissions] == ["ada", "bob-review", "eve-raise"]
    hand_in(cohort, "ada", "zoe", code="pass")
    second = run(cohort)
    assert (second.marked, second.kept) == (("ada", "zoe"), ("bob-review",))
    assert (second.waiting, second.failed) == (("bob-review",), ("eve-raise",))
    assert second.seed == first.seed
    (cohort / "eve-raise" / "part1" / "utils.py").unlink()
    (cohort / "eve-raise").rename(cohort.parent / "elsewhere")
    assert run(cohort).status == 0


def test_what_is_no_submission_is_left_out_and_named(cohort):
    hand_in(cohort, "ada")
    (cohort / "notes.txt").write_text("hello")
    told: list[str] = []

    class Hearer(Listener):
        def found(self, warnings):
            told.extend(warnings)

    results = run(cohort, Hearer())
    assert results.left_out == ("notes.txt",)
    assert any("notes.txt" in warning for warning in told)
    assert (results.marked, results.status) == (("ada",), 0)


def test_an_interrupted_run_returns_what_is_on_the_disk(cohort):
    hand_in(cohort, "ada", "stop")
    results = run(cohort)
    assert (results.marked, results.interrupted, results.status) == (("ada",), True, INTERRUPTED)
    assert json.loads((results.output / "ada" / "results.json").read_text())["seed"] == results.seed
    assert results.page is None


def test_a_fault_in_the_middle_returns_what_is_on_the_disk(cohort, monkeypatch):
    from grader.engine import run as engine

    real = engine.write_result

    def full(output, result):
        if result.submission == "bob":
            raise OSError(28, "No space left on device")
        return real(output, result)

    monkeypatch.setattr(engine, "write_result", full)
    hand_in(cohort, "ada", "bob")
    results = run(cohort, jobs=1)
    assert (results.marked, results.status) == (("ada",), FAULT)
    assert results.fault.endswith("cannot write results: No space left on device")


def test_a_fault_before_the_first_submission_is_a_result_too(cohort, monkeypatch):
    def fail(options):
        raise GraderFault("no bubblewrap")

    monkeypatch.setattr("grader.grading.run.check_environment", fail)
    hand_in(cohort, "ada")
    results = run(cohort)
    assert (results.submissions, results.fault, results.status) == ((), "no bubblewrap", FAULT)


def plan(monkeypatch, jobs: int | None, found: Capacity) -> tuple[int, list[str]]:
    """How many jobs a run takes on a machine like this, and what it says about them."""
    monkeypatch.setattr(run_module, "capacity", lambda: found)
    said: list[str] = []
    return run_module._jobs(GradingOptions((), Path(), jobs=jobs), said.append), said


def test_jobs_are_planned_by_memory_too(monkeypatch):
    assert plan(monkeypatch, None, Capacity(16, 64 * 10**9)) == (4, [])
    assert plan(monkeypatch, None, Capacity(16, 3 * 10**9, grouped=True)) == (2, [])
    assert plan(monkeypatch, None, Capacity(2, 64 * 10**9)) == (2, [])


def test_more_jobs_than_the_memory_holds_are_taken_and_told(monkeypatch):
    assert plan(monkeypatch, 1, Capacity(16, 10**9)) == (1, [])
    jobs, (line,) = plan(monkeypatch, 8, Capacity(16, 3 * 10**9, grouped=True))
    assert jobs == 8
    assert line.startswith("--jobs 8: each takes about 1.3 GB of memory, and its control group leaves 3.0 GB")


def test_a_cluster_s_own_machines_need_a_box_and_this_one_does_not(cohort, monkeypatch):
    def fail(options):
        raise GraderFault("no bubblewrap")

    def elsewhere(options, factory, tell):
        raise GraderFault("the cluster was asked")

    monkeypatch.setattr(run_module, "check_environment", fail)
    monkeypatch.setattr(run_module, "_workers", elsewhere)
    hand_in(cohort, "ada")
    assert run(cohort).fault == "no bubblewrap"
    assert run(cohort, dask="tcp://127.0.0.1:1").fault == "the cluster was asked"


def test_an_open_dask_scheduler_needs_an_option(cohort, monkeypatch):
    hand_in(cohort, "ada")
    with pytest.raises(GraderUsageError, match="--dask-without-tls where nobody else is on that network"):
        run(cohort, dask="tcp://10.0.0.1:8786")
    assert run(cohort, dask="tcp://10.0.0.1:8786", dask_without_tls=True).status == 0


def test_what_cannot_begin_raises(cohort):
    with pytest.raises(GraderUsageError, match="no submissions in it"):
        run(cohort)
    with pytest.raises(GraderUsageError, match="--jobs, --dask and --slurm exclude each other"):
        GradingOptions((cohort,), cohort, jobs=2, dask="tcp://here:1")


def test_a_listener_is_told_in_order_and_nothing_is_printed(cohort, capfd):
    hand_in(cohort, "ada")
    told: list[object] = []

    class Hearer(Listener):
        def started(self, start):
            told.append((start.total, start.seed, start.seed_from))

        def on_event(self, event):
            told.append(type(event))

        def marked(self, results):
            told.append(results.marked)
            assert not (results.output / "index.html").exists()

    results = run(cohort, Hearer(), seed=5, pages=True)
    assert told == [(1, 5, SeedFrom.OPTIONS), Started, Finished, ("ada",)]
    assert results.page == results.output / "index.html"
    assert results.page.is_file()
    assert capfd.readouterr() == ("", "")


def test_a_seed_is_new_the_last_runs_or_that_of_an_interrupted_run(cohort):
    told: list[tuple[SeedFrom, int]] = []

    class Hearer(Listener):
        def started(self, start):
            told.append((start.seed_from, start.seed))

    hand_in(cohort, "ada")
    run(cohort, Hearer())
    run(cohort, Hearer())
    hand_in(cohort, "stop")
    run(cohort, Hearer())
    run(cohort, Hearer())
    run(cohort, Hearer(), fresh=True)
    froms = [seed_from for seed_from, _ in told]
    assert froms == [
        SeedFrom.NEW, SeedFrom.LAST_RUN, SeedFrom.LAST_RUN, SeedFrom.INTERRUPTED_RUN, SeedFrom.NEW
    ]  # fmt: skip
    assert len({seed for _, seed in told[:4]}) == 1 != told[4][1]


def test_a_page_that_cannot_be_written_is_a_fault_and_costs_no_mark(cohort):
    hand_in(cohort, "ada")
    (cohort.parent / "out" / "ada" / "feedback.md").mkdir(parents=True)
    results = run(cohort, pages=True)
    assert (results.marked, results.status) == (("ada",), FAULT)
    assert "feedback.md: cannot write pages" in results.fault

"""A cohort in several processes, and what happens to it when one of them fails."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from functools import partial

import pytest

from grader.engine import Finished, Started, grade_cohort
from grader.marking.result import GRADER_ERROR, NOT_SUBMITTED, PASSED, SubmissionResult

from .fakes import PROVENANCE, EndedMarker, NoMarker, cohort, fake, log_of


def status(result: SubmissionResult) -> str:
    """The status that all items share, each of them present with one check."""
    assert len(result.items) == 16
    assert all(len(item.checks) == 1 for item in result.items)
    (shared,) = {item.status for item in result.items}
    return shared


def statuses(results: list[SubmissionResult]) -> dict[str, str]:
    return {result.submission: status(result) for result in results}


def test_each_submission_is_marked_once_and_markers_stay_warm(tmp_path):
    names = [f"s{number}-slow" for number in range(6)]
    events = []
    results = grade_cohort(cohort(tmp_path, *names), fake(tmp_path), PROVENANCE, 2, events.append)
    assert [result.submission for result in results] == names
    log = log_of(tmp_path)
    assert sorted(line for line in log if line.startswith("mark")) == [f"mark:{name}" for name in names]
    assert log.count("made") == 2
    assert log.count("close") == 2
    assert sorted(event.name for event in events if isinstance(event, Started)) == names
    assert sorted(event.result.submission for event in events if isinstance(event, Finished)) == names


def test_garbage_is_collected_from_the_first_submission_on(tmp_path):
    grade_cohort(cohort(tmp_path, "garbage-1", "garbage-2"), fake(tmp_path), PROVENANCE, 1)
    assert [line for line in log_of(tmp_path) if line.startswith("gc")] == ["gc:False", "gc:True"]


def test_nothing_is_said_at_a_workers_end(tmp_path, capfd):
    """Libraries that torchvision imports complain of each other when Python takes them down."""
    grade_cohort(cohort(tmp_path, "vision"), fake(tmp_path), PROVENANCE)
    assert capfd.readouterr().err == ""
    assert log_of(tmp_path) == ["made", "mark:vision", "close"]


def test_no_more_processes_than_submissions(tmp_path):
    grade_cohort(cohort(tmp_path, "s1"), fake(tmp_path), PROVENANCE, 8)
    assert log_of(tmp_path) == ["made", "mark:s1", "close"]


def test_a_submission_that_cannot_be_read_is_the_students_failure(tmp_path):
    results = grade_cohort(cohort(tmp_path, "broken", "s1"), fake(tmp_path), PROVENANCE)
    assert statuses(results) == {"broken": NOT_SUBMITTED, "s1": PASSED}
    check = results[0].items[0].checks[0]
    assert check.name == "readable"
    assert "broken: the archive is damaged" in check.message
    assert check.hint
    assert results[0].points == 0
    assert results[0].marked
    assert "mark:broken" not in log_of(tmp_path)


def test_a_submission_that_is_gone_is_the_graders_fault(tmp_path):
    submissions = cohort(tmp_path, "s1")
    (submissions[0].path / "part1").rmdir()
    submissions[0].path.rmdir()
    (result,) = grade_cohort(submissions, fake(tmp_path), PROVENANCE)
    assert status(result) == GRADER_ERROR
    assert result.items[0].checks[0].name == "readable"
    assert not result.marked


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        ("die", "died, twice"),
        ("kill", "died, twice"),
        ("raise", "a fault of the grader"),
        ("exit", "failed, twice"),
    ],
)
def test_a_failing_submission_is_tried_twice_and_the_others_go_on(tmp_path, failing, message):
    results = grade_cohort(cohort(tmp_path, "s1", failing, "s2", "s3"), fake(tmp_path), PROVENANCE, 2)
    assert statuses(results) == {"s1": PASSED, failing: GRADER_ERROR, "s2": PASSED, "s3": PASSED}
    assert message in results[1].items[0].checks[0].message
    assert log_of(tmp_path).count(f"mark:{failing}") == 2


def test_two_failing_submissions(tmp_path):
    results = grade_cohort(cohort(tmp_path, "die1", "die2", "s1"), fake(tmp_path), PROVENANCE, 2)
    assert statuses(results) == {"die1": GRADER_ERROR, "die2": GRADER_ERROR, "s1": PASSED}


def test_a_second_attempt_may_succeed(tmp_path):
    results = grade_cohort(cohort(tmp_path, "once", "s1"), fake(tmp_path), PROVENANCE)
    assert statuses(results) == {"once": PASSED, "s1": PASSED}


def test_a_neighbour_in_work_does_not_pay_for_a_death(tmp_path):
    results = grade_cohort(cohort(tmp_path, "s1-slow", "die"), fake(tmp_path), PROVENANCE, 2)
    assert statuses(results) == {"s1-slow": PASSED, "die": GRADER_ERROR}


def test_a_marker_that_raised_is_closed_and_replaced(tmp_path):
    grade_cohort(cohort(tmp_path, "raise", "s1"), fake(tmp_path), PROVENANCE)
    assert log_of(tmp_path)[:4] == ["made", "mark:raise", "close", "made"]


def test_a_marker_that_never_starts_is_not_tried_for_every_submission(tmp_path):
    names = [f"s{number}" for number in range(10)]
    results = grade_cohort(cohort(tmp_path, *names), partial(NoMarker, tmp_path / "log"), PROVENANCE)
    assert statuses(results) == dict.fromkeys(names, GRADER_ERROR)
    assert "the marker does not start: OSError: no box to be had" in results[9].items[0].checks[0].message
    assert log_of(tmp_path) == ["tried", "tried"]


def test_a_failing_callback_ends_the_workers(tmp_path):
    def fail(event):
        if isinstance(event, Finished):
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        grade_cohort(cohort(tmp_path, "s1", "s2-sleep"), fake(tmp_path), PROVENANCE, 2, fail)
    assert log_of(tmp_path).count("close") == log_of(tmp_path).count("made")


def test_a_worker_told_to_end_while_it_closes_its_marker_closes_it_first(tmp_path):
    grade_cohort(cohort(tmp_path, "s1"), partial(EndedMarker, tmp_path / "log"), PROVENANCE)
    assert log_of(tmp_path) == ["made", "mark:s1", "close"]


def test_a_worker_told_to_end_while_it_closes_its_marker_ends(tmp_path):
    (result,) = grade_cohort(cohort(tmp_path, "raise"), partial(EndedMarker, tmp_path / "log"), PROVENANCE)
    assert "died, twice" in result.items[0].checks[0].message
    assert log_of(tmp_path) == ["made", "mark:raise", "close"] * 2


@pytest.mark.parametrize("delay", [0, 0.1])
def test_ctrl_c_is_left_to_the_parent_also_by_a_worker_that_is_only_starting(tmp_path, delay):
    """A terminal sends it to all processes; one that dies of it would count as a fault of the grader."""
    started = []

    def interrupt_workers(event):
        if isinstance(event, Started):
            started.append(event.name)
            time.sleep(delay)
            for process in multiprocessing.active_children():
                os.kill(process.pid, signal.SIGINT)

    results = grade_cohort(cohort(tmp_path, "s1"), fake(tmp_path), PROVENANCE, 1, interrupt_workers)
    assert statuses(results) == {"s1": PASSED}
    assert started == ["s1"], "not tried again"

"""The students' tests fail on the stubs with a word of help, pass on right code, and notice wrong code."""

from __future__ import annotations

import re

import pytest

from grader.release.stubs import REPOSITORY
from grader.rubric import load_rubric
from tests.bank.entries import TRAININGS, right, wrong
from tests.release.public_runs import files_of, run_all, run_folder
from tests.suites.calls import ITEMS, RIGHT_CALLS
from tests.suites.variants import edited, solution

# Measured: all of them. The previews may miss some mistakes, but not many.
NOTICED = 0.95
WRITE_NEXT = re.compile(
    r"Write next: \S.* \(question \d\.\d\)\.\nHint: it goes into part\d/\w+\.py at line \d+"
)


def test_every_automatic_item_has_a_file_of_tests():
    assert all(len(files_of(item.id)) == 1 for item in load_rubric().automatic)
    assert len(files_of("1") + files_of("2")) == len(load_rubric().automatic)


def test_all_fail_on_the_stubs_and_say_what_to_write():
    outcomes = run_folder(REPOSITORY / "student")
    assert len(outcomes) > 100
    assert {outcome.status for outcome in outcomes} == {"failed"}
    silent = [
        (outcome.name, outcome.message) for outcome in outcomes if not WRITE_NEXT.match(outcome.message)
    ]
    assert not silent
    assert all(outcome.not_written in outcome.message for outcome in outcomes)


# The trainings take half of the time; the release's own test runs them.
@pytest.mark.parametrize(
    "items",
    [
        tuple(item.id for item in load_rubric().automatic if item.id not in TRAININGS),
        pytest.param(tuple(sorted(TRAININGS)), marks=pytest.mark.slow),
    ],
    ids=["without trainings", "trainings"],
)
def test_all_pass_on_the_solutions(items):
    outcomes = run_folder(REPOSITORY / "solutions", items)
    assert {outcome.item for outcome in outcomes} == set(items)
    assert [(outcome.name, outcome.message) for outcome in outcomes if outcome.status != "passed"] == []


def refused(tasks):
    """What fails of right code: tests with their messages, by submission."""
    failed = {
        name: [(outcome.name, outcome.message) for outcome in outcomes if outcome.status != "passed"]
        for name, outcomes in run_all(tasks)
    }
    return {name: found for name, found in failed.items() if found}


def test_accept_unusual_trainings():
    trainings = {  # of the bank's right code, those that only a patient or a thoughtful test accepts
        "right part1: sigmoid everywhere": ("1.7.training",),
        "right part2: sigmoid everywhere": ("2.4.reconstruction", "2.5.training"),
        "right part2: half of it, without the method": ("2.5.training",),
        "right part2: the discriminator's loss written out in the loop": ("2.5.training",),
    }
    tasks = {entry.name: (entry.files, trainings[entry.name]) for entry in right() if entry.name in trainings}
    assert set(tasks) == set(trainings)
    assert refused(tasks) == {}


def test_accept_networks_called_in_pieces_or_by_a_mapping():
    tasks = {
        variant.name: (edited(solution(part), variant), tuple(sorted(items)))
        for part, items in ITEMS.items()
        for variant in RIGHT_CALLS
        if variant.file.startswith(part)
    }
    assert len(tasks) == len(RIGHT_CALLS)
    assert refused(tasks) == {}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_accept_whatever_is_right():
    assert refused({entry.name: (entry.files, (sorted(entry.items)[0][0],)) for entry in right()}) == {}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_notice_most_mistakes_and_name_a_cause():
    tasks = {entry.name: (entry.files, (entry.item,)) for entry in wrong()}
    first = {
        name: next((outcome for outcome in outcomes if outcome.status != "passed"), None)
        for name, outcomes in run_all(tasks, first_failure_only=True)
    }
    missed = sorted(name for name, failure in first.items() if failure is None)
    assert len(missed) <= (1 - NOTICED) * len(first), missed
    assert all(failure.message for failure in first.values() if failure is not None)
    # The others end with an exception of torch, which says it as well as we could.
    hinted = sum("Hint: " in failure.message for failure in first.values() if failure is not None)
    assert hinted > 0.8 * len(first)

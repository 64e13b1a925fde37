"""Several hand-ins of one student: which counts, by the course's policy, and what is said."""

from __future__ import annotations

import json
import shutil

import pytest
from report.results import passed

from gradebook.courses import (
    answers,
    autograded,
    exchange,
    half,
    hand_in,
    notebook,
    pretend_to_grade,
    roster,
    run,
    scores,
)
from gradebook.test_downloads import zip_collect, zipped
from grader.errors import GraderUsageError
from grader.gradebook.late import read_policy


def count(course, which: str) -> None:
    course.policy.write_text(f'timezone = "UTC"\ndue = "2027-12-11 00:00"\nattempts = "{which}"\n')


def by(course, text: str):
    return notebook(course, lambda name: text)


@pytest.mark.parametrize("value", ['"bset"', '"Best"', "1", "true", '""'])
def test_an_unknown_way_to_count_attempts_is_refused(course, value):
    course.policy.write_text(f"attempts = {value}\n")
    with pytest.raises(GraderUsageError, match=r"late.toml: attempts is .*, not one of latest, best"):
        read_policy(course.policy)


def submit(course, student: str, time: str, text: str) -> None:
    """What `nbgrader submit` leaves in the exchange."""
    folder = exchange(course) / "dgm" / "inbound" / f"{student}+a3+{time} UTC+x"
    folder.mkdir(parents=True)
    (folder / "report.ipynb").write_text(json.dumps(by(course, text)))
    (folder / "timestamp.txt").write_text(f"{time} UTC")


FIRST, SECOND, THIRD = (f"2027-12-{day} 12:00:00.000000" for day in (10, 11, 12))


def test_the_best_of_all_in_the_exchange_counts_and_so_does_its_lateness(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch, {"ada+attempt1": passed, "ada+attempt2": half})
    count(course, "best")
    submit(course, "ada", FIRST, "first")
    submit(course, "ada", SECOND, "second")
    assert run(course, collect=True, feedback=True) == 0
    said = capsys.readouterr().out
    told = (
        "attempt 1 of ada (2027-12-10 12:00 UTC, 22.5 automatic points) counts; it is the best, not attempt "
        "2 of ada (2027-12-11 12:00 UTC, 11.25 automatic points)"
    )
    assert told in said
    assert told in (course.feedback("ada") / "report.html").read_text()
    assert told in (course.results / "ada" / "feedback.html").read_text()
    assert answers(autograded(course, "ada"))["q1-1"] == "first"
    assert scores(course, "ada")["q1-7-kld"].auto == 1.5
    assert (course.submitted("ada") / "timestamp.txt").read_text().startswith("2027-12-10")
    names = ["ada+attempt1", "ada+attempt2"]
    assert sorted(path.name for path in course.collected.iterdir()) == names
    assert run(course, collect=True) == 0  # nothing is collected twice
    assert sorted(path.name for path in course.collected.iterdir()) == names
    submit(course, "ada", THIRD, "third")
    pretend_to_grade(monkeypatch, {"ada+attempt3": passed})
    assert run(course, collect=True) == 0
    assert answers(autograded(course, "ada"))["q1-1"] == "third"
    assert sorted(path.name for path in course.collected.iterdir()) == [*names, "ada+attempt3"]


def test_of_equally_good_attempts_the_latest_counts(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    count(course, "best")
    submit(course, "ada", FIRST, "first")
    submit(course, "ada", SECOND, "second")
    assert run(course, collect=True) == 0
    assert answers(autograded(course, "ada"))["q1-1"] == "second"


def test_by_default_the_latest_counts(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    submit(course, "ada", FIRST, "first")
    assert run(course, collect=True) == 0
    submit(course, "ada", SECOND, "second")
    assert run(course, collect=True) == 0
    assert answers(autograded(course, "ada"))["q1-1"] == "second"
    assert [path.name for path in course.collected.iterdir()] == ["ada"]


def test_the_policy_may_change_and_no_attempt_is_lost(course, monkeypatch):
    pretend_to_grade(monkeypatch, {"ada+attempt1": passed})
    count(course, "best")
    for time, text in (("2027-12-10 10:00 UTC", "first"), ("2027-12-10 11:00 UTC", "second")):
        shutil.rmtree(course.submitted("ada"), ignore_errors=True)
        hand_in(course, "ada", by(course, text), time=time)
        assert run(course) == 0
    assert answers(autograded(course, "ada"))["q1-1"] == "first"
    count(course, "latest")
    assert run(course) == 0
    assert answers(autograded(course, "ada"))["q1-1"] == "second"
    assert scores(course, "ada")["q1-7-kld"].auto == 0.75


def test_the_best_of_a_group_counts_for_all(course, monkeypatch):
    pretend_to_grade(monkeypatch, {"bob+attempt1": passed})
    count(course, "best")
    roster(course, "ada", "bob")
    (course.root / "groups.csv").write_text("group,students\nA,ada,bob\n")
    submit(course, "bob", FIRST, "by bob")
    submit(course, "ada", SECOND, "by ada")
    assert run(course, collect=True) == 0
    for student in ("ada", "bob"):
        assert answers(autograded(course, student))["q1-1"] == "by bob"
        assert scores(course, student)["q1-7-kld"].auto == 1.5


def test_an_own_later_hand_in_of_a_member_is_collected(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob")
    (course.root / "groups.csv").write_text("group,students\nA,ada,bob\n")
    submit(course, "ada", SECOND, "by ada")
    assert run(course, collect=True) == 0
    submit(course, "bob", FIRST, "by bob, earlier than what counts for him")
    assert run(course, collect=True) == 0
    assert (course.collected / "bob+attempt1").is_dir()
    assert answers(autograded(course, "bob"))["q1-1"] == "by ada"


def test_the_best_in_a_download_counts(course, monkeypatch):
    pretend_to_grade(monkeypatch, {"ada+attempt1": passed})
    count(course, "best")
    roster(course, "ada", first_name="Ada", last_name="L")
    archive = course.root / "downloaded" / "a3" / "archive"
    archive.mkdir(parents=True)
    for name, text in (("905 AM - a3.zip", "first"), ("1205 PM - again.zip", "second")):
        content = zipped({"report.ipynb": json.dumps(by(course, text)).encode()})
        (archive / f"12345-8 - Ada L - Mar 29, 2027 {name}").write_bytes(content)
    zip_collect(course)
    assert run(course) == 0
    assert answers(autograded(course, "ada"))["q1-1"] == "first"
    zip_collect(course)
    assert run(course) == 0
    assert sorted(path.name for path in course.collected.iterdir()) == ["ada+attempt1", "ada+attempt2"]

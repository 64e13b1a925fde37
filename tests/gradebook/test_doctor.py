from __future__ import annotations

import os
import re

import pytest

from gradebook.courses import exchange, roster
from grader.cli import main
from grader.gradebook.course_lock import only_run


@pytest.fixture
def said(course, capsys, monkeypatch):
    """What the doctor says of a course, with the status; no box is started."""
    monkeypatch.setattr("grader.gradebook.doctor.examine_box", lambda: iter(()))

    def ask() -> tuple[int, str]:
        status = main(["doctor", "--course", str(course.root)])
        return status, capsys.readouterr().out

    return ask


@pytest.fixture
def released(course, monkeypatch):
    """What `nbgrader release_assignment` leaves, where students can reach it."""
    monkeypatch.setattr("grader.gradebook.access.barrier", lambda path: None)
    monkeypatch.setattr("grader.gradebook.access.open_to_others", lambda path: False)
    place = exchange(course) / "dgm"
    (place / "outbound" / "a3").mkdir(parents=True)
    (place / "inbound").mkdir()
    os.chmod(place / "inbound", 0o2733)
    return place


def test_a_course_in_order(course, released, said):
    roster(course, "ada")
    status, text = said()
    assert status == 0
    assert "FAULT" not in text
    assert "'s alone" in text
    assert "ok: the gradebook opens; 1 on the roster" in text
    assert f"ok: students fetch a3 from {released}" in text
    assert "note: the ids on the roster are no accounts of this machine" in text


def test_an_inbound_that_everyone_can_list_is_a_fault(released, said):
    os.chmod(released / "inbound", 0o777)
    status, text = said()
    assert status == 1
    assert f"FAULT: {released / 'inbound'}: students can list what others handed in" in text


def test_an_inbound_that_nobody_can_write_to_is_a_fault(released, said):
    os.chmod(released / "inbound", 0o700)
    assert said()[0] == 1
    assert "students cannot hand in" in said()[1]


def test_what_a_run_warns_of_is_a_fault(course, said, monkeypatch):
    monkeypatch.setattr("grader.gradebook.access.open_to_others", lambda path: True)
    status, text = said()
    assert status == 1
    assert f"FAULT: {course.root}: every account on this machine can read" in text
    assert "solutions and suites" in text


def test_another_courses_root_is_a_fault(course, said):
    file = course.root / "nbgrader_config.py"
    file.write_text(file.read_text() + "\nc.CourseDirectory.root = '/srv/other'\n")
    status, text = said()
    assert status == 1
    assert "FAULT" in text
    assert "/srv/other" in text


def test_a_run_that_goes_on_is_named_and_not_disturbed(course, released, said):
    with only_run(course):
        status, text = said()
    assert status == 0
    assert re.search(r"note: .* has had a run in this course since", text)
    assert "has had a run" not in said()[1]


def test_a_shared_course_names_its_group(course, released, said):
    os.chmod(course.root, 0o770)
    status, text = said()
    assert status == 1
    assert "shared with the group" in text
    assert f"chmod g+s {course.root}" in text


def test_the_sandbox_is_started(course, released, capsys):
    assert main(["doctor", "--course", str(course.root)]) == 0
    assert "ok: the sandbox starts" in capsys.readouterr().out

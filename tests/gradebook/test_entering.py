"""While a run enters a student's marks, somebody marks them in formgrader: neither disturbs the other."""

from __future__ import annotations

import shutil

import pytest
from report.results import passed

from gradebook.courses import autograded, hand_in, notebook, pretend_to_grade, run, scores
from grader.gradebook import steps
from grader.gradebook.course import ASSIGNMENT, inside
from grader.gradebook.inject import InjectMarks


@pytest.fixture
def during(monkeypatch):
    """Have something done in the middle of entering each student's marks."""

    def do(act):
        real = InjectMarks.preprocess

        def preprocess(self, nb, resources):
            act()
            return real(self, nb, resources)

        monkeypatch.setattr(InjectMarks, "preprocess", preprocess)

    return do


def mark(course, name, points):
    """What formgrader does when a mark is typed."""
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        grade = gradebook.find_grade(name, "report", ASSIGNMENT, "ada")
        grade.manual_score, grade.needs_manual_grade = points, False
        gradebook.db.commit()


def test_a_mark_that_is_given_meanwhile_is_not_sent_back(course, monkeypatch, during):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    mark(course, "q1-2", 0.5)
    pretend_to_grade(monkeypatch, {"ada": passed})  # so that the marks are entered again
    during(lambda: (mark(course, "q1-1", 1.5), mark(course, "q1-2", 1.0)))
    assert run(course) == 0
    grades = scores(course, "ada")
    assert grades["q1-7-kld"].auto == 1.5
    assert (grades["q1-1"].manual, grades["q1-1"].waits) == (1.5, False)
    assert (grades["q1-2"].manual, grades["q1-2"].waits) == (1.0, False)
    assert grades["q1-3"].waits


def test_a_mark_that_is_given_meanwhile_for_another_answer_waits(course, monkeypatch, during):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    shutil.rmtree(course.submitted("ada"))
    hand_in(course, "ada", notebook(course, lambda name: "Another answer."), time="2027-12-11 12:00:00 UTC")
    during(lambda: mark(course, "q1-1", 1.5))
    assert run(course) == 0
    grades = scores(course, "ada")
    assert (grades["q1-1"].manual, grades["q1-1"].waits) == (1.5, True)


def test_the_submission_can_be_opened_all_the_time(course, monkeypatch, during):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    pretend_to_grade(monkeypatch, {"ada": passed})
    seen = []
    during(lambda: seen.append(len(autograded(course, "ada").cells)))
    assert run(course) == 0
    assert seen == [len(autograded(course, "ada").cells)]
    assert "1.5 of 1.5 points" in str(autograded(course, "ada"))
    assert not (course.state / "entering" / "ada").exists()

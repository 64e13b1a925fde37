"""After the code is marked again, gradebook, desk, feedback and exports say the same of every score."""

from __future__ import annotations

import csv
import random

import pytest
from gradebook.courses import pretend_to_grade, run

from grader.desk.desk import Desk
from grader.desk.rubric_items import questions
from grader.desk.scoring import Given
from grader.gradebook.course import inside
from grader.gradebook.exports.formats import Request, format_called
from grader.gradebook.exports.run import export_marks
from grader.gradebook.steps import open_gradebook
from grader.marking.result import PASSED
from grader.release.notebook import grade_id
from grader.report.whole_marks import read_whole_marks
from grader.rubric import load_rubric
from tests.desk.working import items, mark_all


@pytest.fixture
def marked(course, ana):
    """A course in which everything was marked at the desk, each question in another way."""
    desk = Desk(course, f"sqlite:///{course.root}/gradebook.db")
    draw = random.Random(1)
    for question in questions():
        cell = grade_id(question.id)
        chosen = [number for number in items(desk, cell) if draw.random() < 0.5]
        mark_all(desk, ana, Given(tuple(chosen), comment=f"Words on {question.id}."), cell)
    yield desk
    desk.database.close()


def in_gradebook(course) -> dict[tuple[str, str], float]:
    """Every score, as nbgrader's own library counts it."""
    with inside(course) as config, open_gradebook(config) as gradebook:
        return {
            (submission.student_id, grade.name): grade.score
            for submission in gradebook.assignment_submissions("a3")
            for grade in submission.notebooks[0].grades
            if not grade.needs_manual_grade
        }


@pytest.mark.slow
def test_all_agree_on_every_score(course, marked, monkeypatch, tmp_path):
    before = in_gradebook(course)
    by_hand = {grade_id(question.id) for question in questions()}
    students = {student for student, _ in before}
    pretend_to_grade(monkeypatch, {student: lambda item: (PASSED, 1.0, "", "") for student in students})
    assert run(course, feedback=True) == 0
    after = in_gradebook(course)
    assert len(after) == len(students) * 33, "nothing waits"
    assert {key: points for key, points in after.items() if key[1] in by_hand} == {
        key: points for key, points in before.items() if key[1] in by_hand
    }
    assert {after["s0001", grade_id(item.id)] - item.points for item in load_rubric().automatic} == {0}

    with marked.reading() as connection:
        for question in questions():
            cell = grade_id(question.id)
            for student, one in marked.question(connection, cell).standings.items():
                assert (one.points, one.waits) == (after[student, cell], False)
                assert not one.elsewhere
                assert not marked.changed(one)

    output = tmp_path / "marks.csv"
    assert export_marks(course, format_called("csv"), Request(output, None, "Practical 3")) == 0
    with output.open(newline="") as file:
        for row in csv.DictReader(file):
            student = row["student"]
            assert row["status"] == "complete"
            for item in load_rubric().items:
                assert float(row[item.id]) == after[student, grade_id(item.id)], (student, item.id)

    whole, problem = read_whole_marks(course.results)
    assert problem == ""
    for student, mark in whole.items():
        page = (course.feedback(student) / "report.html").read_text()
        total = sum(points for (name, _), points in after.items() if name == student)
        assert mark.points == pytest.approx(total)
        assert f"Score: {total:g} / 64.0" in page or f"Score: {total} / 64.0" in page
        assert "Words on 1.1." in page or after[student, "q1-1"] == 0

from __future__ import annotations

import json
import shutil

from gradebook.courses import hand_in, notebook, pretend_to_grade, run, scores
from grader.gradebook import steps
from grader.gradebook.course import ASSIGNMENT, inside


def typed_below(course, text):
    """A notebook with all answers but 1.2, and a text below question 1.1, in its own cell."""
    table = notebook(course, lambda name: None if name == "q1-2" else "Mine.")
    for cell in table["cells"]:
        if cell["metadata"]["nbgrader"]["grade_id"] == "question-1-1":
            cell["source"] = "".join(cell["source"]) + f"\n\n{text}"
    return table


def test_marks_are_asked_for_again_where_the_text_around_has_changed(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", typed_below(course, "The first text."))
    assert run(course) == 0
    assert scores(course, "ada")["q1-2"].waits
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        for name in ("q1-1", "q1-2", "q2-1"):
            grade = gradebook.find_grade(name, "report", ASSIGNMENT, "ada")
            grade.manual_score, grade.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    shutil.rmtree(course.root / "submitted" / "ada")
    hand_in(course, "ada", typed_below(course, "Another text."), time="2027-12-11 12:00:00 UTC")
    assert run(course) == 0
    grades = scores(course, "ada")
    assert {name: grades[name].waits for name in ("q1-1", "q1-2", "q2-1")} == {
        "q1-1": True,
        "q1-2": True,
        "q2-1": False,
    }
    assert json.loads((course.state / "prepared.json").read_text()).keys() == {"ada"}

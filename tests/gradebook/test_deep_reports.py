"""A report that lies deeper than usual, as in a repository of several courses."""

from __future__ import annotations

import json

import pytest

from gradebook.courses import answers, autograded, hand_in, notebook, pretend_to_grade, roster, run, scores


@pytest.mark.parametrize("place", ["a/b/c/report.ipynb", "work/courses/dl 2/lab/a3/Practical 3.ipynb"])
def test_a_notebook_in_deep_folders_is_found(course, monkeypatch, capsys, place):
    """As its code is; else the written answers counted 0, and nobody was asked."""
    roster(course, "ada")
    hand_in(course, "ada", extra={place: json.dumps(notebook(course)).encode()})
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    assert "no notebook was handed in" not in capsys.readouterr().out
    assert answers(autograded(course, "ada"))["q1-1"] == "My answer to q1-1."
    assert scores(course, "ada")["q1-1"].waits


def test_a_report_in_another_form_in_deep_folders_is_found(course, monkeypatch, capsys):
    roster(course, "ada")
    hand_in(course, "ada", extra={"a/b/c/report.pdf": b"%PDF-1.4"})
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    assert "ada: a report in another form: a/b/c/report.pdf" in capsys.readouterr().out
    assert scores(course, "ada")["q1-1"].waits

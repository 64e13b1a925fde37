"""A blank report beside a file that may hold the answers: they wait, or are read from there."""

from __future__ import annotations

import json

import pytest

from gradebook.courses import answers, autograded, hand_in, notebook, pretend_to_grade, roster, run, scores
from grader.release.bundle import contents

BLANK = "YOUR ANSWER HERE"
ANSWERS = b"# 1.1 Draw z from the prior.\n# 1.2 Average over many samples.\n"


@pytest.fixture
def graded(course, monkeypatch):
    """Grade a blank report with these files beside it; returns how many answers wait."""

    def grade(files, report=None):
        roster(course, "ada")
        report = report if report is not None else notebook(course, lambda name: None)
        hand_in(course, "ada", report or None, extra=files)
        pretend_to_grade(monkeypatch)
        assert run(course) == 0
        return sum(grade.waits for grade in scores(course, "ada").values())

    return grade


@pytest.mark.parametrize(
    "name",
    [
        *(
            "answers.py",
            "my_Antwoorden.py",
            "written.py",
            "text.py",
            "answers.json",
            "answers.yaml",
            "antwoorden",
        ),
        *("Antworten", "verslag", "README", ".answers.md", ".report.pdf", ".hidden/answers.txt", "notes"),
        *("scan.svg", "answers.svg", "answers.gif", "my answers.svg", "antwoorden.png", "report.csv"),
        *(".ipynb_checkpoints/answers-checkpoint.md", "Makefile"),
    ],
)
def test_blank_answers_beside_a_file_that_may_hold_them_wait(graded, capsys, name):
    assert graded({name: ANSWERS}) == 17
    assert name in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plots.py", b"import torch\n\nlosses = [\n    1.1 * torch.ones(2),\n    1.2 + 3,\n]\n"),
        ("part1/answer_free.txt.pyc", b"1.1"),
        ("README", b"Run python part1/train_pl.py with torch 2.1 or later.\n"),
        ("evidence/1.7/metrics.csv", b"epoch,bpd\n1.1,2.2\n"),
        ("evidence/1.7/options.json", b'{"z_dim": 20}'),
        ("figures/page_rank.svg", b"<svg/>"),
        ("figures/1.9_manifold.svg", b"<svg/>"),
        (".gitignore", b"1.1 text"),
        ("._report.md", b"\0\0Mac"),
        ("numbers", b"1.1 2.2\n1.2 3.3\n"),
        ("core", b"\x7fELF\0\0\n1.1 x\n"),
    ],
)
def test_a_file_that_is_no_report_lets_no_answer_wait(graded, name, content):
    assert graded({name: content}) == 0


def test_what_is_usually_handed_in_is_marked_without_a_person(graded):
    """The given files, the code, figures, evidence, and what Jupyter saves."""
    files = contents()
    files |= {f".ipynb_checkpoints/{name.partition('.')[0]}-checkpoint.ipynb": files[name] for name in KEPT}
    files |= {
        "figures/1.9_manifold.png": b"\x89PNG\r\n\x1a\n1",
        "evidence/1.7/metrics.csv": b"epoch,bpd\n1,2\n",
    }
    files |= {"part1/.ipynb_checkpoints/utils-checkpoint.py": b"# 1.7 the KLD\npass"}
    assert graded({name: content for name, content in files.items() if name != "report.ipynb"}) == 0


KEPT = ("report.ipynb", "colab.ipynb")


@pytest.mark.parametrize(
    "name",
    [
        *("a/b/c/d/report.ipynb", "a/b/c/mine.ipynb", ".ipynb_checkpoints/report-checkpoint.ipynb"),
        *("a3/.ipynb_checkpoints/report-checkpoint.ipynb", ".report.ipynb", ".backup/report.ipynb"),
    ],
)
def test_answers_in_a_notebook_that_lies_elsewhere_are_read(graded, course, capsys, name):
    picture = b"\x89PNG\r\n\x1a\n1"
    files = {name: json.dumps(notebook(course)).encode(), "figures/1.9_manifold.png": picture}
    assert graded(files) == 17
    assert answers(autograded(course, "ada"))["q1-1"] == "My answer to q1-1."
    assert f"several notebooks: {name} counts, not report.ipynb" in capsys.readouterr().out
    assert (course.autograded("ada") / "figures" / "1.9_manifold.png").read_bytes() == picture


def test_a_saved_notebook_answers_what_the_report_does_not(graded, course, capsys):
    name = ".ipynb_checkpoints/report-checkpoint.ipynb"
    report = notebook(course, lambda cell: None if cell == "q1-1" else f"Final {cell}.")
    assert graded({name: json.dumps(notebook(course)).encode()}, report) == 17
    made = autograded(course, "ada")
    assert answers(made)["q1-1"] != BLANK
    assert any("My answer to q1-1." in cell.source for cell in made.cells)


def test_an_earlier_saved_notebook_is_no_matter_where_all_is_answered(graded, course, capsys):
    name = ".ipynb_checkpoints/report-checkpoint.ipynb"
    report = notebook(course, lambda cell: f"Final {cell}.")
    assert graded({name: json.dumps(notebook(course)).encode()}, report) == 17
    assert "several notebooks" not in capsys.readouterr().out
    assert not any("My answer" in cell.source for cell in autograded(course, "ada").cells)

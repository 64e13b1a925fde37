"""Answers that stand in no notebook: whoever hands in such a file is not marked 0 without a person."""

from __future__ import annotations

import json

import pytest

from gradebook.courses import hand_in, notebook, pretend_to_grade, run, scores
from grader.gradebook.documents import DOCUMENT_SUFFIXES
from grader.gradebook.handed_in import UNREADABLE
from grader.gradebook.reports import read_reports


@pytest.mark.parametrize(
    "name",
    [
        *("report.pptx", "report.key", "report.xlsx", "report.numbers", "report.odp", "answers.djvu"),
        *("report.url", "report.webloc", "report.gdoc", "a3/IMG_1234.HEIC", "scan.tiff", "page1.webp"),
        *("IMG_20271214.jpg", "answers.jpeg", "figures/scan 1.jpg", "a3/WhatsApp Image 2027.jpeg"),
        *("answers.png", "figures/Screenshot 2027-12-14.png", "Schermafbeelding 3.png", "figures/q1_1.png"),
        *("Bildschirmfoto.png", "photo.png", "page-2.png", "hand written.png"),
    ],
)
def test_a_file_that_only_a_person_reads_is_named(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"\xff\xd8\xff1")
    reports = read_reports(tmp_path)
    assert reports.unread == [name]
    assert name in " ".join(reports.notes)


@pytest.mark.parametrize(
    "name",
    [
        *("figures/1.9_manifold.png", "figures/1.8 my samples.jpg", "figures/samples.png", "loss.png"),
        *("figures/curve.svg", "part1/__init__.py", "figures/epoch_10.png", "figures/page_rank.svg"),
    ],
)
def test_a_figure_is_no_answer(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n1")
    assert not read_reports(tmp_path).unread


@pytest.mark.parametrize("place", ["", "report.zip/"])
def test_what_could_not_be_unpacked_may_hold_the_answers(tmp_path, place):
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / UNREADABLE).write_text("# a3.rar: this kind of archive, rar, is not accepted\n")
    reports = read_reports(tmp_path)
    assert reports.unread
    assert "the download could not be unpacked: a3.rar: this kind" in " ".join(reports.notes)


def test_all_suffixes_are_lower_case():
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in DOCUMENT_SUFFIXES)


def test_blank_answers_beside_such_a_file_wait(course, monkeypatch):
    files = {"ada": {"answers.jpg": b"\xff\xd8\xff1"}, "bob": {UNREADABLE: b"# a3.zip: damaged\n"}, "cal": {}}
    for student, extra in files.items():
        hand_in(course, student, notebook(course, lambda name: None), extra=extra)
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    waiting = {student: sum(grade.waits for grade in scores(course, student).values()) for student in files}
    assert waiting == {"ada": 17, "bob": 17, "cal": 0}


NOTEBOOK = b'{"cells": [{"cell_type": "markdown", "metadata": {}, "source": "typed1word"}], "nbformat": 4}'


@pytest.mark.parametrize(
    "name",
    [
        *(
            "report.ipynb.crdownload",
            "report.ipynb.part",
            "report.ipynb (1)",
            "report.ipynb~",
            "a/REPORT.IPYNB",
        ),
        *("report.json", "report_ipynb", "report", ".ipynb_checkpoints/report-checkpoint.ipynb"),
    ],
)
def test_a_notebook_is_one_whatever_it_is_called(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(NOTEBOOK)
    (found,) = read_reports(tmp_path).notebooks
    assert [cell.source for cell in found.cells] == ["typed1word"]


@pytest.mark.parametrize("name", ["settings.json", "Makefile", "part1/utils", "report.ipynb.zip"])
def test_another_file_is_none(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b'{"cells": 1}')
    reports = read_reports(tmp_path)
    assert not reports.notebooks
    assert not reports.unread


@pytest.mark.parametrize(
    "name",
    ["answers", "answers.org", "answers.adoc", "My Report.xyz", "written part.csv", "part3.log", "essay"],
)
def test_a_file_that_is_called_a_report_is_one(tmp_path, name):
    (tmp_path / name).write_bytes(b"typed1word")
    assert read_reports(tmp_path).unread == [name]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("# Answers\n\n## Question 1.1\nDraw z.\n", True),
        ("1.1: draw z\n1.2: many samples\n", True),
        ("# A practical\n\nRun `python part1/train_pl.py`; torch 2.1 is needed.\n", False),
    ],
)
def test_a_readme_that_answers_questions_is_a_report(tmp_path, text, counts):
    (tmp_path / "README.md").write_text(text)
    assert bool(read_reports(tmp_path).unread) == counts


def output(kind, **data):
    return {"output_type": kind, "metadata": {}, **data}


def test_what_a_code_cell_shows_is_shown_though_its_source_is_gone(tmp_path):
    from grader.gradebook.rebuild import rebuild
    from grader.gradebook.released_notebook import Released
    from grader.release.notebook import EMPTY_ANSWER, build_notebook

    outputs = [
        output("display_data", data={"text/markdown": "typed1word", "text/plain": "<IPython object>"}),
        output("stream", name="stdout", text="typed2word"),
        output(
            "display_data",
            data={"text/html": "<b>typed3word</b>", "text/plain": "<IPython.core.display.HTML object>"},
        ),
        output(
            "display_data",
            data={"text/latex": "$typed4word$", "text/plain": "<IPython.core.display.Latex object>"},
        ),
    ]
    released = Released(build_notebook())
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": outputs}
    (tmp_path / "report.ipynb").write_text(json.dumps({"cells": [cell], "nbformat": 4}))
    made = rebuild(released, read_reports(tmp_path).notebooks[0].cells).notebook
    shown = "\n".join(one.source for one in made.cells)
    assert [
        word for word in ("typed1word", "typed2word", "typed3word", "typed4word") if word not in shown
    ] == []
    assert not any(one.source == EMPTY_ANSWER for one in made.cells)

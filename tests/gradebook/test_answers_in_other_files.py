"""Answers that stand in no notebook: whoever hands in such a file is not marked 0 without a person."""

from __future__ import annotations

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

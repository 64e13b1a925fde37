"""Feedback goes back to a learning platform in one archive, named after the platform's own download."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from gradebook.courses import hand_in, notebook, pretend_to_grade, roster, run
from gradebook.test_groups import group_file, mark_by_hand
from grader.cli import main
from grader.gradebook.hand_back import feedback_name
from grader.release.notebook import grade_id
from grader.rubric import load_rubric
from grader.submission.downloads import parse_all

MOODLE = ("Ada Lovelace_51_assignsubmission_file_", "Bob Ross_52_assignsubmission_file_")


@pytest.mark.parametrize(
    ("name", "feedback"),
    [
        (MOODLE[0], f"{MOODLE[0]}/feedback.html"),
        (f"{MOODLE[0]}a3.zip", f"{MOODLE[0]}feedback.html"),
        ("lovelaceada_904_55004_a3.zip", "lovelaceada_904_55004_feedback.html"),
        ("lovelaceada_LATE_904_55004_a3-2.zip", "lovelaceada_LATE_904_55004_feedback.html"),
        ("lovelaceada_904_55004_a3-1.tar.gz", "lovelaceada_904_55004_feedback.html"),
        (
            "13394-80551 - Ada Lovelace - Mar 29, 2018 1205 PM - a3.zip",
            "13394-80551 - Ada Lovelace - Mar 29, 2018 1205 PM - feedback.html",
        ),
        (
            "13394-80551 - Ada Lovelace - Mar 29, 2018 1205 PM",
            "13394-80551 - Ada Lovelace - Mar 29, 2018 1205 PM/feedback.html",
        ),
    ],
)
def test_it_begins_as_the_name_that_the_platform_gave(name: str, feedback: str) -> None:
    assert feedback_name(name, parse_all([name])[name]) == feedback


@pytest.fixture
def marked(course, monkeypatch):
    """Ada and Bob are marked in full, Cleo's answers wait."""
    pretend_to_grade(monkeypatch)
    roster(course, "ada", first_name="Ada", last_name="Lovelace", lms_user_id="904")
    roster(course, "bob", first_name="Bob", last_name="Ross", lms_user_id="905")
    roster(course, "cleo", first_name="Cleo", last_name="Carr", lms_user_id="906")
    for student in ("ada", "bob", "cleo"):
        hand_in(course, student, notebook(course))
    assert run(course, feedback=True) == 0
    for student in ("ada", "bob"):
        for item in load_rubric().items:
            if item.how != "auto":
                mark_by_hand(course, student, grade_id(item.id), 0.5)
    assert run(course, feedback=True) == 0
    return course


def download(folder: Path, *names: str) -> Path:
    """An archive as the platform gives it."""
    path = folder / "download.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(f"{name}/a3.zip" if name.endswith("_file_") else name, b"x")
    return path


def hand_back(course, *options: object) -> int:
    return main(["course", "hand-back", str(course.root), *map(str, options)])


def test_everybody_gets_their_own_page(marked, tmp_path, capsys) -> None:
    others = ("Cleo Carr_53_assignsubmission_file_", "Zed Zee_54_assignsubmission_file_")
    like = download(tmp_path, *MOODLE, *others)
    output = tmp_path / "back.zip"
    assert hand_back(marked, "--output", output, "--like", like) == 0
    said = capsys.readouterr().out
    assert "note: nobody on the roster fits: Zed Zee_54_assignsubmission_file_" in said
    assert "note: not complete yet, left out (--unfinished takes them): cleo" in said
    assert "feedback of 2 students in" in said
    with zipfile.ZipFile(output) as archive:
        assert archive.namelist() == [f"{name}/feedback.html" for name in MOODLE]
        for name, student in zip(MOODLE, ("ada", "bob"), strict=True):
            page = marked.feedback(student) / "report.html"
            assert archive.read(f"{name}/feedback.html") == page.read_bytes()
    assert output.stat().st_mode & 0o077 == 0
    assert hand_back(marked, "--output", output, "--like", like, "--unfinished") == 0
    with zipfile.ZipFile(output) as archive:
        assert len(archive.namelist()) == 3


def test_what_was_typed_into_canvas_is_named(marked, tmp_path, capsys) -> None:
    """Canvas takes a page back only for a file, whose number is in the name."""
    like = download(tmp_path, "rossbob_905_55004_a3.zip", "lovelaceada_904_text.html")
    output = tmp_path / "back.zip"
    assert hand_back(marked, "--output", output, "--like", like) == 0
    said = capsys.readouterr().out
    assert "note: typed into Canvas, which takes no file back for it: lovelaceada_904_text.html" in said
    with zipfile.ZipFile(output) as archive:
        assert archive.namelist() == ["rossbob_905_55004_feedback.html"]


def test_the_latest_of_several_uploads_and_what_was_collected(marked, tmp_path, capsys) -> None:
    folder = marked.root / "downloaded" / "a3" / "archive"
    folder.mkdir(parents=True)
    for name in ("lovelaceada_904_55004_a3.zip", "lovelaceada_904_55009_a3-1.zip"):
        (folder / name).write_bytes(b"x")
    output = tmp_path / "back.zip"
    assert hand_back(marked, "--output", output) == 0
    assert "note: handed in, and not in the download: bob, cleo" in capsys.readouterr().out
    with zipfile.ZipFile(output) as archive:
        assert archive.namelist() == ["lovelaceada_904_55009_feedback.html"]


def test_a_groups_hand_in_brings_back_each_members_page(marked, tmp_path) -> None:
    group_file(marked, "group 12,ada,bob")
    output = tmp_path / "back.zip"
    like = download(tmp_path, "group_12_1_55004_a3.zip")
    assert run(marked, feedback=True) == 0
    assert hand_back(marked, "--output", output, "--like", like, "--unfinished") == 0
    with zipfile.ZipFile(output) as archive:
        assert archive.namelist() == [
            "group_12_1_55004_feedback-ada.html",
            "group_12_1_55004_feedback-bob.html",
        ]
    like = download(tmp_path, *(f"group 12-{name}" for name in MOODLE))
    assert hand_back(marked, "--output", output, "--like", like, "--unfinished") == 0
    with zipfile.ZipFile(output) as archive:
        assert archive.namelist() == [f"group 12-{name}/feedback.html" for name in MOODLE]


def test_what_cannot_be_used_is_named(marked, tmp_path, capsys) -> None:
    output = tmp_path / "back.zip"

    def refused(message: str, *options: object) -> None:
        assert hand_back(marked, *options) == 2
        assert message in capsys.readouterr().err
        assert not output.exists()

    refused("downloaded/a3/archive: there is no such file; give the archive", "--output", output)
    (tmp_path / "no.zip").write_text("text")
    refused("no.zip: it is no zip archive and no folder", "--output", output, "--like", tmp_path / "no.zip")
    like = download(tmp_path, "ada.zip")
    refused("no name in it is one that Canvas, Moodle or", "--output", output, "--like", like)
    like = download(tmp_path, *MOODLE)
    refused("cannot write there", "--output", tmp_path / "nowhere" / "back.zip", "--like", like)

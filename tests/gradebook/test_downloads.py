from __future__ import annotations

import io
import json
import zipfile

import pytest

from gradebook.courses import ROOT, answers, autograded, notebook, pretend_to_grade, roster, run
from grader.gradebook.course import inside
from grader.gradebook.downloads import Sender, sender


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lovelace_12345_6789_a3-1", Sender("lovelace_12345_6789_a3-1", "12345")),
        ("lovelace_LATE_12345_6789_my_file", Sender("lovelace_LATE_12345_6789_my_file", "12345")),
        (
            "Ada Lovelace_1327627_assignsubmission_file_",
            Sender("Ada Lovelace_1327627_assignsubmission_file_", "1327627", "Ada Lovelace"),
        ),
        (
            "13394-80551 - Ada Lovelace - Mar 29, 2018 1205 PM - a3",
            Sender(
                "13394-80551 - Ada Lovelace - Mar 29, 2018 1205 PM - a3",
                "",
                "Ada Lovelace",
                "Mar 29, 2018 1205 PM",
            ),
        ),
        ("ada", Sender("ada")),
    ],
)
def test_names_of_downloads_say_whose_they_are(name, expected):
    assert sender(name) == expected


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def zip_collect(course):
    from nbgrader.apps.zipcollectapp import ZipCollectApp

    with inside(course):
        app = ZipCollectApp()
        app.initialize(["a3", "--force"])
        app.start()


def test_downloads_of_every_platform_become_submissions(course, monkeypatch, capsys):
    roster(course, "ada", first_name="Ada", last_name="Lovelace")
    roster(course, "alan", first_name="Alan", last_name="Turing")
    roster(course, "grace", lms_user_id="12345")
    roster(course, "1042")
    utils = (ROOT / "student" / "part1" / "utils.py").read_bytes()
    report = json.dumps(notebook(course)).encode()
    whole = zipped(
        {"my work/part1/utils.py": utils, "my work/report.ipynb": report, "my work/part1/x.pyc": b"1"}
    )
    archive = course.root / "downloaded" / "a3" / "archive"
    archive.mkdir(parents=True)
    (archive / "hopper_LATE_12345_99_work-1.zip").write_bytes(whole)
    moodle = archive / "Ada Lovelace_1327627_assignsubmission_file_"
    moodle.mkdir()
    (moodle / "a3.zip").write_bytes(whole)
    (archive / "13394-80551 - Alan Turing - Mar 29, 2027 1205 PM - a3.zip").write_bytes(whole)
    (archive / "1042.zip").write_bytes(
        zipped(
            {"../../evil.py": b"1", "/abs.py": b"1", "part1/utils.py": utils, "timestamp.txt": b"2000-01-01"}
        )
    )
    (archive / "Nobody Known_77_assignsubmission_file_.zip").write_bytes(whole)
    (archive / "broken_555_66_x.zip").write_bytes(whole[:300])
    zip_collect(course)
    assert not list(course.root.parent.rglob("evil.py"))
    assert not (course.submitted("1042") / "timestamp.txt").exists()  # a student does not say when
    assert (course.submitted("alan") / "timestamp.txt").read_text().startswith("2027-03-29 10:05:00")
    pretend_to_grade(monkeypatch)
    assert run(course) == 1  # two whom the roster does not know
    said = capsys.readouterr().out
    assert "Nobody-Known-77: is not on the roster" in said
    for student in ("ada", "alan", "grace"):
        assert (course.submitted(student) / "part1" / "utils.py").read_bytes() == utils
        assert answers(autograded(course, student))["q1-1"] == "My answer to q1-1."


@pytest.mark.slow
def test_a_bomb_costs_only_its_sender(course, monkeypatch, capfd):
    from grader.gradebook import downloads

    monkeypatch.setattr(downloads, "MAX_MEMBER_BYTES", 10_000)
    archive = course.root / "downloaded" / "a3" / "archive"
    archive.mkdir(parents=True)
    (archive / "ada.zip").write_bytes(zipped({"part1/utils.py": b"0" * 1_000_000}))
    (archive / "bob.zip").write_bytes(zipped({"part1/utils.py": b"pass\n"}))
    zip_collect(course)
    assert "ada.zip: cannot be unpacked: part1/utils.py is too large" in capfd.readouterr().err
    assert (course.submitted("bob") / "part1" / "utils.py").read_bytes() == b"pass\n"
    assert course.submitted("ada").is_dir()
    assert not (course.submitted("ada") / "part1" / "utils.py").exists()
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    assert "ada: the download could not be unpacked" in capfd.readouterr().out

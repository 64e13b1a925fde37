"""Downloads of learning management systems: whose each file is, and which hand-in counts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.submission import NAMED_FILES, Submission, find_submissions
from grader.submission.downloads import parse, parse_all
from grader.submission.read import read_found

from .wrapping import write_folder, write_zip

CANVAS, MOODLE = "doejane_12345_6789_", "Jane Doe_1327627_assignsubmission_file_"
BRIGHTSPACE = "13394-80551 - Jane Doe - Mar 29, 2018 1205 PM"


def read(cohort: Path) -> tuple[dict[str, Submission], tuple[str, ...]]:
    found = find_submissions([cohort])
    return {one.name: read_found(one) for one in found.submissions}, found.warnings


def loose(files: Mapping[str, bytes], prefix: str) -> dict[str, bytes]:
    """The files as single uploads."""
    return {prefix + name.rpartition("/")[2]: content for name, content in files.items()}


@pytest.mark.parametrize(
    ("name", "system", "student", "called", "file"),
    [
        ("doejane_12345_6789_answer-1.zip", "Canvas", "12345", "doejane_12345", "answer.zip"),
        ("doejane_LATE_12345_6789_train_pl.py", "Canvas", "12345", "doejane_12345", "train_pl.py"),
        ("group_a_12345_6789_a_1_2_b.zip", "Canvas", "12345", "group_a_12345", "a_1_2_b.zip"),
        (f"{MOODLE}", "Moodle", "1327627", "Jane Doe_1327627", ""),
        (f"{MOODLE[:-1]}", "Moodle", "1327627", "Jane Doe_1327627", ""),
        (f"{MOODLE}x.zip", "Moodle", "1327627", "Jane Doe_1327627", "x.zip"),
        ("Zoë van X_7_assignsubmission_onlinetext_", "Moodle", "7", "Zoë van X_7", ""),
        (f"{BRIGHTSPACE} - x - y.zip", "Brightspace", "13394", "Jane Doe_13394", "x - y.zip"),
        (BRIGHTSPACE, "Brightspace", "13394", "Jane Doe_13394", ""),
        # What students call their files has underscores, digits and dashes, too.
        (f"{CANVAS}a3_2_final-v2.zip", "Canvas", "12345", "doejane_12345", "a3_2_final-v2.zip"),
        (f"{MOODLE}a3_2_final-v2.zip", "Moodle", "1327627", "Jane Doe_1327627", "a3_2_final-v2.zip"),
        (f"{BRIGHTSPACE} - a3_2_f - 2.zip", "Brightspace", "13394", "Jane Doe_13394", "a3_2_f - 2.zip"),
    ],
)
def test_names(name, system, student, called, file):
    entry = parse(name)
    assert (entry.system, entry.student, entry.name, entry.file) == (system, student, called, file)


TAILS = [
    "x_7_assignsubmission_file_a.zip",
    "x_7_assignsubmission_file_",
    "_7_assignsubmission_onlinetext_a.zip",
    "7_8_9_a.zip",
    "x_LATE_7_8_a.zip",
    "7-8 - Joe Roe - Mar 30, 2018 1205 PM - a.zip",
    " - Mar 30, 2018 1205 PM - a.zip",
    "x\n_7_assignsubmission_file_a.zip",
]


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("head", [CANVAS, MOODLE, f"{BRIGHTSPACE} - "])
def test_what_a_student_calls_a_file_does_not_change_whose_it_is(head, tail):
    honest, told = parse(f"{head}answer.zip"), parse(head + tail)
    assert (told.system, told.student, told.name, told.hand_in) == (
        honest.system,
        honest.student,
        honest.name,
        honest.hand_in,
    )
    assert told.file == tail


def test_the_names_of_a_download_tell_together_where_it_comes_from():
    """A name that is chosen at Moodle may look like the head that Brightspace writes."""
    pretended = f"{BRIGHTSPACE} - x_7_assignsubmission_file_a.zip"
    alone, among = parse(pretended), parse_all([pretended, f"{MOODLE}a.zip"])[pretended]
    assert alone.system == "Brightspace"
    assert (among.system, among.student) == ("Moodle", "7")
    both = parse_all([pretended, f"{MOODLE}a.zip", "1-2 - Joe Roe - Mar 29, 2018 1205 PM - a.zip", "s1"])
    assert both[pretended].system == "Brightspace"
    assert "s1" not in both


@pytest.mark.parametrize("name", ["s1", "doe_12345.zip", "team_1_final", "2024-2025 - A - B", "index.html"])
def test_other_names_are_of_no_download(name):
    assert parse(name) is None


def test_times_of_brightspace_are_in_order():
    times = ["Jan 9, 2018 1205 AM", "Jan 9, 2018 905 AM", "Jan 9, 2018 1205 PM", "January 10, 2018 1:00 AM"]
    entries = [parse(f"1-2 - A - {time} - x.zip").hand_in for time in times]
    assert entries == sorted(entries)
    assert len(set(entries)) == 4


def test_canvas(tmp_path, files):
    cohort = tmp_path / "submissions"
    cohort.mkdir()
    write_zip(cohort / f"{CANVAS}answer.zip", files)
    write_folder(cohort, loose(files, "roejo_LATE_222_333_"))
    submissions, warnings = read(cohort)
    assert {name: one.files for name, one in submissions.items()} == {
        "doejane_12345": files,
        "roejo_222": files,
    }
    assert submissions["roejo_222"].warnings == ("handed in as single files, without part1/ and part2/",)
    assert warnings == ()


def test_canvas_latest_hand_in_counts(tmp_path, files):
    cohort = tmp_path / "submissions"
    cohort.mkdir()
    for upload, name in ((9, "a.zip"), (100, "a-1.zip"), (99, "b.zip")):
        write_zip(cohort / f"doejane_12345_{upload}_{name}", {**files, "part1/utils.py": b"%d" % upload})
    submissions, (warning,) = read(cohort)
    assert submissions["doejane_12345"].files["part1/utils.py"] == b"100"
    assert (
        warning
        == (
            "doejane_12345: handed in several times; the latest counts, doejane_12345_100_a-1.zip, "
            "not doejane_12345_99_b.zip and doejane_12345_9_a.zip"
        )
        or "doejane_12345_99_b.zip, doejane_12345_9_a.zip" in warning
    )


def test_canvas_single_files_uploaded_again(tmp_path):
    cohort = write_folder(
        tmp_path / "submissions",
        {"a_1_10_utils.py": b"old", "a_1_11_utils-1.py": b"new", "a_1_10_train.py": b"kept"},
    )
    submissions, warnings = read(cohort)
    assert submissions["a_1"].files == {"part1/utils.py": b"new", "part2/train.py": b"kept"}
    assert "not a_1_10_utils.py" in warnings[0]


@pytest.mark.parametrize("flat", [True, False])
def test_moodle(tmp_path, files, flat):
    cohort = write_folder(tmp_path / "download", {})
    if flat:
        write_zip(cohort / f"{MOODLE}answer.zip", files)
        write_folder(cohort, loose(files, "Joe Roe_2_assignsubmission_file_"))
        write_folder(cohort, {"Joe Roe_2_assignsubmission_onlinetext_onlinetext.html": b"see files"})
    else:
        write_folder(cohort / MOODLE, {"__MACOSX/._x": b""})
        write_zip(cohort / MOODLE / "answer.zip", files)
        write_folder(cohort / "Joe Roe_2_assignsubmission_file_", loose(files, ""))
        write_folder(cohort / "Joe Roe_2_assignsubmission_onlinetext_", {"onlinetext.html": b"see files"})
    submissions, warnings = read(cohort)
    assert {name: one.files for name, one in submissions.items()} == {
        "Jane Doe_1327627": files,
        "Joe Roe_2": files,
    }
    assert warnings == ()


def test_moodle_folder_with_the_parts_themselves(tmp_path, files):
    write_folder(tmp_path / "download" / MOODLE, files)
    write_folder(tmp_path / "download" / "B_2_assignsubmission_file_" / "wrapped", files)
    submissions, _ = read(tmp_path / "download")
    assert [one.files for one in submissions.values()] == [files, files]


def test_moodle_several_archives_the_latest_counts(tmp_path, files):
    folder = write_folder(tmp_path / "download" / MOODLE, {})
    for age, name in enumerate(("second.zip", "first.zip")):
        write_zip(folder / name, {**files, "part1/utils.py": name.encode()})
        os.utime(folder / name, (10**9 - age, 10**9 - age))
    submissions, (warning,) = read(tmp_path / "download")
    assert submissions["Jane Doe_1327627"].files["part1/utils.py"] == b"second.zip"
    assert "the latest counts, second.zip, not first.zip" in warning


@pytest.mark.parametrize(
    ("jane", "victor"),
    [
        (
            "Jane Doe_1327627_assignsubmission_file_x_1327628_assignsubmission_file_a.zip",
            "Victor Victim_1327628_assignsubmission_file_a.zip",
        ),
        ("doejane_777_88_x_12345_assignsubmission_file_a.zip", "victim_12345_99_a.zip"),
    ],
)
def test_nobody_hands_in_for_another_by_the_name_of_a_file(tmp_path, files, jane, victor):
    cohort = write_folder(tmp_path / "download", {})
    for name in (jane, victor):
        write_zip(cohort / name, {**files, "part1/utils.py": name.encode()})
    os.utime(cohort / victor, (10, 10))
    submissions, warnings = read(cohort)
    assert warnings == ()
    assert sorted(one.files["part1/utils.py"].decode() for one in submissions.values()) == sorted(
        (jane, victor)
    )


@pytest.mark.parametrize("folders", [True, False])
def test_brightspace_latest_hand_in_counts(tmp_path, files, folders):
    cohort = write_folder(tmp_path / "download", {"index.html": b""})
    for time in ("Mar 29, 2018 1205 PM", "Mar 29, 2018 1105 AM", "Feb 30, 2018 1159 PM"):
        hand_in = f"13394-80551 - Jane Doe - {time}"
        content = {**files, "part1/utils.py": time.encode()}
        write_zip(write_folder(cohort / hand_in, {}) / "x.zip", content) if folders else write_zip(
            cohort / f"{hand_in} - x.zip", content
        )
    submissions, (warning,) = read(cohort)
    assert submissions["Jane Doe_13394"].files["part1/utils.py"] == b"Mar 29, 2018 1205 PM"
    assert "handed in several times" in warning


def test_brightspace_later_single_files_are_not_mixed_with_an_earlier_archive(tmp_path, files):
    cohort = write_folder(tmp_path / "download", {})
    write_zip(cohort / f"{BRIGHTSPACE} - x.zip", files)
    write_folder(cohort, {"13394-80551 - Jane Doe - Mar 30, 2018 900 AM - utils.py": b"new"})
    submissions, warnings = read(cohort)
    assert submissions["Jane Doe_13394"].files == {"part1/utils.py": b"new"}
    assert f"not {BRIGHTSPACE} - x.zip" in warnings[0]


def test_a_student_who_handed_in_something_else_is_not_lost(tmp_path):
    cohort = write_folder(tmp_path / "download", {f"{CANVAS}report.pdf": b"%PDF", f"{CANVAS}net.py": b""})
    submissions, _ = read(cohort)
    one = submissions["doejane_12345"]
    assert (one.files, one.error) == ({}, "")
    assert one.review == "none of the assignment's files is in it, but net.py, report.pdf"
    assert one.warnings == (
        "none of its files is one of the assignment's: net.py, report.pdf",
        "net.py is not one of the files of the assignment and was not read",
    )


def test_two_students_with_one_id(tmp_path, files):
    cohort = write_folder(tmp_path / "download", {})
    for name in ("doejane_1_2_x.zip", "roejo_1_3_x.zip"):
        write_zip(cohort / name, files)
    write_zip(cohort / f"{CANVAS}x.zip", files)
    submissions, warnings = read(cohort)
    assert submissions["doejane_12345"].files == files
    for name in ("doejane_1", "roejo_1"):
        assert submissions[name].files == {}
        assert submissions[name].review.startswith("two students have the Canvas id 1; ")
        assert not re.search("doe|roe", submissions[name].review), "students read it"
    (warning,) = warnings
    assert re.search(r"the Canvas id 1: .*doejane_1_2_x.zip and .*roejo_1_3_x.zip; rename or remove", warning)


def test_a_download_and_folders_of_the_same_name(tmp_path, files):
    cohort = write_folder(tmp_path / "download", {})
    write_zip(cohort / f"{CANVAS}x.zip", files)
    write_folder(cohort / "doejane_12345", files)
    submissions, (warning,) = read(cohort)
    review = submissions["doejane_12345"].review
    assert re.search(
        r"two submissions are called doejane_12345: .* and .*x.zip; rename or remove one", review
    )
    assert "called doejane_12345: " in warning
    assert f"{cohort}/{CANVAS}x.zip; rename or remove one: none of them is marked" in warning


def test_everything_that_is_passed_over_is_named(tmp_path, files):
    cohort = write_folder(tmp_path / "download", {})
    for number in range(12):
        write_zip(cohort / f"doejane_1_{number}_a.zip", files)
        write_folder(cohort, {f"doejane_1_{number}_notes.txt": b""})
    _, warnings = read(cohort)
    told = " ".join(warnings)
    assert all(f"doejane_1_{number}_a.zip" in told for number in range(12))
    assert all(f"doejane_1_{number}_notes.txt" in told for number in range(12))


def test_a_notebook_alone_does_not_wait_for_code(tmp_path):
    cohort = write_folder(
        tmp_path / "download", {"doejane_1_2_report.ipynb": b"{}", "doejane_1_3_a.png": b""}
    )
    submissions, _ = read(cohort)
    assert submissions["doejane_1"].review == ""


def test_links_in_a_download_are_refused(tmp_path, files):
    write_folder(tmp_path / "elsewhere", {**files, "utils.py": b"secret"})
    cohort = write_folder(tmp_path / "download", {})
    (cohort / MOODLE).symlink_to(tmp_path / "elsewhere")
    (cohort / f"{CANVAS}utils.py").symlink_to(tmp_path / "elsewhere" / "utils.py")
    submissions, _ = read(cohort)
    for one in submissions.values():
        assert one.files == {}
        assert "symbolic link" in one.error
        assert one.fault == "student"


def test_an_archive_in_a_students_folder(tmp_path, files):
    cohort = tmp_path / "cohort"
    write_zip(write_folder(cohort / "s1", {"report.pdf": b""}) / "answer.zip", files)
    write_zip(write_folder(cohort / "s2", {"part1/utils.py": b"own"}) / "old.zip", files)
    for age, name in enumerate(("b.zip", "a.zip")):
        write_zip(write_folder(cohort / "s3", {}) / name, {"part1/utils.py": name.encode()})
        os.utime(cohort / "s3" / name, (10**9 - age, 10**9 - age))
    submissions, (beside, warning) = read(cohort)
    assert submissions["s1"].files == files
    assert beside == "s1: answer.zip counts; beside it, and not read: report.pdf"
    assert submissions["s2"].files == {"part1/utils.py": b"own"}
    assert submissions["s3"].files == {"part1/utils.py": b"b.zip"}
    assert warning == "s3: holds several archives; the latest counts, b.zip, not a.zip"


def test_every_file_has_a_name_of_its_own():
    assert len({name.rpartition("/")[2] for name in NAMED_FILES}) == len(NAMED_FILES)


def test_a_broken_archive_of_a_download(tmp_path):
    (write_folder(tmp_path / "download", {}) / f"{CANVAS}x.zip").write_bytes(b"PK")
    submissions, _ = read(tmp_path / "download")
    assert "the archive is damaged" in submissions["doejane_12345"].error

"""Names in the downloads of platforms, in their less common forms: hidden names, groups, other languages.

Canvas: `anon_` and `LATE_anon_` with five letters or digits, and the order of the numbers, as its own
`infer_comment_context_from_filename` (app/models/assignment.rb) takes them back; as described, not copied
from a Canvas. Brightspace: only the American form is of a real download; what months are called is from CLDR,
by Babel 2.18.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.submission import Submission, find_submissions
from grader.submission.downloads import parse, parse_all
from grader.submission.read import read_found

from .wrapping import write_folder, write_zip


def read(cohort: Path) -> tuple[dict[str, Submission], tuple[str, ...]]:
    found = find_submissions([cohort])
    return {one.name: read_found(one) for one in found.submissions}, found.warnings


def loose(files, prefix: str) -> dict[str, bytes]:
    """The files as single uploads, each with a number of its own."""
    return {
        prefix.format(55001 + number) + name.rpartition("/")[2]: content
        for number, (name, content) in enumerate(sorted(files.items()))
    }


@pytest.mark.parametrize(
    ("name", "student", "file"),
    [
        ("anon_Qq7r8_55001_utils.py", "Qq7r8", "utils.py"),
        ("LATE_anon_Ab1c2_55012_handin.zip", "Ab1c2", "handin.zip"),
        ("anon_12345_55001_utils-1.py", "12345", "utils.py"),
        # What a student calls a file changes nothing, also where it looks like the head of another.
        ("anon_Qq7r8_55001_7_utils.py", "Qq7r8", "7_utils.py"),
        ("anon_Qq7r8_55001_anon_Ab1c2_55012_a.zip", "Qq7r8", "anon_Ab1c2_55012_a.zip"),
        ("anon_Qq7r8_55001_x_7_8_9.zip", "Qq7r8", "x_7_8_9.zip"),
    ],
)
def test_canvas_hides_names(name, student, file):
    entry = parse(name)
    assert (entry.system, entry.student, entry.name, entry.file, entry.anonymous) == (
        *("Canvas", student, f"anon_{student}", file),
        True,
    )


def test_a_group_that_only_looks_hidden():
    names = ["anon_group_904_55004_a3.zip", "red_team_905_55005_a3.zip"]
    assert [entry.name for entry in parse_all(names).values()] == ["anon_group_904", "red_team_905"]


def test_hidden_single_files_are_one_submission_each(tmp_path, files):
    cohort = write_folder(tmp_path / "submissions", loose(files, "anon_Qq7r8_{}_"))
    write_folder(cohort, loose(files, "LATE_anon_Ab1c2_{}_"))
    submissions, warnings = read(cohort)
    assert {name: one.files for name, one in submissions.items()} == {
        "anon_Qq7r8": files,
        "anon_Ab1c2": files,
    }
    assert warnings == ()


def test_of_two_archives_of_a_hidden_student_the_latest_counts(tmp_path, files):
    cohort = write_folder(tmp_path / "submissions", {})
    for name in ("anon_Qq7r8_55001_a.zip", "LATE_anon_Qq7r8_55020_b.zip"):
        write_zip(cohort / name, {**files, "part1/utils.py": name.encode()})
    submissions, (warning,) = read(cohort)
    assert list(submissions) == ["anon_Qq7r8"]
    assert submissions["anon_Qq7r8"].files["part1/utils.py"] == b"LATE_anon_Qq7r8_55020_b.zip"
    assert "the latest counts, LATE_anon_Qq7r8_55020_b.zip, not anon_Qq7r8_55001_a.zip" in warning


def called(*names: str) -> list[tuple[str, str]]:
    """The submission and the file of each name of a download."""
    entries = parse_all(names)
    return [(entries[name].name, entries[name].file) for name in names]


@pytest.mark.parametrize("who", ["group_12", "project_groups_3", "Team_7", "blue_team-4_2"])
def test_a_group_may_end_with_a_number(who):
    assert called(f"{who}_904_55004_utils.py") == [(f"{who}_904", "utils.py")]


@pytest.mark.parametrize("who", ["red_7", "section_b_7"])
def test_of_two_files_of_one_group_the_number_that_comes_twice_is_the_groups(who):
    assert called(f"{who}_904_55004_a.zip", f"{who}_904_55005_report.ipynb") == [
        (f"{who}_904", "a.zip"),
        (f"{who}_904", "report.ipynb"),
    ]


def test_groups_that_are_only_numbered():
    assert called("practicum_1_901_55001_a.zip", "practicum_2_902_55002_a.zip") == [
        ("practicum_1_901", "a.zip"),
        ("practicum_2_902", "a.zip"),
    ]


def test_the_others_tell_what_is_a_files_number():
    assert called("red_7_904_55004_a.zip", "blue_905_55005_a.zip")[0] == ("red_7_904", "a.zip")
    assert called("doejane_904_55004_1042_a.zip", "roejo_905_55005_a.zip")[0] == ("doejane_904", "1042_a.zip")


@pytest.mark.parametrize(
    "file", ["1042_a3.zip", "2_utils.py", "12345_55009_a.zip", "7_8_9_a.zip", "99999_a.zip", "0_a.zip"]
)
def test_a_students_own_number_in_a_file_is_no_students(file):
    """Nor can anybody hand in for another by it."""
    alone = called(f"doejane_12345_55001_{file}")
    among = called(f"doejane_12345_55001_{file}", "victim_12399_55009_a.zip", "roejo_12388_55010_b.zip")
    again = called(f"doejane_12345_55001_{file}", f"doejane_12345_55002_{file}", "victim_12399_55009_a.zip")
    assert alone[0] == among[0] == again[0] == again[1] == ("doejane_12345", file)


def test_a_group_that_hands_in_single_files(tmp_path, files):
    cohort = write_folder(tmp_path / "submissions", loose(files, "group_12_904_{}_"))
    write_folder(cohort, loose(files, "group_13_905_{}_"))
    submissions, warnings = read(cohort)
    assert {name: one.files for name, one in submissions.items()} == {
        "group_12_904": files,
        "group_13_905": files,
    }
    assert warnings == ()


BRIGHTSPACE = "13394-80551 - Jane Doe-Roe - {} - x - y.zip"


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("Mar 29, 2018 1205 PM", (2018, 3, 29, 12, 5)),
        ("Mar 29, 2018 12_05 PM", (2018, 3, 29, 12, 5)),  # a Windows unpacker, as d2lmf 1.0 expects it
        ("March 29, 2018 12:05 AM", (2018, 3, 29, 0, 5)),
        ("29 March, 2018 2005", (2018, 3, 29, 20, 5)),
        ("29 maart 2018 905", (2018, 3, 29, 9, 5)),
        ("29. März 2018 1205 Uhr", (2018, 3, 29, 12, 5)),
        ("29 mars 2018 12h05", (2018, 3, 29, 12, 5)),
        ("29 déc. 2018 12.05", (2018, 12, 29, 12, 5)),
        ("29 de marzo de 2018 1205 p.m.", (2018, 3, 29, 12, 5)),
        ("29 Mart 2018 1205", (2018, 3, 29, 12, 5)),
        ("2018-03-29 1205", (2018, 3, 29, 12, 5)),
        ("2018年3月29日 12:05", (2018, 3, 29, 12, 5)),
        ("2018년 3월 29일 오후 105", (2018, 3, 29, 13, 5)),
        ("29.03.2018 1205", (2018, 3, 29, 12, 5)),
        ("03.04.2018 1205", (2018, 4, 3, 12, 5)),  # with dots, the day comes first
        ("29-03-2018 1205", (2018, 3, 29, 12, 5)),
        ("03-29-2018 1205 PM", (2018, 3, 29, 12, 5)),
        # Whose it is is known, when not.
        ("03-04-2018 1205", ()),
        ("Mar 29, 2018 1205 XM", ()),
        ("Mar 29, 2018 2565", ()),
        ("29 listopada 2018 1205", ()),  # October in Croatian, November in Polish
        ("٢٩ 2018 1205", ()),
    ],
)
def test_brightspace_writes_times_in_many_ways(date, time):
    entry = parse(BRIGHTSPACE.format(date))
    assert (entry.system, entry.student, entry.name) == ("Brightspace", "13394", "Jane Doe-Roe_13394")
    assert (entry.file, entry.hand_in) == ("x - y.zip", time)


@pytest.mark.parametrize(("other", "month", "day"), [("29-03-2018", 4, 3), ("03-29-2018", 3, 4)])
def test_dates_of_numbers_are_told_by_the_others_of_the_download(other, month, day):
    name = BRIGHTSPACE.format("03-04-2018 1205")
    entries = parse_all([name, f"1-2 - Joe Roe - {other} 1205 - a.zip"])
    assert entries[name].hand_in == (2018, month, day, 12, 5)


def test_brightspace_in_another_language_latest_hand_in_counts(tmp_path, files):
    cohort = write_folder(tmp_path / "download", {})
    for time in ("9 mars 2018 2305", "10 mars 2018 905", "28 février 2018 2359"):
        write_zip(cohort / f"1-2 - Zoë Ç - {time} - x.zip", {**files, "part1/utils.py": time.encode()})
    submissions, _ = read(cohort)
    assert submissions["Zoë Ç_1"].files["part1/utils.py"] == b"10 mars 2018 905"


@pytest.mark.parametrize("name", ["2024-2025 - A - B", "1-2 - final - version 3.zip", "12-34 - 2018 1205"])
def test_other_names_are_of_no_download(name):
    assert parse(name) is None


@pytest.mark.parametrize(
    ("name", "student", "called", "file"),
    [
        ("moegus_907_text.html", "907", "moegus_907", "text.html"),
        ("moegus_LATE_907_text.html", "907", "moegus_907", "text.html"),
        ("moegus_907_link.html", "907", "moegus_907", "link.html"),
        ("red_team_907_text.html", "907", "red_team_907", "text.html"),
        ("group_12_904_text.html", "904", "group_12_904", "text.html"),
        ("Team_7_LATE_904_link.html", "904", "Team_7_904", "link.html"),
        ("anon_Qq7r8_text.html", "Qq7r8", "anon_Qq7r8", "text.html"),
        ("LATE_anon_Qq7r8_link.html", "Qq7r8", "anon_Qq7r8", "link.html"),
    ],
)
def test_what_was_typed_into_canvas(name, student, called, file):
    entry = parse(name)
    assert (entry.system, entry.student, entry.name, entry.file) == ("Canvas", student, called, file)
    assert entry.typed
    assert entry.anonymous == ("anon" in name)
    assert entry.late == ("LATE" in name)


@pytest.mark.parametrize(
    ("name", "student", "file"),
    [
        ("moegus_907_55_text.html", "907", "text.html"),
        ("moegus_LATE_907_55_text.html", "907", "text.html"),
        ("moegus_907_55_x_7_text.html", "907", "x_7_text.html"),
        ("anon_Qq7r8_55_text.html", "Qq7r8", "text.html"),
    ],
)
def test_a_file_that_is_called_as_if_it_was_typed(name, student, file):
    entry = parse(name)
    assert (entry.student, entry.file, entry.typed) == (student, file, False)


def test_a_groups_file_beside_others_was_not_typed():
    names = ["team_904_55001_a.zip", "team_904_55002_text.html", "group_12_904_text.html"]
    assert called(*names) == [("team_904", "a.zip"), ("team_904", "text.html"), ("group_12_904", "text.html")]


@pytest.mark.parametrize("name", ["moegus_text.html", "907_text.html", "moegus_907_texts.html", "text.html"])
def test_other_pages_were_not_typed(name):
    assert parse(name) is None


def test_marking_without_a_course_names_what_was_typed(tmp_path, files):
    cohort = write_folder(tmp_path / "submissions", loose(files, "doejane_12345_{}_"))
    write_folder(cohort, {"moegus_907_text.html": b"<p>My answer</p>"})
    submissions, (warning,) = read(cohort)
    assert list(submissions) == ["doejane_12345"]
    assert "moegus_907_text.html: skipped, " in warning

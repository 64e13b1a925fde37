"""One hand-in for several students: who is in a group, and what each of them gets."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from gradebook.courses import answers, autograded, hand_in, notebook, pretend_to_grade, roster, run, scores
from grader.cli import main
from grader.errors import GraderUsageError
from grader.gradebook import steps
from grader.gradebook.course import ASSIGNMENT, inside
from grader.gradebook.groups import read_groups


def group_file(course, *lines: str) -> None:
    (course.root / "groups.csv").write_text("\n".join(("group,students", *lines, "")))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["A,ada,bob", "B,bob,cleo"], "bob is in A and in B"),
        (["A,ada,bob", "B,,"], "B has no students"),
        (["A,ada", "A,bob"], "A stands there twice"),
        (["Group 1,ada", "Group-1,bob"], "Group 1, Group-1 are alike, one of them needs another name"),
        (["A,ada,ada"], "ada stands twice in A"),
        ([",ada,bob"], "the group of ada, bob has no name"),
        (["A,a/b"], "a/b, in A, cannot be the id of a student"),
        (["figures,ada"], "figures cannot be the name of a folder"),
        (["ada,ada,bob"], "ada is a student and a group: call the group otherwise"),
        (
            ["A,ada,zed"],
            "zed, in A, is not on the roster: correct the id, or run nbgrader db student add zed",
        ),
        (["cleo,ada,bob"], "cleo is the id of a student, too"),
        (
            ["A,ada,bob", "B,bob", "C", "C,zed"],
            "C has no students; C stands there twice; bob is in A and in B",
        ),
    ],
)
def test_a_wrong_file_of_groups_stops_the_run_and_says_all(course, lines, reason):
    roster(course, "ada", "bob", "cleo")
    hand_in(course, "ada", notebook(course))
    group_file(course, *lines)
    with pytest.raises(GraderUsageError) as raised:
        run(course)
    assert "groups.csv: " in str(raised.value)
    assert reason in str(raised.value)
    assert (course.submitted("ada") / "report.ipynb").is_file()


@pytest.mark.parametrize(
    "text", ["ada,bob\nA,cleo\n", "name,students\nA,ada\n", "group,students,more\nA,ada\n"]
)
def test_a_file_of_groups_without_its_heads_is_refused(course, text):
    (course.root / "groups.csv").write_text(text)
    with pytest.raises(GraderUsageError, match="its first line has to be group,students"):
        read_groups(course)


def test_groups_as_spreadsheets_save_them(course):
    text = "\ufeffgroup;students;;\r\nGroup Ä;ada;bob;\r\n;;;\r\nB;cleo;;\r\n"
    (course.root / "groups.csv").write_bytes(text.encode())
    found = read_groups(course)
    assert [(group.name, group.members) for group in found.groups] == [
        ("Group Ä", ("ada", "bob")),
        ("B", ("cleo",)),
    ]


def test_one_hand_in_is_marked_once_and_counts_for_all(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob", "cleo", "dora")
    group_file(course, "Group 12,ada,bob,cleo")
    hand_in(course, "ada", notebook(course), extra={"submission_secret.txt": b"secret"})
    hand_in(course, "dora", notebook(course))
    assert run(course, feedback=True) == 0
    said = capsys.readouterr().out
    assert "collected 2 submissions" in said
    assert "64 scores of 4 submissions agree with the results" in said
    assert "handed in nothing" not in said
    assert sorted(path.name for path in course.collected.iterdir()) == ["ada+attempt1", "dora"]
    told = "attempt 1 of ada (2027-12-10 13:00 Europe/Amsterdam) counts for all of Group 12: ada, bob, cleo"
    for student in ("ada", "bob", "cleo"):
        assert scores(course, student)["q1-7-kld"].auto == 0.75
        assert answers(autograded(course, student))["q1-1"] == "My answer to q1-1."
        assert (course.submitted(student) / "timestamp.txt").read_text() == "2027-12-10 12:00:00 UTC"
        result = json.loads((course.results / student / "results.json").read_text())
        assert (result["submission"], result["hand_in"]) == (student, told)
        assert told in (course.feedback(student) / "report.html").read_text()
        assert told in (course.results / student / "feedback.html").read_text()
    assert (course.submitted("ada") / "submission_secret.txt").is_file()
    assert not (course.submitted("bob") / "submission_secret.txt").exists()  # the way to ada's feedback
    assert "hand_in" not in json.loads((course.results / "dora" / "results.json").read_text())
    with (course.results / "marks.csv").open() as file:
        points = {row["submission"]: row["points"] for row in csv.DictReader(file)}
    assert points == dict.fromkeys(("ada", "ada+attempt1", "bob", "cleo", "dora"), "11.25")


def test_a_second_run_changes_nothing(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    group_file(course, "Group 12,ada,bob")
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    before = {path: path.read_bytes() for path in sorted(course.collected.rglob("*")) if path.is_file()}
    stamps = [
        course.autograded(student).joinpath("report.ipynb").stat().st_mtime_ns for student in ("ada", "bob")
    ]
    (course.state / "prepared.json").unlink()
    capsys.readouterr()
    assert run(course) == 0
    assert {
        path: path.read_bytes() for path in sorted(course.collected.rglob("*")) if path.is_file()
    } == before
    assert stamps == [
        course.autograded(student).joinpath("report.ipynb").stat().st_mtime_ns for student in ("ada", "bob")
    ]


def test_of_two_different_hand_ins_the_later_counts_and_both_stay(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob")
    group_file(course, "Group 12,ada,bob")
    for student, time in (("ada", "2027-12-10 12:00:00 UTC"), ("bob", "2027-12-10 11:00:00 UTC")):
        hand_in(course, student, notebook(course, lambda name, by=student: f"by {by}"), time=time)
    assert run(course) == 0
    for student in ("ada", "bob"):
        assert answers(autograded(course, student))["q1-1"] == "by ada"
    assert (
        "attempt 1 of ada (2027-12-10 13:00 Europe/Amsterdam) counts for all of Group 12: ada, bob; it is "
        "the latest, not attempt 1 of bob (2027-12-10 12:00 Europe/Amsterdam)" in capsys.readouterr().out
    )
    hand_in_again(course, "bob", notebook(course, lambda name: "by bob, later"), "2027-12-11 11:00:00 UTC")
    assert run(course) == 0
    for student in ("ada", "bob"):
        assert answers(autograded(course, student))["q1-1"] == "by bob, later"
        assert (course.submitted(student) / "timestamp.txt").read_text() == "2027-12-11 11:00:00 UTC"
    assert sorted(path.name for path in course.collected.iterdir()) == [
        "ada+attempt1",
        "bob+attempt1",
        "bob+attempt2",
    ]


def decide(course, name: str, points: str, reason: str) -> None:
    assert (
        main(["decide", str(course.results / name), "1.7.kld", "--points", points, "--reason", reason]) == 0
    )


def test_a_decision_is_about_the_hand_in_or_about_one_member(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch, code="sha256:1")
    roster(course, "ada", "bob")
    group_file(course, "Group 12,ada,bob")
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    decide(course, "ada+attempt1", "1.5", "right in other words")
    assert f"next: make grade COURSE={course.root}" in capsys.readouterr().out
    assert run(course, feedback=True) == 0
    assert [scores(course, student)["q1-7-kld"].auto for student in ("ada", "bob")] == [1.5, 1.5]
    assert "right in other words" in (course.feedback("bob") / "report.html").read_text()
    decide(course, "bob", "0.5", "bob could not explain it")
    for _ in range(2):
        assert run(course) == 0
        assert [scores(course, student)["q1-7-kld"].auto for student in ("ada", "bob")] == [1.5, 0.5]
    assert main(["decide", str(course.results / "bob"), "1.7.kld", "--withdraw"]) == 0
    assert run(course) == 0
    assert scores(course, "bob")["q1-7-kld"].auto == 1.5


def hand_in_again(course, student, report, time) -> None:
    """What collecting does: it puts the new submission in the place of the copy."""
    shutil.rmtree(course.submitted(student), ignore_errors=True)
    hand_in(course, student, report, time=time)


def test_without_times_nothing_is_guessed(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob")
    group_file(course, "Group 12,ada,bob")
    for student in ("ada", "bob"):
        hand_in(course, student, notebook(course, lambda name, by=student: f"by {by}"), time=None)
    assert run(course) == 0
    said = capsys.readouterr().out
    assert "ada: ada+attempt1, bob+attempt1 differ, and not all have a time" in said
    assert all(grade.waits for grade in scores(course, "bob").values())
    (course.collected / "bob+attempt1" / "timestamp.txt").write_text("2027-12-10 12:00 UTC")
    (course.collected / "ada+attempt1" / "timestamp.txt").write_text("2027-12-10 11:00 UTC")
    assert run(course) == 0
    assert not scores(course, "bob")["q1-7-kld"].waits
    assert answers(autograded(course, "ada"))["q1-1"] == "by bob"


def test_the_same_given_out_for_every_member_is_one_hand_in(course, monkeypatch, capsys):
    """As Moodle does."""
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob")
    group_file(course, "Group 12,ada,bob")
    for student in ("ada", "bob"):
        hand_in(course, student, notebook(course), time=None)
    assert run(course) == 0
    assert [path.name for path in course.collected.iterdir()] == ["ada+attempt1"]
    assert not scores(course, "bob")["q1-7-kld"].waits


def test_a_folder_called_like_the_group_is_the_groups(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob")
    group_file(course, "Group 12,ada,bob")
    hand_in(course, "Group-12", notebook(course))
    assert run(course) == 0
    told = "attempt 1 of Group 12 (2027-12-10 13:00 Europe/Amsterdam) counts for all of Group 12: ada, bob"
    for student in ("ada", "bob"):
        assert json.loads((course.results / student / "results.json").read_text())["hand_in"] == told
    assert run(course) == 0  # nothing is left in submitted/ of the group's name


def test_a_group_that_is_formed_later_and_dissolved(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob")
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    group_file(course, "Group 12,ada,bob")
    assert run(course) == 0
    assert scores(course, "bob")["q1-7-kld"].auto == 0.75
    (course.root / "groups.csv").unlink()
    assert run(course) == 1  # bob is in the gradebook without a hand-in: somebody has to say what is right
    assert answers(autograded(course, "ada"))["q1-1"] == "My answer to q1-1."


def test_a_hand_in_that_was_not_marked_is_a_fault_for_each(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch, skip=["ada+attempt1"], fault="no box")
    roster(course, "ada", "bob", "cleo")
    group_file(course, "Group 12,ada,bob")
    hand_in(course, "ada", notebook(course))
    hand_in(course, "cleo", notebook(course))
    assert run(course) == 1
    said = capsys.readouterr().out
    assert "grading/bob/results.json: there is no result" in said.replace(f"{course.root}/", "")
    assert scores(course, "cleo")["q1-7-kld"].auto == 0.75


def mark_by_hand(course, student: str, cell: str, points: float, comment: str | None = None) -> None:
    """What formgrader does."""
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        grade = gradebook.find_grade(cell, "report", ASSIGNMENT, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        if comment:
            gradebook.find_comment(cell, "report", ASSIGNMENT, student).manual_comment = comment
        gradebook.db.commit()


def comment_of(course, student: str, cell: str) -> str | None:
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        return gradebook.find_comment(cell, "report", ASSIGNMENT, student).manual_comment


def test_marks_by_hand_go_to_the_whole_group_and_never_over_anothers(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob", "cleo", "dora")
    group_file(course, "Group 12,ada,bob,cleo")
    for student in ("ada", "dora"):
        hand_in(course, student, notebook(course))
    assert run(course) == 0
    mark_by_hand(course, "bob", "q1-1", 1.0, "well said")
    mark_by_hand(course, "ada", "q1-2", 0.5)
    mark_by_hand(course, "cleo", "q1-2", 0.0)
    capsys.readouterr()
    assert run(course) == 0
    for student in ("ada", "bob", "cleo"):
        assert (scores(course, student)["q1-1"].manual, scores(course, student)["q1-1"].waits) == (1.0, False)
        assert comment_of(course, student, "q1-1") == "well said"
    assert scores(course, "dora")["q1-1"].waits
    assert [scores(course, student)["q1-2"].manual for student in ("ada", "bob", "cleo")] == [0.5, None, 0.0]
    assert (
        "ada, cleo have one hand-in and were marked apart, which stays so: q1-2 (ada 0.5, cleo 0)"
        in capsys.readouterr().out
    )
    mark_by_hand(course, "bob", "q1-1", 0.5)  # whoever corrects the mark corrects the copies
    mark_by_hand(course, "cleo", "q1-2", 0.5)
    assert run(course) == 0
    for student in ("ada", "bob", "cleo"):
        assert scores(course, student)["q1-1"].manual == 0.5
        assert scores(course, student)["q1-2"].manual == 0.5


def test_every_member_is_exported_and_late_by_their_own_deadline(course, monkeypatch, tmp_path, capsys):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob", "cleo")
    group_file(course, "Group 12,ada,bob")
    policy = 'timezone = "UTC"\ndue = "2027-12-09 12:00"\n[penalty]\nunit = "points"\nper_day = 1\n'
    course.policy.write_text(f"{policy}[extensions]\nbob = 3\n")
    hand_in(course, "ada", notebook(course, lambda name: None))
    assert run(course) == 0
    assert main(["course", "export", str(course.root), "csv", "--output", str(tmp_path / "out.csv")]) == 0
    with (tmp_path / "out.csv").open() as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert [rows[name]["points"] for name in ("ada", "bob", "cleo")] == ["10.25", "11.25", "0"]
    assert [rows[name]["days_late"] for name in ("ada", "bob")] == ["1", "0"]


@pytest.mark.slow
def test_real_marking_is_done_once_for_a_group(course, capfd):
    roster(course, "ada", "bob")
    group_file(course, "Group 12,ada,bob")
    hand_in(course, "ada", notebook(course))
    assert run(course, grading=("--jobs", "1"), feedback=True) == 0
    assert "Group 12: ada, bob" in (course.feedback("bob") / "report.html").read_text()
    notes = sorted(path.name for path in (course.results / ".reuse").glob("*.json"))
    assert notes == ["ada+attempt1.json"]
    before = (course.results / "bob" / "results.json").read_bytes()
    assert run(course, grading=("--jobs", "1")) == 0
    assert (course.results / "bob" / "results.json").read_bytes() == before
    capfd.readouterr()

"""Lists of members in a hand-in: they propose a group, and decide nothing."""

from __future__ import annotations

import pytest

from gradebook.courses import hand_in, notebook, pretend_to_grade, roster, run, scores
from grader.cli import main
from grader.gradebook.hand_ins import HandIn
from grader.gradebook.list_names import is_member_list
from grader.gradebook.member_lists import find_listings
from grader.gradebook.roster import Person, Roster

ROSTER = Roster(
    [
        Person("ada", "Ada", "Lovelace", "ada@uni.example"),
        Person("bob", "Bob", "O'Brien", "bob@uni.example"),
        Person("1042", "Zoë", "Çelik"),
    ]
)


@pytest.mark.parametrize("name", ["group.txt", "GROUP", "members.csv", "Team-members.md", "AUTHORS.txt"])
def test_files_that_are_lists(name):
    assert is_member_list(name)


@pytest.mark.parametrize("name", ["group.py", "regroup.txt", "report.md", "groups.ipynb", "members.pdf"])
def test_files_that_are_none(name):
    assert not is_member_list(name)


@pytest.mark.parametrize(
    ("text", "students", "unknown"),
    [
        ("ada\nbob\n", ("bob",), ()),
        ("Group 12: Ada Lovelace, Bob O\u2019Brien & Zoë Çelik", ("bob", "1042"), ()),
        ("name;id\nLovelace, Ada;ada\nÇelik, Zoë;1042\n", ("1042",), ()),
        ("- ada@uni.example\n- bob@uni.example\n", ("bob",), ()),
        ("ada and Eve Nobody", (), ()),
        ("Eve Nobody\nbob", ("bob",), ("Eve Nobody",)),
        ("1042\r\nada\r\n", ("1042",), ()),
    ],
)
def test_who_is_named(tmp_path, text, students, unknown):
    (tmp_path / "group.txt").write_text(text)
    listings = find_listings(HandIn("ada", 0, tmp_path), ROSTER)
    found = listings[0] if listings else None
    assert (found.students if found else ()) == students
    assert (found.unknown if found else ()) == unknown


def test_a_list_makes_everybody_in_it_wait_until_a_person_confirms(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob", "cleo", "dora")
    hand_in(course, "ada", notebook(course), extra={"group.txt": b"ada\nbob\ncleo\n"})
    hand_in(course, "bob", notebook(course), time="2027-12-09 12:00 UTC")
    hand_in(course, "dora", notebook(course))
    assert run(course) == 0
    said = capsys.readouterr().out
    reason = "group.txt of ada names bob, cleo: put the group into groups.csv, or ada alone in a group of one"
    for student in ("ada", "bob", "cleo"):
        assert f"{student}: waits: {reason}" in said
    assert "handed in nothing" not in said  # cleo may have, with ada
    for student in ("ada", "bob"):
        assert all(grade.waits for grade in scores(course, student).values())
    assert not scores(course, "dora")["q1-7-kld"].waits
    assert main(["course", "export", str(course.root), "csv", "--output", str(course.root / "x.csv")]) == 0
    said = capsys.readouterr().out
    assert "note: named in somebody's hand-in, and in no group yet, without marks: cleo" in said
    (course.root / "groups.csv").write_text("group,students\nA,ada,bob,cleo\n")
    assert run(course) == 0
    assert "waits:" not in capsys.readouterr().out
    for student in ("ada", "bob", "cleo"):
        assert not scores(course, student)["q1-7-kld"].waits


def test_a_person_may_say_that_somebody_worked_alone(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob")
    report = notebook(course)
    report["cells"].insert(
        0, {"cell_type": "markdown", "metadata": {}, "source": "**Group members:** ada, bob"}
    )
    hand_in(course, "ada", report)
    hand_in(course, "bob", notebook(course))
    assert run(course) == 0
    assert "bob: waits: the first cell of report.ipynb of ada names bob" in capsys.readouterr().out
    (course.root / "groups.csv").write_text("group,students\nalone,ada\nB,bob\n")
    assert run(course) == 0
    said = capsys.readouterr().out
    assert "waits:" not in said
    assert "ada: the first cell of report.ipynb names bob, not of alone: groups.csv counts" in said
    for student in ("ada", "bob"):
        assert not scores(course, student)["q1-7-kld"].waits

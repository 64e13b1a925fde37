"""What people took points for, read from the desk's tables for the exam board."""

from __future__ import annotations

import sqlite3

import pytest

from grader.cli import main
from grader.desk.desk import Desk
from grader.desk.reasons import read_reasons
from grader.desk.scoring import Given
from tests.desk.working import items, mark_all

CELL = "q1-1"


def test_a_course_that_was_never_opened_at_the_desk_has_none(course):
    assert read_reasons(course) == {}


def test_what_is_missing_and_what_was_taken_are_reasons(course, ana):
    url = f"sqlite:///{course.root}/gradebook.db"
    desk = Desk(course, url)
    with desk.reading() as connection:
        rubric = desk.question(connection, CELL).items
    earns = [number for number, one in rubric.items() if one.points > 0]
    mark_all(desk, ana, Given(tuple(earns[1:]), -0.25, "hard to read"), CELL)
    desk.database.close()
    before = (course.root / "gradebook.db").read_bytes()
    found = {student: told for (student, item), told in read_reasons(course).items() if item == "1.1"}
    assert (course.root / "gradebook.db").read_bytes() == before
    first = rubric[earns[0]]
    expected = [(f"missing: {first.text}", first.points), ("hard to read", 0.25)]
    assert expected in list(found.values())


def test_the_board_of_a_course_names_them(course, ana, capsys):
    desk = Desk(course, f"sqlite:///{course.root}/gradebook.db")
    mark_all(desk, ana, Given((), 0.0), CELL)
    desk.database.close()
    assert main(["board", str(course.root), "--output", str(course.root / "board")]) == 0
    assert f"{course.root.name}: 6 students" in capsys.readouterr().out
    assert ",1.1,person," in (course.root / "board" / "causes.csv").read_text()


def test_marks_of_formgrader_are_told_apart(course, ana):
    desk = Desk(course, f"sqlite:///{course.root}/gradebook.db")
    mark_all(desk, ana, Given(tuple(items(desk, CELL))), CELL)
    desk.database.close()
    with sqlite3.connect(course.root / "gradebook.db") as connection:
        connection.execute("update grade set manual_score = 0.5 where manual_score is not null")
    told = {why for (_, item), lost in read_reasons(course).items() if item == "1.1" for why, _ in lost}
    assert "given without the desk's rubric" in told


@pytest.mark.parametrize("content", [b"not a database, but long enough to be read as one" * 9])
def test_a_gradebook_that_cannot_be_read_is_status_1(course, capsys, content):
    (course.root / "gradebook.db").write_bytes(content)
    assert main(["board", str(course.root)]) == 1
    assert "cannot be read" in capsys.readouterr().err

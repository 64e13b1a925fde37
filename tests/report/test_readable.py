"""Text that students influence, for people to read."""

from __future__ import annotations

import unicodedata

import pytest

from grader.report.details import details
from grader.report.pages.style import on_one_line
from grader.report.status_style import lines_of
from grader.text import MOST_MARKS, readable, without_piles

from .results import result

PILE = "a" + "\u0300\u0489\u20dd" * 100 + "b"


def marks(text: str) -> int:
    return sum(unicodedata.category(char).startswith("M") for char in text)


@pytest.mark.parametrize("make", [readable, without_piles, on_one_line, lambda text: "".join(lines_of(text))])
def test_marks_do_not_pile_up(make):
    made = make(PILE)
    assert marks(made) == MOST_MARKS
    assert made.startswith("a")
    assert made.endswith("b")


def test_a_name_of_piled_marks_stays_in_its_line_on_the_terminal():
    lines = details([result(PILE, warnings=(PILE,))], "utf-8")
    assert all(marks(line.plain) <= MOST_MARKS for _, line in lines)


@pytest.mark.parametrize(
    "name",
    [
        *("Ünal", unicodedata.normalize("NFD", "Nguyễn Thị Ünal"), "שָׁלוֹם", "किशोरी", "ก็ดี้", "👍🏽 ✔️"),
        *("log \u03c3\u0302 + μ̃", "two\nlines\t"),
    ],
)
def test_honest_marks_stay(name):
    assert without_piles(name) == name


def test_an_invisible_character_starts_no_new_letter():
    assert marks(without_piles("a" + "\u0300\u0300\u200d" * 100)) == MOST_MARKS


def test_what_a_terminal_would_act_on_shows_as_an_escape():
    assert readable("\x1b[2J\u202e") == "\\x1b[2J\\u202e"
    assert len(readable("a\u0300" * 999, limit=50)) == 50

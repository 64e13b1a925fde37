"""The handout asks for what the rubric counts, with the same numbers."""

from __future__ import annotations

import re

import pytest

from grader.rubric import Item, load_rubric
from tests.docs.markdown import HANDOUT, headings, tables

PARTS = {1: HANDOUT / "vae.md", 2: HANDOUT / "aae.md", 3: HANDOUT / "nerf.md"}
MARKED = {"auto": "automatic", "written": "by a person", "manual": "by a person"}
ITEMS = load_rubric().items


def questions(part: int | None = None) -> dict[str, float]:
    """Points of each question, by the rubric."""
    sums: dict[str, float] = {}
    for item in ITEMS:
        if part in (None, item.part):
            sums[item.question] = sums.get(item.question, 0) + item.points
    return sums


def items(question: str) -> list[Item]:
    """The items of a question."""
    return [item for item in ITEMS if item.question == question]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_every_question_in_order_with_its_points(part):
    found = [
        re.fullmatch(r"Question (\d\.\d) \((\d+) points\)", title)
        for level, title in headings(PARTS[part].read_text())
        if level == 3 and title.startswith("Question")
    ]
    assert [(match[1], float(match[2])) for match in found] == list(questions(part).items())


@pytest.mark.parametrize("part", PARTS)
def test_the_items_of_the_questions_are_those_of_the_rubric(part):
    listed = {
        cells[0].strip("`"): (float(cells[1]), cells[3])
        for table in tables(PARTS[part].read_text())
        if table[0][0] == "item"
        for cells in table[1:]
    }
    expected = {
        item.id: (item.points, MARKED[item.how])
        for item in ITEMS
        if item.part == part and len(items(item.question)) > 1
    }
    assert listed == expected


@pytest.mark.parametrize("part", PARTS)
def test_a_part_says_what_it_is_worth(part):
    assert f"\n\n{sum(questions(part).values()):g} points: question" in PARTS[part].read_text()


def test_the_overview_lists_every_question_and_their_sum():
    (table,) = (table for table in tables((HANDOUT / "README.md").read_text()) if table[0][0] == "question")
    *rows, last = table[1:]
    listed = {re.fullmatch(r"\[(.+)\]\(.+\)", cells[0])[1]: float(cells[1]) for cells in rows}
    assert listed == questions()
    assert last[:2] == ["sum", "64"]
    assert sum(listed.values()) == 64


def test_the_overview_says_who_marks_how_many_points():
    (table,) = (table for table in tables((HANDOUT / "README.md").read_text()) if table[0][0] == "question")
    for name, _, _, marked in table[1:-1]:
        question = re.fullmatch(r"\[(.+)\]\(.+\)", name)[1]
        by_hand = {item.how for item in items(question)} - {"auto"}
        sums = {
            how: sum(item.points for item in items(question) if (item.how == "auto") == (how == "auto"))
            for how in ("auto", "person")
        }
        if sums["auto"]:
            assert marked == f"{sums['auto']:g} automatic, {sums['person']:g} by a person"
        else:
            assert marked == ("written" if by_hand == {"written"} else "by a person")


def test_the_parts_add_up():
    (table,) = (table for table in tables((HANDOUT / "README.md").read_text()) if table[0][0] == "part")
    assert (
        [float(cells[3]) for cells in table[1:]]
        == [sum(questions(part).values()) for part in PARTS]
        == [34, 22, 8]
    )

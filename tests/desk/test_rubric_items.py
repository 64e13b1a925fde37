"""Each question starts with the rubric of its marking guide; markers change it, and the answers follow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.desk.history import PRICE, entries
from grader.desk.repricing import PreviewIsOld, change_item, preview
from grader.desk.rubric_items import add, questions, reorder, rubric_of, seed
from grader.desk.scoring import Given, NotValid
from grader.desk.tables import HISTORY
from grader.desk.work import take_back
from grader.release.answers import load_answers
from grader.release.notebook import grade_id
from tests.desk.working import CELL, give, items, mark_all, take


def test_each_of_the_17_questions_starts_with_all_of_its_guide(desk):
    assert len(questions()) == 17
    with desk.reading() as connection:
        for item in questions():
            rubric = list(rubric_of(connection, grade_id(item.id)).values())
            guide = load_answers()[item.id]
            assert sum(one.points for one in rubric if one.points > 0) == item.points
            assert [one.text for one in rubric] == [
                entry.text for entry in (*guide.marks, *guide.misconceptions)
            ]
            costs = [entry.points for entry in guide.misconceptions]
            assert [-one.points for one in rubric[len(guide.marks) :]] == costs


def test_what_markers_have_changed_is_not_seeded_again(desk):
    with desk.writing() as connection:
        add(connection, CELL, 0.5, "mine", "")
        before = rubric_of(connection, CELL)
        assert seed(connection) == 0
        assert rubric_of(connection, CELL) == before


@pytest.mark.parametrize(
    ("points", "text", "told"),
    [
        (3, "a", "is worth 2"),
        (0.3, "a", "steps of 0.25"),
        (float("inf"), "a", "number of points"),
        ("1", "a", "number of points"),
        (True, "a", "number of points"),
        (1, "  ", "needs a text"),
        (1, None, "no text"),
    ],
)
def test_what_cannot_be_an_item_is_refused_with_the_reason(desk, points, text, told):
    with desk.writing() as connection, pytest.raises(NotValid, match=told):
        add(connection, CELL, points, text, "")


def test_the_order_is_that_of_the_markers(desk):
    numbers = items(desk)
    with desk.writing() as connection:
        reorder(connection, CELL, numbers[::-1])
        assert list(rubric_of(connection, CELL)) == numbers[::-1]
        with pytest.raises(NotValid, match="load the page again"):
            reorder(connection, CELL, numbers[:-1])


def changed(desk, marker="Ben", **values):
    """Change the first item of a question as the page does it: first the preview, then the change."""
    with desk.writing() as connection:
        rubric = rubric_of(connection, CELL)
        new = replace(next(iter(rubric.values())), **values)
        shown = preview(connection, rubric, new)
        return change_item(connection, rubric, new, marker, shown.token)


def test_another_price_scores_every_answer_anew_and_says_before_by_how_much(desk, ana, gradebook):
    first, second, third, *_ = items(desk)
    marked = mark_all(desk, ana, Given((first, second)))
    last = marked.pop()
    take_back(desk, CELL, ana)
    give(desk, ana, take(desk, ana), Given((third,)))
    shown = changed(desk, points=0.5)
    many = len(marked)
    assert (shown.answers, shown.changed, shown.steps) == (many, many, ((1.5, 1.0, many),))
    assert shown.difference == -0.5 * many
    now = gradebook()
    assert {now[student][0] for student in marked} == {1.0}
    assert all(now[student][2].startswith("- **+0.5** a latent") for student in marked)
    assert now[last][0] == 0.5


def test_a_price_beyond_floor_and_ceiling_changes_fewer_answers(desk, ana):
    numbers = items(desk)
    mark_all(desk, ana, Given((numbers[0], numbers[3], numbers[4])))  # 1 - 1 - 0.5
    shown = changed(desk, points=0.5)
    assert (shown.changed, shown.difference) == (0, 0)


def test_another_text_reaches_the_students(desk, ana, gradebook):
    marked = mark_all(desk, ana, Given((items(desk)[0],)))
    shown = changed(desk, text="Good.")
    assert (shown.answers, shown.changed) == (len(marked), 0)
    assert {gradebook()[student][2] for student in marked} == {"- **+1** Good."}


def test_what_was_shown_has_to_be_what_is_done(desk, ana):
    first = items(desk)[0]
    give(desk, ana, take(desk, ana), Given((first,)))
    with desk.reading() as connection:
        rubric = rubric_of(connection, CELL)
        new = replace(rubric[first], points=0.5)
        token = preview(connection, rubric, new).token
    give(desk, ana, take(desk, ana), Given((first,)))
    with desk.writing() as connection, pytest.raises(PreviewIsOld):
        change_item(connection, rubric, new, "Ben", token)


def test_what_formgrader_changed_keeps_its_points(desk, ana, formgrader, gradebook):
    marked = mark_all(desk, ana, Given((items(desk)[0],)))
    formgrader(marked[0], 1.75)
    shown = changed(desk, points=0.5)
    assert (shown.answers, shown.kept) == (len(marked) - 1, 1)
    assert gradebook()[marked[0]][0] == 1.75


def test_a_change_is_taken_back_with_all_its_answers(desk, ana, gradebook):
    marked = mark_all(desk, ana, Given((items(desk)[0],)))
    before = gradebook()
    changed(desk, points=0.25, text="Other.")
    assert gradebook() != before
    with desk.reading() as connection:
        (entry,) = entries(connection, HISTORY.c.action == PRICE)
    assert (entry.marker, entry.before["points"], entry.after["points"]) == ("Ben", 1, 0.25)
    undone, _ = take_back(desk, CELL, ana, entry.batch)
    assert len(undone.entries) == len(marked) + 1
    assert gradebook() == before
    with desk.reading() as connection:
        assert next(iter(rubric_of(connection, CELL).values())).points == 1


def test_a_mark_stays_that_of_its_marker_when_a_price_changes(desk, ana):
    marked = mark_all(desk, ana, Given((items(desk)[0],)))
    changed(desk, points=0.5)
    with desk.reading() as connection:
        found = desk.question(connection, CELL).standings
    assert {found[student].mark.marker for student in marked} == {"Ana"}


def test_an_item_can_be_taken_off_all_answers(desk, ana, gradebook):
    first, second, *_ = items(desk)
    marked = mark_all(desk, ana, Given((first, second)))
    with desk.writing() as connection:
        rubric = rubric_of(connection, CELL)
        new = replace(rubric[first], retired=True)
        token = preview(connection, rubric, new, taken_off=True).token
        change_item(connection, rubric, new, "Ben", token, taken_off=True)
    assert {gradebook()[student][0] for student in marked} == {0.5}

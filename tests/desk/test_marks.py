"""What is saved at the desk stands in nbgrader's gradebook, and whoever is late loses nothing silently."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from grader.desk.history import ELSEWHERE, entries
from grader.desk.marks import ChangedSince
from grader.desk.scoring import Given, NotValid, read_given
from grader.desk.tables import APPLIED, HISTORY, MARKS
from grader.desk.work import ClaimedBy, open_task, save_group, take_back
from tests.desk.working import CELL, give, items, mark_all, take, version


def test_points_and_comment_are_nbgraders_own(desk, ana, gradebook):
    first, second, *_ = items(desk)
    task = take(desk, ana)
    saved = give(desk, ana, task, Given((first, second), comment="Well seen."))
    assert saved.points == 1.5
    points, waits, comment = gradebook()[task.standing.student]
    assert (points, waits) == (1.5, False)
    assert comment.startswith("- **+1** a latent vector is drawn from the prior")
    assert comment.endswith("\n\nWell seen.")
    with desk.reading() as connection:
        applied = connection.execute(select(APPLIED.c.item).where(APPLIED.c.cell == CELL)).scalars()
        assert sorted(applied) == [first, second]


def test_points_stay_between_zero_and_the_maximum(desk, ana, gradebook):
    costs = [number for number in items(desk) if number > items(desk)[2]]
    task = take(desk, ana)
    assert give(desk, ana, task, Given(tuple(costs))).points == 0
    task = take(desk, ana)
    assert give(desk, ana, task, Given(tuple(items(desk)[:3]), 5.0, "a bonus")).points == 2
    assert gradebook()[task.standing.student][0] == 2


@pytest.mark.parametrize(
    "sent",
    [
        {"items": [1], "adjustment": float("nan")},
        {"items": [1], "adjustment": 0.1},
        {"items": [1], "adjustment": "1"},
        {"items": ["1"]},
        {"items": [True]},
        {"comment": 7},
        {"comment": "x" * 20_000},
        None,
    ],
)
def test_what_cannot_be_given_is_refused_before_anything_is_written(sent):
    with pytest.raises(NotValid):
        read_given(sent)


def test_points_beside_the_step_are_refused_with_the_step():
    with pytest.raises(NotValid, match=r"^0\.3: points go in steps of 0\.25$"):
        read_given({"adjustment": 0.3})


def test_an_item_of_another_question_is_refused_and_nothing_is_written(desk, ana, gradebook):
    strange = items(desk, "q1-2")[0]
    before, task = gradebook(), take(desk, ana)
    with pytest.raises(NotValid, match="not in this question's rubric"):
        give(desk, ana, task, Given((strange,)))
    assert gradebook() == before


def test_a_nul_and_foreign_line_ends_do_no_harm(desk, ana, gradebook):
    given = read_given({"items": [], "comment": " a\0b\r\nc\ud800 "})
    task = take(desk, ana)
    give(desk, ana, task, given)
    assert gradebook()[task.standing.student][2] == "ab\nc?"


def test_the_second_of_two_saves_is_refused_and_told_both_versions(desk, ana, formgrader, gradebook):
    task = take(desk, ana)
    formgrader(task.standing.student, 0.75, "From formgrader.")
    with pytest.raises(ChangedSince) as refused:
        give(desk, ana, task, Given((items(desk)[0],)))
    assert refused.value.standing.manual == 0.75
    assert refused.value.standing.comment == "From formgrader."
    assert gradebook()[task.standing.student] == (0.75, False, "From formgrader.")


def test_an_answer_that_somebody_else_has_open_cannot_be_saved(desk, ana, ben, gradebook):
    task = take(desk, ana)
    before = gradebook()
    with pytest.raises(ClaimedBy, match="Ana has this answer open"):
        give(desk, ben, task, Given((items(desk)[0],)))
    assert gradebook() == before


def test_what_formgrader_changed_is_taken_over_and_stands_in_the_history(desk, ana, formgrader):
    first = items(desk)[0]
    task = take(desk, ana)
    give(desk, ana, task, Given((first,), comment="Yes."))
    student = task.standing.student
    formgrader(student, 0.25)
    with desk.reading() as connection:
        question = desk.question(connection, CELL)
        one = question.standings[student]
        assert one.elsewhere
        assert one.given(question.items) == Given((first,), -0.75, "", "Yes.")
    formgrader(student, 0.25, "Other words.")
    with desk.reading() as connection:
        question = desk.question(connection, CELL)
        given = question.standings[student].given(question.items)
    assert given == Given((), 0.25, "", "Other words.")
    give(desk, ana, open_task(desk, CELL, task.standing.answer, ana), Given((first,)))
    with desk.reading() as connection:
        seen = entries(connection, HISTORY.c.action == ELSEWHERE)
    assert [(entry.before["points"], entry.after["points"], entry.marker) for entry in seen] == [
        (1, 0.25, "")
    ]


def test_every_change_says_who_when_from_and_to_and_can_be_taken_back(desk, ana, gradebook):
    before = gradebook()
    task = take(desk, ana)
    student = task.standing.student
    saved = give(desk, ana, task, Given((items(desk)[0],)))
    with desk.reading() as connection:
        (entry,) = entries(connection)
    assert (entry.marker, entry.student, entry.cell) == ("Ana", student, CELL)
    assert (entry.before["points"], entry.after["points"]) == (None, 1)
    assert entry.at.endswith("+00:00")
    undone, answer = take_back(desk, CELL, ana)
    assert answer == task.standing.answer
    assert [one.id for one in undone.entries] == [entry.id]
    assert gradebook() == before
    with pytest.raises(NotValid, match="nothing of yours"):
        take_back(desk, CELL, ana)
    with pytest.raises(NotValid, match="taken back already"):
        take_back(desk, CELL, ana, saved.batch)


def test_what_somebody_changed_since_is_not_taken_back(desk, ana, formgrader, gradebook):
    task = take(desk, ana)
    give(desk, ana, task, Given((items(desk)[0],)))
    formgrader(task.standing.student, 2.0)
    with pytest.raises(NotValid, match="changed this since"):
        take_back(desk, CELL, ana)
    assert gradebook()[task.standing.student][0] == 2.0


def test_several_answers_get_the_same_and_one_undo_takes_it_back(desk, ana, ben, gradebook):
    before = gradebook()
    held = take(desk, ben).standing
    with desk.reading() as connection:
        waiting = [one for one in desk.question(connection, CELL).standings.values() if one.waits]
    answers = {one.answer: one.version(desk.digest(one.student, CELL)) for one in waiting}
    saved, left_out = save_group(desk, CELL, answers, ana, Given((items(desk)[0],)))
    assert left_out == [held.answer]
    now = gradebook()
    assert {now[one.student][0] for one in waiting if one.answer != held.answer} == {1.0}
    assert now[held.student] == before[held.student]
    take_back(desk, CELL, ana, saved.batch)
    assert gradebook() == before


def test_the_gradebook_is_what_the_history_says(desk, ana, gradebook):
    first, second, *_ = items(desk)
    marked = mark_all(desk, ana, Given((first, second)))
    assert len(marked) == len(set(marked)) > 4
    take_back(desk, CELL, ana)
    with desk.reading() as connection:
        last = {}
        for row in connection.execute(select(HISTORY).order_by(HISTORY.c.id)):
            last[row.student] = json.loads(row.after)
        desk_marks = connection.execute(select(MARKS)).all()
    now = gradebook()
    assert {
        student: (state["points"], state["waits"], state["comment"]) for student, state in last.items()
    } == {student: now[student] for student in last}
    assert len(desk_marks) == len(marked) - 1


def test_a_version_is_another_one_after_every_change(desk, ana):
    task = take(desk, ana)
    seen = {version(desk, task)}
    give(desk, ana, task, Given((items(desk)[0],)))
    for _ in range(2):
        again = open_task(desk, CELL, task.standing.answer, ana)
        seen.add(version(desk, again))
        give(desk, ana, again, Given((items(desk)[0],)))
    assert len(seen) == 3


def test_what_is_taken_back_says_what_had_been_given(desk, ana):
    first, second, *_ = items(desk)
    task = take(desk, ana)
    earlier, later = Given((first,), comment="First."), Given((second,), -0.25, "late", "Then.")
    give(desk, ana, task, earlier)
    give(desk, ana, open_task(desk, CELL, task.standing.answer, ana), later)
    undone, answer = take_back(desk, CELL, ana)
    assert (undone.given, answer) == (later, task.standing.answer)
    again = open_task(desk, CELL, answer, ana)
    assert again.standing.given(again.question.items) == earlier
    undone, _ = take_back(desk, CELL, ana)
    assert undone.given == earlier
    again = open_task(desk, CELL, answer, ana)
    assert (again.standing.waits, again.standing.given(again.question.items)) == (True, Given())

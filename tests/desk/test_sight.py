"""Who sees whose marks: the settings say, and a blind second reading stays blind on every page."""

from __future__ import annotations

import pytest

from grader.desk import claims
from grader.desk.history import entries
from grader.desk.scoring import Given, NotValid
from grader.desk.seconds import seconds_of
from grader.desk.settings import read_settings, write_settings
from grader.desk.sight import sight_of
from grader.desk.tables import HISTORY
from grader.desk.views import Pages, task_view
from grader.desk.work import open_task, save_group, take_back
from tests.desk.working import CELL, give, items, take, version


def choose(desk, **changes) -> None:
    with desk.writing() as connection:
        write_settings(connection, changes)


def view(desk, task) -> dict:
    with desk.reading() as connection:
        return task_view(desk, Pages(), connection, task)


def seen(desk, author, task) -> tuple[bool, list[bool]]:
    """Whether somebody sees the mark of an answer, and the points of each entry of its history."""
    with desk.reading() as connection:
        sight = sight_of(connection, read_settings(connection), author.marker)
        one = desk.question(connection, CELL).standings[task.standing.student]
        told = entries(connection)
        shown = [sight.concerns(entry) and sight.sees_points(entry, one) for entry in told]
        return sight.sees(one), shown


def marked_by(desk, author, share: float, **changes):
    choose(desk, second_share=share, **changes)
    task = take(desk, author)
    give(desk, author, task, Given((items(desk)[0],)))
    return task


def test_an_answer_that_waits_for_a_second_reading_is_opened_blind_by_its_number(desk, ana, ben):
    task = marked_by(desk, ana, 1.0)
    opened = open_task(desk, CELL, task.standing.answer, ben)
    shown = view(desk, opened)
    assert (opened.second, shown["given"], shown["points"], shown["marker"]) == (True, None, None, "")
    assert seen(desk, ben, task) == (False, [False])
    assert seen(desk, ana, task) == (True, [True])
    give(desk, ben, opened, Given(), second=True)
    assert seen(desk, ben, task)[0]
    assert seen(desk, ana, task) == (True, [True, True])
    assert not open_task(desk, CELL, task.standing.answer, ben).second


def test_no_setting_and_no_office_shows_what_is_to_be_read_blind(desk, ana, ben):
    task = marked_by(desk, ana, 1.0, marks_shown=True, instructors=["Ben"])
    assert seen(desk, ben, task) == (False, [False])


def test_a_mark_that_was_taken_back_stays_hidden_from_who_may_read_second(desk, ana, ben):
    task = marked_by(desk, ana, 1.0)
    take_back(desk, CELL, ana)
    assert seen(desk, ben, task)[1] == [False, False]
    assert seen(desk, ana, task)[1] == [True, True]


def test_what_is_to_be_read_blind_cannot_be_marked_as_if_it_were_not(desk, ana, ben, gradebook):
    task = marked_by(desk, ana, 1.0)
    before = gradebook()
    opened = open_task(desk, CELL, task.standing.answer, ben)
    with pytest.raises(NotValid, match="second reading"):
        give(desk, ben, opened, Given(), second=False)
    _, left_out = save_group(desk, CELL, {task.standing.answer: version(desk, opened)}, ben, Given())
    assert left_out == [task.standing.answer]
    assert gradebook() == before


def test_the_later_of_two_first_marks_is_kept_as_the_blind_second_reading(desk, ana, ben, gradebook):
    """Ben's browser slept until his claim had run out; neither saw what the other gave."""
    choose(desk, second_share=1.0)
    slow = take(desk, ben)
    with desk.writing() as connection:
        claims.release(connection, ben.browser)
    give(desk, ana, open_task(desk, CELL, slow.standing.answer, ana), Given((items(desk)[0],)))
    before = gradebook()
    assert give(desk, ben, slow, Given()).second
    assert gradebook() == before
    with desk.reading() as connection:
        (reading,) = seconds_of(connection, CELL).values()
    assert (reading.marker, reading.points, reading.settled) == ("Ben", 0, "")


def test_a_late_save_is_not_shown_a_mark_that_the_settings_hide(desk, ana, ben, gradebook):
    choose(desk, second_share=0.0, marks_shown=False)
    slow = take(desk, ben)
    with desk.writing() as connection:
        claims.release(connection, ben.browser)
    give(desk, ana, open_task(desk, CELL, slow.standing.answer, ana), Given((items(desk)[0],)))
    before = gradebook()
    with pytest.raises(NotValid, match="Ana has marked this answer, and the settings hide"):
        give(desk, ben, slow, Given())
    assert gradebook() == before


def test_others_marks_are_shown_unless_the_settings_hide_them(desk, ana, ben, gradebook):
    task = marked_by(desk, ana, 0.0)
    opened = open_task(desk, CELL, task.standing.answer, ben)
    assert (opened.hidden, view(desk, opened)["points"]) == (False, 1)
    assert seen(desk, ben, task) == (True, [True])
    choose(desk, marks_shown=False)
    assert seen(desk, ben, task) == (False, [False])
    assert seen(desk, ana, task) == (True, [True])
    before = gradebook()
    opened = open_task(desk, CELL, task.standing.answer, ben)
    shown = view(desk, opened)
    assert (opened.hidden, shown["given"], shown["points"], shown["marker"]) == (True, None, None, "Ana")
    with pytest.raises(NotValid, match="Ana has marked this answer"):
        give(desk, ben, opened, Given())
    assert gradebook() == before
    choose(desk, instructors=["Ben"])
    assert seen(desk, ben, task) == (True, [True])
    give(desk, ben, open_task(desk, CELL, task.standing.answer, ben), Given())
    # Ana sees what became of her mark.
    assert seen(desk, ana, task)[1] == [True, True]


def test_what_others_did_since_pushes_nobodys_own_history_off_the_page(desk, ana, ben):
    task = marked_by(desk, ben, 0.0, marks_shown=False)
    while (other := take(desk, ana)) is not None:
        give(desk, ana, other, Given())
    with desk.reading() as connection:
        sight = sight_of(connection, read_settings(connection), "Ben")
        (mine,) = entries(connection, HISTORY.c.cell == CELL, most=1, wanted=sight.concerns)
        (latest,) = entries(connection, most=1)
    assert (mine.student, mine.marker, latest.marker) == (task.standing.student, "Ben", "Ana")

"""Second readings are blind, and their figures are right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grader.desk.agreement import agreement
from grader.desk.listing import pairs_of
from grader.desk.scoring import Given, NotValid
from grader.desk.seconds import is_chosen, seconds_of
from grader.desk.settings import write_settings
from grader.desk.views import Pages, task_view
from grader.desk.work import open_task, save, take_back
from tests.desk.working import CELL, give, items, mark_all, take, version


class Reading:
    """What the figures need of a pair."""

    def __init__(self, first: float, second: float) -> None:
        self.first_points, self.difference = first, second - first
        self.second = type("Second", (), {"points": second})


def figures(first, second, worth=2.0):
    return agreement([Reading(a, b) for a, b in zip(first, second, strict=True)], worth)


def by_hand(first, second, step=0.25):
    """Kappa with quadratic weights, as it is defined, without a library."""
    a, b = np.array(first) / step, np.array(second) / step
    observed = np.mean((a - b) ** 2)
    expected = np.mean((a[:, None] - b[None, :]) ** 2)
    return 1 - observed / expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([0, 1, 2, 1.5, 0.5], [0, 1, 2, 1.5, 0.5]),
        ([0, 1, 2, 1.5, 0.5], [0.5, 1, 1.5, 1.5, 0]),
        ([0, 0, 2, 2], [2, 2, 0, 0]),
        ([1, 1, 1.75, 0.25], [1, 1.25, 1.5, 0]),
    ],
)
def test_kappa_is_what_its_definition_says(first, second):
    assert figures(first, second).kappa == pytest.approx(by_hand(first, second))


def test_where_there_is_no_kappa_none_is_told():
    assert figures([], []).kappa is None
    assert figures([1], [1]).kappa is None
    assert figures([1, 1, 1], [1, 1, 1]).kappa is None


def test_the_interval_is_students():
    found = figures([0, 0.5, 1, 1.5], [0.5, 0.5, 1.5, 1.5])
    half = 3.182446 * math.sqrt(np.var([0.5, 0, 0.5, 0], ddof=1) / 4)
    assert (found.mean, found.same, found.pairs) == (0.25, 2, 4)
    assert (found.low, found.high) == pytest.approx((0.25 - half, 0.25 + half), abs=1e-5)
    assert figures([1], [2]).low is None


def test_about_the_share_that_was_chosen_is_read_twice():
    chosen = [is_chosen((f"s{number}", CELL), 0.1) for number in range(5_000)]
    assert 400 < sum(chosen) < 600
    assert all(is_chosen((f"s{n}", CELL), 0.2) for n in range(5_000) if chosen[n])


@pytest.fixture
def everything_twice(desk):
    with desk.writing() as connection:
        write_settings(connection, {"second_share": 1.0})


def test_a_second_marker_reads_blind_and_the_gradebook_stays(desk, ana, ben, everything_twice, gradebook):
    first, second, *_ = items(desk)
    marked = mark_all(desk, ana, Given((first,), comment="Seen by the first."))
    before = gradebook()
    assert take(desk, ana) is None, "nobody reads their own a second time"
    task = take(desk, ben)
    assert task.second
    with desk.reading() as connection:
        view = task_view(desk, Pages(), connection, task)
    assert (view["given"], view["points"], view["marker"], view["elsewhere"]) == (None, None, "", None)
    assert "Seen by the first" not in str(view)
    assert give(desk, ben, task, Given((first, second)), second=True).points == 1.5
    assert gradebook() == before
    with desk.reading() as connection:
        question = desk.question(connection, CELL)
        (pair,) = pairs_of(desk, connection, question)
    assert (pair.first_points, pair.second.points, pair.difference) == (1.0, 1.5, 0.5)
    assert task.standing.student in marked


def test_undo_after_a_second_reading_takes_back_no_earlier_mark(desk, ana, ben, everything_twice, gradebook):
    first, *_ = items(desk)
    give(desk, ben, take(desk, ben), Given((first,)))
    mark_all(desk, ana, Given(()))
    before = gradebook()
    task = take(desk, ben)
    assert task.second
    give(desk, ben, task, Given((first,)), second=True)
    with pytest.raises(NotValid, match="your last mark here is a second reading: go back to it with p"):
        take_back(desk, CELL, ben)
    assert gradebook() == before


def test_nobody_reads_over_another_second_reading(desk, ana, ben, everything_twice):
    mark_all(desk, ana, Given((items(desk)[0],)))
    task = take(desk, ben)
    give(desk, ben, task, Given(()), second=True)
    cleo = type(ben)("Cleo", "browser-of-cleo")
    with pytest.raises(NotValid, match="second time in the meantime"):
        save(desk, CELL, task.standing.answer, cleo, version(desk, task), Given(()), True)
    assert len(seconds(desk)) == 1


def seconds(desk):
    with desk.reading() as connection:
        return seconds_of(connection, CELL)


def test_second_readings_follow_a_price(desk, ana, ben, everything_twice):
    from tests.desk.test_rubric_items import changed

    first = items(desk)[0]
    mark_all(desk, ana, Given((first,)))
    give(desk, ben, take(desk, ben), Given((first,)), second=True)
    changed(desk, points=0.5)
    assert [one.points for one in seconds(desk).values()] == [0.5]


def test_whoever_opens_an_answer_reads_it_blind_and_after_that_marks_it_anew(
    desk, ana, ben, everything_twice, gradebook
):
    mark_all(desk, ana, Given((items(desk)[0],)))
    with desk.reading() as connection:
        one = next(one for one in desk.question(connection, CELL).standings.values() if one.mark)
    task = open_task(desk, CELL, one.answer, ben)
    assert task.second
    give(desk, ben, task, Given(()), second=True)
    assert gradebook()[one.student][0] == 1
    task = open_task(desk, CELL, one.answer, ben)
    assert not task.second
    give(desk, ben, task, Given(()))
    assert gradebook()[one.student][0] == 0

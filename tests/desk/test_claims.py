"""No answer is handed out twice, whoever asks at once, and whatever becomes of a browser."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from grader.desk import claims
from grader.desk.claims import Author
from grader.desk.scoring import Given
from grader.desk.settings import write_settings
from grader.desk.work import next_task, open_task
from tests.desk.working import CELL, items, mark_all, take


def test_two_browsers_never_get_the_same_answer(desk, ana, ben):
    assert take(desk, ana).standing.student != take(desk, ben).standing.student


def test_a_page_gets_its_own_answer_again_unless_it_says_that_it_has_it(desk, ana):
    first = take(desk, ana).standing
    assert take(desk, ana).standing.answer == first.answer
    assert take(desk, ana, passed=[first.answer]).standing.answer != first.answer


def test_eight_browsers_at_once_mark_every_answer_once(desk, gradebook):
    desk.warm()
    waiting = {student for student, (_, waits, _) in gradebook().items() if waits}
    given = Given((items(desk)[0],))

    def marker(number: int) -> list[str]:
        return mark_all(desk, Author(f"marker {number}", f"browser-{number}"), given)

    with ThreadPoolExecutor(8) as several:
        marked = [student for students in several.map(marker, range(8)) for student in students]
    assert sorted(marked) == sorted(waiting)
    assert {gradebook()[student][0] for student in waiting} == {1.0}


def test_a_claim_ends_soon_after_a_browser_that_died(desk, ana, ben, monkeypatch):
    student = take(desk, ana).standing.student
    later = time.time() + claims.LASTS + 1
    monkeypatch.setattr(claims.time, "time", lambda: later)
    assert take(desk, ben).standing.student == student


def test_a_sign_of_life_keeps_it(desk, ana, ben, monkeypatch):
    student = take(desk, ana).standing.student
    now = time.time()
    monkeypatch.setattr(claims.time, "time", lambda: now + claims.LASTS - 1)
    with desk.writing() as connection:
        assert claims.renew(connection, ana.browser) == [(student, CELL)]
    monkeypatch.setattr(claims.time, "time", lambda: now + claims.LASTS + 1)
    assert take(desk, ben).standing.student != student


def test_an_answer_that_is_given_back_is_free_at_once(desk, ana, ben):
    student = take(desk, ana).standing.student
    with desk.writing() as connection:
        claims.release(connection, ana.browser)
    assert take(desk, ben).standing.student == student


def test_an_answer_that_is_open_elsewhere_can_be_read(desk, ana, ben):
    one = take(desk, ana).standing
    task = open_task(desk, CELL, one.answer, ben)
    assert task.holder.marker == "Ana"
    assert open_task(desk, CELL, one.answer, ana).holder is None


def test_the_work_is_split_by_student(desk, ana, ben):
    with desk.writing() as connection:
        write_settings(connection, {"split": "student", "markers": ["Ana", "Ben"], "second_share": 0})
    given = Given((items(desk)[0],))
    hers, his = mark_all(desk, ana, given), mark_all(desk, ben, given)
    assert hers
    assert his
    assert not set(hers) & set(his)
    assert mark_all(desk, Author("Cleo", "browser-of-cleo"), given) == []
    assert next_task(desk, CELL, ana, set(), everyone=True, alike=False) is None


def test_every_question_has_an_order_of_its_own(desk):
    with desk.reading() as connection:
        orders = {tuple(desk.question(connection, cell).standings) for cell in ("q1-1", "q1-2", "q1-3")}
    assert len(orders) == 3

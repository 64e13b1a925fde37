"""The desk over a gradebook in PostgreSQL: a real server, started by the test."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from gradebook.test_postgres import server as database
from sqlalchemy import create_engine, text

from grader.desk.claims import Author
from grader.desk.desk import Desk
from grader.desk.marks import ChangedSince
from grader.desk.scoring import Given
from grader.desk.tables import VERSION
from grader.desk.work import take_back
from tests.desk.demo import make_demo
from tests.desk.test_rubric_items import changed
from tests.desk.working import give, items, mark_all, take

pytestmark = pytest.mark.slow
__all__ = ["database"]


def test_marks_claims_prices_and_undo_with_postgresql(database, tmp_path):
    course = make_demo(tmp_path / "dgm", 5, db_url=database)
    engine = create_engine(database)

    def scores() -> dict[str, tuple]:
        query = """
            select a.student_id, g.manual_score, g.needs_manual_grade, c.manual_comment from grade g
            join base_cell b on b.id = g.cell_id join submitted_notebook n on n.id = g.notebook_id
            join submitted_assignment a on a.id = n.assignment_id
            join base_cell s on s.name = b.name and s.type = 'SolutionCell'
            join comment c on c.cell_id = s.id and c.notebook_id = n.id where b.name = 'q1-1'
        """
        with engine.connect() as connection:
            return {row[0]: tuple(row[1:]) for row in connection.execute(text(query))}

    desks = [Desk(course, database) for _ in range(2)]  # two servers of one course, started at once
    with ThreadPoolExecutor(2) as both:
        numbers = list(both.map(items, desks))
    assert numbers[0] == numbers[1]
    assert desks[0].database.prepare() == VERSION
    first, second, *_ = numbers[0]
    before = scores()
    waiting = sorted(student for student, (_, waits, _) in before.items() if waits)

    def marker(number: int) -> list[str]:
        return mark_all(desks[number % 2], Author(f"m{number}", f"browser-{number}"), Given((first, second)))

    with ThreadPoolExecutor(8) as several:
        marked = [student for students in several.map(marker, range(8)) for student in students]
    assert sorted(marked) == waiting
    assert {scores()[student][:2] for student in waiting} == {(1.5, False)}

    shown = changed(desks[0], points=0.5)
    assert shown.changed == len(waiting)
    assert {scores()[student][0] for student in waiting} == {1.0}

    ana = Author("Ana", "browser-of-ana")
    task = take(desks[0], ana, "q1-2")
    saved = give(desks[0], ana, task, Given((items(desks[0], "q1-2")[0],)))
    with pytest.raises(ChangedSince):
        give(desks[1], ana, task, Given(()))
    take_back(desks[1], "q1-2", ana, saved.batch)
    task = take(desks[0], ana, "q1-2")
    assert task.standing.waits
    for desk in desks:
        desk.database.close()
    engine.dispose()

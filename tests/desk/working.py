"""What a marker does, in the tests: take an answer, and give it something."""

from __future__ import annotations

from grader.desk.claims import Author
from grader.desk.desk import Desk
from grader.desk.scoring import Given
from grader.desk.work import Saved, Task, next_task, save

CELL = "q1-1"


def take(desk: Desk, author: Author, cell: str = CELL, passed=()) -> Task | None:
    return next_task(desk, cell, author, set(passed), everyone=False, alike=False)


def version(desk: Desk, task: Task) -> str:
    one = task.standing
    return one.version(desk.digest(one.student, one.cell))


def give(desk: Desk, author: Author, task: Task, given: Given, second: bool = False) -> Saved:
    one = task.standing
    return save(desk, one.cell, one.answer, author, version(desk, task), given, second)


def items(desk: Desk, cell: str = CELL) -> list[int]:
    """The numbers of a question's items."""
    with desk.reading() as connection:
        return list(desk.question(connection, cell).items)


def mark_all(desk: Desk, author: Author, given: Given, cell: str = CELL) -> list[str]:
    """Mark all that waits; returns the students in the order in which they came."""
    students = []
    while (task := take(desk, author, cell)) is not None and not task.second:
        give(desk, author, task, given)
        students.append(task.standing.student)
    return students

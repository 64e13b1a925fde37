from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from grader.desk.claims import Author
from grader.desk.desk import Desk
from grader.gradebook.course import Course
from tests.desk.demo import make_demo

STUDENTS = 6


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Course:
    """A made-up course of six, marked by the machine; not to be changed.

    With DEMO_COURSE another one that `make demo-course` has made, such as one of 300.
    """
    if made := os.environ.get("DEMO_COURSE"):
        return Course(Path(made).absolute())
    return make_demo(tmp_path_factory.mktemp("demo") / "dgm", STUDENTS)


@pytest.fixture
def course(demo: Course, tmp_path: Path) -> Course:
    """A course of the test's own."""
    folder = tmp_path / "dgm"
    shutil.copytree(demo.root, folder)
    return Course(folder)


@pytest.fixture
def desk(demo: Course, tmp_path: Path) -> Desk:
    """A desk whose gradebook is the test's own; the answers are shared, and not to be changed."""
    shutil.copyfile(demo.root / "gradebook.db", tmp_path / "gradebook.db")
    desk = Desk(demo, f"sqlite:///{tmp_path}/gradebook.db")
    yield desk
    desk.database.close()


@pytest.fixture
def ana() -> Author:
    return Author("Ana", "browser-of-ana")


@pytest.fixture
def ben() -> Author:
    return Author("Ben", "browser-of-ben")


@pytest.fixture
def gradebook(desk: Desk):
    """What nbgrader's tables hold, read by the test itself: `{student: (points, waits, comment)}`."""

    def ask(cell: str = "q1-1") -> dict[str, tuple]:
        with sqlite3.connect(desk.database.url.removeprefix("sqlite:///")) as connection:
            return {
                student: (manual, bool(waits), comment)
                for student, manual, waits, comment in connection.execute(
                    """
                    select a.student_id, g.manual_score, g.needs_manual_grade, c.manual_comment
                    from grade g join base_cell b on b.id = g.cell_id
                    join submitted_notebook n on n.id = g.notebook_id
                    join submitted_assignment a on a.id = n.assignment_id
                    left join base_cell s on s.name = b.name and s.type = 'SolutionCell'
                    left join comment c on c.cell_id = s.id and c.notebook_id = n.id where b.name = ?
                    """,
                    (cell,),
                )
            }

    return ask


@pytest.fixture
def formgrader(desk: Desk):
    """Gives points and a comment as formgrader does, behind the desk's back."""

    def give(student: str, points: float, comment: str | None = None, cell: str = "q1-1") -> None:
        from nbgrader.api import Gradebook

        with Gradebook(desk.database.url) as gradebook:
            grade = gradebook.find_grade(cell, "report", "a3", student)
            grade.manual_score, grade.needs_manual_grade = points, False
            if comment is not None:
                gradebook.find_comment(cell, "report", "a3", student).manual_comment = comment
            gradebook.db.commit()

    return give

"""What the points that people took were taken for, by the rubrics of the desk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

from grader.desk.database import Database
from grader.desk.grades import Standing, standings
from grader.desk.rubric_items import questions, rubric_of
from grader.desk.scoring import RubricItem
from grader.desk.tables import MARKS
from grader.errors import GraderFault
from grader.gradebook.course import Course, inside
from grader.gradebook.steps import course_directory
from grader.release.notebook import grade_id
from grader.text import one_line, printable

BLANK = "left blank"
ELSEWHERE = "given without the desk's rubric"
MOST_TEXT = 300


def read_reasons(course: Course) -> dict[tuple[str, str], list[tuple[str, float]]]:
    """By student and item: what each marked answer lost points for, and how many; nothing is changed.

    An entry of the rubric that earns points and does not apply counts as what is missing.

    Raises:
        GraderFault: the gradebook cannot be read.
    """
    with inside(course) as config:
        database = Database(course_directory(config).db_url)
        try:
            with database.reading() as connection:
                return _read(connection)
        except SQLAlchemyError as error:
            raise GraderFault(
                f"the gradebook of {printable(str(course.root))} cannot be read: "
                f"{printable(str(error).splitlines()[0], 200)}"
            ) from error
        finally:
            database.close()


def _read(connection: Connection) -> dict[tuple[str, str], list[tuple[str, float]]]:
    if not inspect(connection).has_table(MARKS.name):
        return {}  # never opened at the desk
    found = {}
    for question in questions():
        cell = grade_id(question.id)
        rubric = rubric_of(connection, cell)
        for student, standing in standings(connection, cell).items():
            if standing.marked:
                found[student, question.id] = list(lost_for(standing, rubric))
    return found


def lost_for(standing: Standing, rubric: Mapping[int, RubricItem]) -> Iterator[tuple[str, float]]:
    """What an answer lost points for, and how many; in all more or fewer than it lost where it was capped."""
    if standing.manual is None:
        yield BLANK, standing.worth - (standing.automatic or 0.0)
        return
    given = standing.given(rubric)
    if standing.mark is None or standing.elsewhere:
        yield ELSEWHERE, standing.worth - standing.manual
        return
    for number, one in rubric.items():
        text = one_line(one.text, MOST_TEXT)
        if one.points < 0 and number in given.items:
            yield text, -one.points
        elif one.points > 0 and number not in given.items and not one.retired:
            yield f"missing: {text}", one.points
    if given.adjustment < 0:
        yield one_line(given.reason, MOST_TEXT) or "adjusted by the marker", -given.adjustment

"""nbgrader's grades and comments of one question, beside what the desk knows of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbgrader.api import Base
from sqlalchemy import Connection, Select, and_, select

from grader.desk.scoring import Given, RubricItem, raw_points
from grader.desk.tables import APPLIED, MARKS
from grader.gradebook.course import ASSIGNMENT, NOTEBOOK

_TABLES = Base.metadata.tables
GRADE, COMMENT = _TABLES["grade"], _TABLES["comment"]
SUBMITTED, HANDED_IN = _TABLES["submitted_notebook"], _TABLES["submitted_assignment"]
STUDENT = _TABLES["student"]
_CELL, _GRADE_CELL = _TABLES["base_cell"], _TABLES["grade_cells"]
_NOTEBOOK, _ASSIGNMENT = _TABLES["notebook"], _TABLES["assignment"]


@dataclass(frozen=True)
class Mark:
    """What was given at the desk, and written into the gradebook."""

    given: Given
    points: float
    written: str | None
    marker: str
    at: str
    answer: str
    version: int


@dataclass(frozen=True)
class Standing:
    """How one answer stands in the gradebook, and at the desk.

    Attributes:
        answer: nbgrader's id of the submitted notebook; it names no student.
        student: who handed it in.
        cell: the question's cell.
        grade: id of the row of its grade.
        comment_id: id of the row of its comment.
        manual: the points that a person gave; None where nobody has.
        automatic: those that nbgrader gave, 0 for a blank answer.
        extra: extra credit, given in formgrader.
        waits: whether a person is to mark it.
        comment: the comment that a person wrote.
        worth: the most points.
        mark: what the desk wrote last.
    """

    answer: str
    student: str
    cell: str
    grade: str
    comment_id: str | None
    manual: float | None
    automatic: float | None
    extra: float | None
    waits: bool
    comment: str | None
    worth: float
    mark: Mark | None = field(default=None)

    @property
    def elsewhere(self) -> bool:
        """Whether points or comment were changed where the desk has not seen it: in formgrader."""
        if self.mark is None:
            return self.manual is not None or bool(self.comment)
        return self.manual != self.mark.points or (self.comment or None) != self.mark.written

    @property
    def marked(self) -> bool:
        """Whether it needs nobody."""
        return not self.waits

    @property
    def points(self) -> float | None:
        """What counts now, without extra credit; None where it waits."""
        if self.waits:
            return None
        return self.manual if self.manual is not None else self.automatic

    @property
    def marker(self) -> str:
        """Who has marked it at the desk; empty where nobody has, or where it waits."""
        return self.mark.marker if self.mark and not self.waits else ""

    def given(self, items: Mapping[int, RubricItem]) -> Given:
        """What it was given, as items, adjustment and comment; what formgrader changed is in it."""
        if self.mark is not None and not self.elsewhere:
            return self.mark.given
        if self.manual is None:
            return Given(comment=self.comment or "")
        same_words = self.mark is not None and (self.comment or None) == self.mark.written
        if self.mark is not None and same_words and all(item in items for item in self.mark.given.items):
            mine = self.mark.given
            rest = raw_points(Given(mine.items), items)
            return Given(mine.items, round(self.manual - rest, 6), mine.reason, mine.comment)
        return Given((), self.manual, "", self.comment or "")

    def state(self) -> dict[str, Any]:
        """All that the desk may change, for the history."""
        mark = self.mark
        return {
            "points": self.manual,
            "comment": self.comment,
            "waits": self.waits,
            "mark": None
            if mark is None
            else mark.given.as_json
            | {"points": mark.points, "written": mark.written, "marker": mark.marker, "at": mark.at}
            | {"answer": mark.answer},
        }

    def version(self, answer: str) -> str:
        """What a page was made from: another value says that somebody has changed it since.

        Args:
            answer: digest of the answer's text.
        """
        mark = self.mark.version if self.mark else 0
        seen = [self.manual, self.extra, self.waits, self.comment or None, mark, answer, self.worth]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:24]


def standings(connection: Connection, cell: str) -> dict[str, Standing]:
    """Everybody's answer to a question, by student, in no order."""
    rows = connection.execute(_rows(cell)).all()
    marks = _marks(connection, MARKS.c.cell == cell, APPLIED.c.cell == cell)
    return {row.student: _standing(row, cell, marks.get(row.student)) for row in rows}


def standing(
    connection: Connection, cell: str, answer: str = "", student: str = "", lock: bool = False
) -> Standing | None:
    """One answer, by nbgrader's id or by its student; None where there is no such thing.

    Args:
        connection: within a transaction.
        cell: the question's cell.
        answer: nbgrader's id of the notebook.
        student: who handed it in.
        lock: keep others from changing it until the transaction's end.
    """
    wanted = SUBMITTED.c.id == answer if answer else HANDED_IN.c.student_id == student
    if lock:  # what is read afterwards is what the last change has left
        of_cell = select(_CELL.c.id).where(_CELL.c.name == cell)
        mine = (
            select(SUBMITTED.c.id).join(HANDED_IN, HANDED_IN.c.id == SUBMITTED.c.assignment_id).where(wanted)
        )
        connection.execute(
            select(GRADE.c.id)
            .where(GRADE.c.cell_id.in_(of_cell), GRADE.c.notebook_id.in_(mine))
            .with_for_update()
        )
    row = connection.execute(_rows(cell).where(wanted)).first()
    if row is None:
        return None
    marks = _marks(
        connection,
        and_(MARKS.c.cell == cell, MARKS.c.student == row.student),
        and_(APPLIED.c.cell == cell, APPLIED.c.student == row.student),
    )
    return _standing(row, cell, marks.get(row.student))


def lock_question(connection: Connection, cell: str) -> None:
    """Keep others from changing any grade of a question until the transaction's end."""
    of_cell = select(_CELL.c.id).where(_CELL.c.name == cell)
    connection.execute(
        select(GRADE.c.id).where(GRADE.c.cell_id.in_(of_cell)).order_by(GRADE.c.id).with_for_update()
    )


def _rows(cell: str) -> Select[Any]:
    commented = _CELL.alias()
    return (
        select(
            SUBMITTED.c.id.label("answer"),
            HANDED_IN.c.student_id.label("student"),
            GRADE.c.id.label("grade"),
            COMMENT.c.id.label("comment_id"),
            GRADE.c.manual_score,
            GRADE.c.auto_score,
            GRADE.c.extra_credit,
            GRADE.c.needs_manual_grade,
            COMMENT.c.manual_comment,
            _GRADE_CELL.c.max_score,
        )
        .select_from(GRADE)
        .join(_CELL, _CELL.c.id == GRADE.c.cell_id)
        .join(_GRADE_CELL, _GRADE_CELL.c.id == _CELL.c.id)
        .join(_NOTEBOOK, _NOTEBOOK.c.id == _CELL.c.notebook_id)
        .join(_ASSIGNMENT, _ASSIGNMENT.c.id == _NOTEBOOK.c.assignment_id)
        .join(SUBMITTED, SUBMITTED.c.id == GRADE.c.notebook_id)
        .join(HANDED_IN, HANDED_IN.c.id == SUBMITTED.c.assignment_id)
        .join(
            commented,
            and_(
                commented.c.name == _CELL.c.name,
                commented.c.notebook_id == _CELL.c.notebook_id,
                commented.c.type == "SolutionCell",
            ),
            isouter=True,
        )
        .join(
            COMMENT,
            and_(COMMENT.c.cell_id == commented.c.id, COMMENT.c.notebook_id == SUBMITTED.c.id),
            isouter=True,
        )
        .where(_CELL.c.name == cell, _ASSIGNMENT.c.name == ASSIGNMENT, _NOTEBOOK.c.name == NOTEBOOK)
    )


def _standing(row: Any, cell: str, mark: Mark | None) -> Standing:
    return Standing(
        row.answer,
        row.student,
        cell,
        row.grade,
        row.comment_id,
        row.manual_score,
        row.auto_score,
        row.extra_credit,
        bool(row.needs_manual_grade),
        row.manual_comment or None,
        row.max_score,
        mark,
    )


def _marks(connection: Connection, which: Any, applied: Any) -> dict[str, Mark]:
    items: dict[str, list[int]] = {}
    for row in connection.execute(select(APPLIED).where(applied).order_by(APPLIED.c.item)):
        items.setdefault(row.student, []).append(row.item)
    return {
        row.student: Mark(
            Given(tuple(items.get(row.student, ())), row.adjustment, row.reason, row.comment),
            row.points,
            row.written,
            row.marker,
            row.at,
            row.answer,
            row.version,
        )
        for row in connection.execute(select(MARKS).where(which))
    }

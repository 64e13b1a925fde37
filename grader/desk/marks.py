"""Writes what a person gives: nbgrader's manual score and comment, the desk's rows, and the history, at once.

Whoever saves says what their page was made from. Where that is not what stands there any more, nothing is
written, and they are shown both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from grader.desk import history
from grader.desk.grades import COMMENT, GRADE, Standing
from grader.desk.history import ELSEWHERE, Entry
from grader.desk.scoring import Given, RubricItem, comment_of, points_of
from grader.desk.tables import APPLIED, MARKS, TEXTS
from grader.desk.upsert import upsert


class ChangedSince(Exception):
    """Somebody has changed an answer's marks since the page was made."""

    def __init__(self, standing: Standing) -> None:
        super().__init__("somebody has changed this answer's marks in the meantime")
        self.standing = standing


@dataclass(frozen=True)
class Change:
    """Who does what, and as part of which batch.

    Attributes:
        marker: who.
        action: one of the history's.
        batch: what is done in one go.
        credit: whose mark it is afterwards; by default the marker's.
    """

    marker: str
    action: str
    batch: str
    credit: str = ""


def give(
    connection: Connection,
    standing: Standing,
    given: Given,
    items: Mapping[int, RubricItem],
    change: Change,
    text: tuple[str, str],
) -> dict[str, Any]:
    """Write what an answer is given. The transaction must hold the answer's row.

    Args:
        connection: within a transaction.
        standing: how it stands now.
        given: what it is given.
        items: the question's rubric.
        change: who does what.
        text: digest and source of what is marked.

    Returns:
        The state that it has then.

    Raises:
        NotValid: an item is not of this question.
    """
    points, comment = points_of(given, items, standing.worth), comment_of(given, items)
    before = standing.state()
    if standing.elsewhere:
        # What formgrader had changed is an entry of its own: the history has no gap.
        seen = standing.mark
        was = {"points": seen.points if seen else None, "comment": seen.written if seen else None}
        now = {"points": standing.manual, "comment": standing.comment}
        history.record(connection, "", ELSEWHERE, change.batch, (standing.student, standing.cell), was, now)
    digest, source = text
    upsert(connection, TEXTS, {"digest": digest}, {"source": source}, replace=False)
    mark = given.as_json | {"points": points, "written": comment}
    mark |= {"marker": change.credit or change.marker, "at": history.now(), "answer": digest}
    state = {"points": points, "comment": comment, "waits": False, "mark": mark}
    put(connection, standing, state)
    history.record(
        connection,
        change.marker,
        change.action,
        change.batch,
        (standing.student, standing.cell),
        before,
        state,
    )
    return state


def take_back(
    connection: Connection, standing: Standing | None, entry: Entry, marker: str, action: str, batch: str
) -> bool:
    """Bring an answer back to where it stood before a change; not where somebody has changed it since.

    Returns:
        Whether it was.
    """
    if standing is None or standing.state() != entry.after:
        return False
    put(connection, standing, entry.before)
    history.record(connection, marker, action, batch, (entry.student, entry.cell), entry.after, entry.before)
    return True


def put(connection: Connection, standing: Standing, state: Mapping[str, Any]) -> None:
    """Bring an answer into a state of the history's."""
    place = {"student": standing.student, "cell": standing.cell}
    connection.execute(
        update(GRADE)
        .where(GRADE.c.id == standing.grade)
        .values(manual_score=state["points"], needs_manual_grade=state["waits"])
    )
    if standing.comment_id is not None:
        connection.execute(
            update(COMMENT)
            .where(COMMENT.c.id == standing.comment_id)
            .values(manual_comment=state["comment"] or None)
        )
    connection.execute(
        delete(APPLIED).where(APPLIED.c.student == place["student"], APPLIED.c.cell == place["cell"])
    )
    mark = state["mark"]
    if mark is None:
        connection.execute(
            delete(MARKS).where(MARKS.c.student == place["student"], MARKS.c.cell == place["cell"])
        )
        return
    if mark["items"]:
        connection.execute(insert(APPLIED), [place | {"item": item} for item in mark["items"]])
    values = {
        name: mark[name]
        for name in ("adjustment", "reason", "comment", "points", "written", "marker", "at", "answer")
    }
    version = (standing.mark.version if standing.mark else 0) + 1
    upsert(connection, MARKS, place, values | {"version": version})

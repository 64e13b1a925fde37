"""Second readings: a share of the answers goes to another marker, who does not see what was given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from grader.desk import history
from grader.desk.history import Place
from grader.desk.rubric_items import question_of
from grader.desk.scoring import Given, NotValid, RubricItem, points_of, read_given, without
from grader.desk.tables import SECONDS
from grader.desk.upsert import upsert


@dataclass(frozen=True)
class Second:
    """What a second marker gave.

    Attributes:
        first: the points of the first one, once the two are settled.
        settled: by whom; empty where nobody has.
    """

    student: str
    cell: str
    given: Given
    points: float
    marker: str
    at: str
    first: float | None
    settled: str


def is_chosen(place: Place, share: float) -> bool:
    """Whether an answer is read twice: always the same ones are, and more with a larger share."""
    drawn = hashlib.sha256(f"second\0{place[1]}\0{place[0]}".encode()).digest()
    return int.from_bytes(drawn[:8]) < share * 2**64


def seconds_of(connection: Connection, cell: str | None = None) -> dict[Place, Second]:
    """All second readings, or those of a question."""
    statement = select(SECONDS) if cell is None else select(SECONDS).where(SECONDS.c.cell == cell)
    return {
        (row.student, row.cell): Second(
            row.student,
            row.cell,
            read_given(json.loads(row.given)),
            row.points,
            row.marker,
            row.at,
            row.first,
            row.settled,
        )
        for row in connection.execute(statement)
    }


def give_second(
    connection: Connection,
    place: Place,
    given: Given,
    items: Mapping[int, RubricItem],
    worth: float,
    marker: str,
) -> float:
    """Keep what a second marker gives; the gradebook stays as it is.

    Raises:
        NotValid: another one has read it already, or an item is not of this question.
    """
    points = points_of(given, items, worth)
    values = {
        "given": json.dumps(given.as_json),
        "points": points,
        "marker": marker,
        "at": history.now(),
        "settled": "",
    }
    if not upsert(
        connection,
        SECONDS,
        {"student": place[0], "cell": place[1]},
        values,
        only=(SECONDS.c.marker == marker) & (SECONDS.c.settled == ""),
    ):
        raise NotValid("somebody else has read this answer a second time in the meantime")
    after = {"points": points, "given": given.as_json}
    history.record(connection, marker, history.SECOND, history.new_batch(), place, {}, after)
    return points


def settle(connection: Connection, place: Place, marker: str, first: float) -> None:
    """Note that the difference between two readings is settled, and what the first one was."""
    connection.execute(
        update(SECONDS)
        .where(SECONDS.c.student == place[0], SECONDS.c.cell == place[1])
        .values(settled=marker, first=first)
    )


def rescore_seconds(
    connection: Connection, new: RubricItem, items: Mapping[int, RubricItem], taken_off: bool
) -> None:
    """Score second readings anew that have an item, after it has changed."""

    question = question_of(new.cell)
    assert question is not None
    for one in seconds_of(connection, new.cell).values():
        if new.id not in one.given.items:
            continue
        given = without(one.given, new.id) if taken_off else one.given
        connection.execute(
            update(SECONDS)
            .where(SECONDS.c.student == one.student, SECONDS.c.cell == one.cell)
            .values(given=json.dumps(given.as_json), points=points_of(given, items, question.points))
        )

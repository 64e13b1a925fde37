"""How far the marking is: by question, and by marker."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Connection, select

from grader.desk.desk import Desk
from grader.desk.history import GROUP, MARK
from grader.desk.settings import Settings
from grader.desk.tables import HISTORY
from grader.rubric import Item

LONGEST = 600.0  # seconds between two marks beyond which somebody did something else


@dataclass(frozen=True)
class QuestionProgress:
    """How far a question is.

    Attributes:
        item: the question.
        cell: its cell.
        answers: how many there are.
        marked: how many need nobody.
        changed: how many have changed since they were marked.
        elsewhere: how many were marked, or changed, in formgrader.
        mean: of the points of those that somebody has marked; None where nobody has marked any. A blank
            answer, which has 0 points by itself, is not among them.
        by_marker: how many each has marked at the desk.
        owner: whose question it is.
    """

    item: Item
    cell: str
    answers: int
    marked: int
    changed: int
    elsewhere: int
    mean: float | None
    by_marker: dict[str, int]
    owner: str

    @property
    def left(self) -> int:
        """How many wait for a marker."""
        return self.answers - self.marked + self.changed

    @property
    def share(self) -> float:
        """The share that is done, from 0 to 1."""
        return 1 - self.left / self.answers if self.answers else 1.0


@dataclass(frozen=True)
class MarkerProgress:
    """What one marker has done.

    Attributes:
        marker: who.
        marks: how many answers they marked, groups included.
        seconds: usually between one answer and the next; None where that is not known.
        last: when they marked last, as the tables have it; empty where that is not known.
    """

    marker: str
    marks: int
    seconds: float | None
    last: str


def by_question(desk: Desk, connection: Connection, settings: Settings) -> list[QuestionProgress]:
    """Every question's progress, in the order of the assignment."""
    found = []
    for question in desk.questions(connection):
        everyone = question.standings.values()
        given = [one.points for one in everyone if one.manual is not None and one.points is not None]
        markers = Counter(one.marker for one in everyone if one.marker)
        found.append(
            QuestionProgress(
                question.item,
                question.cell,
                len(everyone),
                sum(not one.waits for one in everyone),
                sum(not one.waits and desk.changed(one) for one in everyone),
                sum(one.elsewhere for one in everyone),
                statistics.fmean(given) if given else None,
                dict(markers),
                settings.owner_of(question.cell),
            )
        )
    return found


def by_marker(connection: Connection, rows: Iterable[QuestionProgress]) -> list[MarkerProgress]:
    """What everybody has done, those with the most marks first."""
    marks: Counter[str] = Counter()
    for row in rows:
        marks.update(row.by_marker)
    times: dict[str, dict[str, datetime]] = defaultdict(dict)  # one for each batch
    found = connection.execute(
        select(HISTORY.c.marker, HISTORY.c.batch, HISTORY.c.at)
        .where(HISTORY.c.action.in_((MARK, GROUP)), HISTORY.c.undone_by == "")
        .order_by(HISTORY.c.id)
    )
    for marker, batch, at in found:
        times[marker].setdefault(batch, datetime.fromisoformat(at))
    return [
        MarkerProgress(marker, count, _pace(list(times[marker].values())), _last(times[marker]))
        for marker, count in marks.most_common()
    ]


def _pace(moments: list[datetime]) -> float | None:
    """The median of the seconds between two marks."""
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    gaps = [gap for gap in gaps if gap <= LONGEST]
    return statistics.median(gaps) if gaps else None


def _last(times: dict[str, datetime]) -> str:
    return max(times.values()).isoformat() if times else ""

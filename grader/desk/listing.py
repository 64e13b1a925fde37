"""Rows for the pages: groups, the history, and answers that were read twice."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from grader.desk import history
from grader.desk.agreement import Pair
from grader.desk.desk import Desk, Question
from grader.desk.grades import Standing
from grader.desk.history import Entry
from grader.desk.rubric_items import question_of
from grader.desk.seconds import seconds_of
from grader.desk.sight import Sight
from grader.desk.views import inline

HIDDEN = "hidden"
WORDS = {
    history.MARK: "marked",
    history.GROUP: "marked in a group",
    history.PRICE: "changed an item",
    history.NEW_ITEM: "added an item",
    "rescore": "scored anew, with an item",
    history.SETTLE: "settled two readings",
    history.UNDO: "took back",
    history.ELSEWHERE: "was changed in formgrader",
    history.SECOND: "read a second time",
    history.SETTING: "changed the settings",
}


@dataclass(frozen=True)
class Row:
    """What was done in one go, as the page shows it.

    Attributes:
        at: when, as the tables have it.
        who: the marker; empty where it was formgrader.
        what: in words.
        question: id of the question; empty where it is about none.
        cell: its cell.
        answers: (nbgrader's id, how to call it, points before, points then) of each answer.
        was, now: what an item was and is, as harmless HTML; empty for anything else.
        batch: by which it can be taken back.
        undoable: whether it can.
        undone: whether it was.
    """

    at: str
    who: str
    what: str
    question: str
    cell: str
    answers: tuple[tuple[str, str, str, str], ...]
    was: str
    now: str
    batch: str
    undoable: bool
    undone: bool


def shown_batch(
    batch: Sequence[Entry], answers: Mapping[tuple[str, str], tuple[str, str]], blind: Container[int] = ()
) -> Row:
    """What was done in one go, for the page.

    Args:
        batch: its entries in the history.
        answers: nbgrader's id and how to call it, by student and cell.
        blind: ids of the entries whose points are not shown.
    """
    head = next((entry for entry in batch if not entry.student), batch[0])
    item = question_of(head.cell)
    about = tuple(
        (
            *answers.get((entry.student, entry.cell), ("", "an answer that is gone")),
            *((HIDDEN, HIDDEN) if entry.id in blind else _points(entry)),
        )
        for entry in batch
        if entry.student
    )
    is_item = not head.student
    return Row(
        head.at,
        head.marker,
        WORDS.get(head.action, head.action),
        item.id if item else "",
        head.cell,
        about,
        _summary(head.before) if is_item else "",
        _summary(head.after) if is_item else "",
        head.batch,
        # Not from a row that shows nothing; an item's change is shown whatever its answers are.
        any(entry.undoable and entry.id not in blind for entry in batch),
        any(entry.undone_by for entry in batch),
    )


def _points(entry: Entry) -> tuple[str, str]:
    """An answer's points before and after, in words."""
    return _summary(entry.before), _summary(entry.after)


def _summary(state: Mapping[str, Any]) -> str:
    """A state in a few words; an item's text as harmless HTML."""
    if "text" in state:
        return f"{state['points']:g}: {inline(state['text'])}"
    if "points" in state:
        if state.get("waits") or state["points"] is None:
            return "unmarked"
        return f"{state['points']:g}"
    return ""


def pairs_of(desk: Desk, connection: Connection, question: Question) -> list[Pair]:
    """The answers to a question that were read twice, those with the largest difference first."""
    found = []
    for (student, _), second in seconds_of(connection, question.cell).items():
        one = question.standings.get(student)
        if one is None or one.points is None:
            continue
        first = second.first if second.first is not None else one.points
        found.append(Pair(one, first, second))
    return sorted(found, key=lambda pair: (bool(pair.second.settled), -abs(pair.difference)))


def answer_row(desk: Desk, one: Standing, sight: Sight) -> dict[str, Any]:
    """An answer in a list: who has marked it, and its points where this marker sees them."""
    return {
        "answer": one.answer,
        "waits": one.waits,
        "marker": one.marker,
        "changed": desk.changed(one),
        "points": one.points if sight.sees(one) else None,
    }


def label_of(question: Question, one: Standing, names: Mapping[str, str]) -> str:
    """How to call an answer: by its number, or with its student's name where names are shown."""
    number = f"answer {question.number(one.student)}"
    return f"{names.get(one.student, one.student)}, {number}" if question.settings.names_shown else number

"""Each question's rubric: seeded from its marking guide, and changed by those who mark."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, func, insert, select

from grader.desk.scoring import NotValid, RubricItem, clean_text, read_points
from grader.desk.tables import ITEMS
from grader.release.answers import load_answers
from grader.release.notebook import grade_id
from grader.rubric import Item, load_rubric

EARNS, COSTS, ACCEPTED = "earns", "costs", "accepted"  # what an item of the guide is, in its origin
MOST_ITEMS = 40


@cache
def questions() -> tuple[Item, ...]:
    """What a person marks, in the order of the assignment."""
    return tuple(item for item in load_rubric().items if item.how != "auto")


def question_of(cell: str) -> Item | None:
    """The question of a cell; None where a person marks no such cell."""
    return _by_cell().get(cell)


@cache
def _by_cell() -> dict[str, Item]:
    return {grade_id(item.id): item for item in questions()}


def seed(connection: Connection) -> int:
    """Give every question without a rubric the one of its marking guide; returns how many items that made."""
    known = set(connection.scalars(select(ITEMS.c.cell).distinct()))
    rows = [
        {"cell": cell, "position": position, "points": points, "text": text, "origin": origin}
        | {"note": "", "retired": False}
        for cell in (grade_id(item.id) for item in questions())
        if cell not in known
        for position, (points, text, origin) in enumerate(_from_guide(cell))
    ]
    if rows:
        connection.execute(insert(ITEMS), rows)
    return len(rows)


def _from_guide(cell: str) -> list[tuple[float, str, str]]:
    """Points, text and origin of what earns points, of misconceptions, and of what is accepted."""
    question = question_of(cell)
    guide = load_answers().get(question.id) if question else None
    if guide is None:
        return []
    earns = [(entry.points, entry.text, f"{EARNS}:{n}") for n, entry in enumerate(guide.marks)]
    costs = [
        (-entry.points or 0.0, entry.text, f"{COSTS if entry.points else ACCEPTED}:{n}")
        for n, entry in enumerate(guide.misconceptions)
    ]
    return earns + costs


def rubric_of(connection: Connection, cell: str) -> dict[int, RubricItem]:
    """All items of a question, retired ones too, by number, in their order."""
    rows = connection.execute(
        select(ITEMS).where(ITEMS.c.cell == cell).order_by(ITEMS.c.position, ITEMS.c.id)
    )
    return {
        row.id: RubricItem(row.id, row.cell, row.points, row.text, row.note, row.origin, row.retired)
        for row in rows
    }


def add(connection: Connection, cell: str, points: object, text: object, note: object) -> RubricItem:
    """A new item at the end of a question's rubric.

    Raises:
        NotValid: it cannot be one.
    """
    value, said, remark = read_item(cell, points, text, note)
    position, count = connection.execute(
        select(func.max(ITEMS.c.position), func.count()).where(ITEMS.c.cell == cell)
    ).one()
    if count >= MOST_ITEMS:
        raise NotValid(f"a question has at most {MOST_ITEMS} items: change one of them")
    made = connection.execute(
        insert(ITEMS).values(
            cell=cell,
            position=(position if position is not None else -1) + 1,
            points=value,
            text=said,
            note=remark,
            origin="",
            retired=False,
        )
    )
    key = made.inserted_primary_key
    assert key is not None
    return RubricItem(key[0], cell, value, said, remark)


def read_item(cell: str, points: object, text: object, note: object) -> tuple[float, str, str]:
    """What was typed for an item, checked.

    Raises:
        NotValid: it has no text, or points that no answer could get.
    """
    question = question_of(cell)
    if question is None:
        raise NotValid(f"{cell} is no question that a person marks")
    value = read_points(points, "an item's price")
    if abs(value) > question.points:
        raise NotValid(f"question {question.id} is worth {question.points:g}, so no item is more than that")
    said, remark = clean_text(text, "text"), clean_text(note, "note")
    if not said:
        raise NotValid("an item needs a text: it is what the student reads")
    return value, said, remark


def reorder(connection: Connection, cell: str, order: Sequence[object]) -> None:
    """Put a question's items into another order.

    Raises:
        NotValid: these are not the question's items, each once.
    """
    known = rubric_of(connection, cell)
    if sorted(map(str, order)) != sorted(map(str, known)):
        raise NotValid("these are not all items of the question: load the page again")
    for position, item in enumerate(order):
        connection.execute(ITEMS.update().where(ITEMS.c.id == item).values(position=position))

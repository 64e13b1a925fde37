"""Changes an item of a rubric, and every answer that has it, after saying how many and by how much."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from grader.desk import history
from grader.desk.grades import Standing, lock_question, standings
from grader.desk.history import Entry
from grader.desk.marks import Change, give, take_back
from grader.desk.rubric_items import rubric_of
from grader.desk.scoring import NotValid, RubricItem, comment_of, points_of, without
from grader.desk.seconds import rescore_seconds
from grader.desk.tables import ITEMS

RESCORED = "rescore"  # in the history: an answer whose points changed with an item


class PreviewIsOld(Exception):
    """What was shown before a change is not what the change would do now."""


@dataclass(frozen=True)
class Preview:
    """What a change of an item does.

    Attributes:
        answers: how many have the item.
        changed: of how many the points change; the others get another comment.
        steps: (points now, points then, how many), the most frequent first.
        difference: of the points of all answers together.
        kept: how many have it and keep their marks, since they were changed in formgrader.
        token: names exactly this.
    """

    answers: int
    changed: int
    steps: tuple[tuple[float, float, int], ...]
    difference: float
    kept: int
    token: str

    @property
    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "answers": self.answers,
            "changed": self.changed,
            "steps": [list(step) for step in self.steps],
            "difference": self.difference,
            "kept": self.kept,
            "token": self.token,
        }


def preview(
    connection: Connection, items: Mapping[int, RubricItem], new: RubricItem, taken_off: bool = False
) -> Preview:
    """What it would do to put an item into the place of the one with its number.

    Args:
        connection: within a transaction.
        items: the question's rubric.
        new: the item as it is to be.
        taken_off: whether it is taken off all answers.
    """
    having, kept = _having(connection, items, new)
    changed = _changed(items, new, taken_off)
    steps: Counter[tuple[float, float]] = Counter()
    for one in having:
        given = one.given(items)
        after = without(given, new.id) if taken_off else given
        steps[points_of(given, items, one.worth), points_of(after, changed, one.worth)] += 1
    moved = {step: count for step, count in steps.items() if step[0] != step[1]}
    seen = [
        [new.as_json, taken_off, kept],
        sorted([one.student, one.version("")] for one in having),
    ]
    return Preview(
        len(having),
        sum(moved.values()),
        tuple((was, now, count) for (was, now), count in sorted(moved.items(), key=lambda one: -one[1])),
        round(sum((now - was) * count for (was, now), count in moved.items()), 6),
        kept,
        hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:24],
    )


def change_item(
    connection: Connection,
    items: Mapping[int, RubricItem],
    new: RubricItem,
    marker: str,
    token: str,
    taken_off: bool = False,
) -> Preview:
    """Change an item, and score every answer anew that has it.

    Raises:
        NotValid: there is no such item.
        PreviewIsOld: it would do something else than what was shown.
    """
    if new.id not in items:
        raise NotValid("this item is not in the question's rubric any more: load the page again")
    lock_question(connection, new.cell)
    shown = preview(connection, items, new, taken_off)
    if shown.answers and shown.token != token:
        raise PreviewIsOld
    was, batch = items[new.id], history.new_batch()
    connection.execute(
        ITEMS.update()
        .where(ITEMS.c.id == new.id)
        .values(points=new.points, text=new.text, note=new.note, retired=new.retired)
    )
    history.record(connection, marker, history.PRICE, batch, ("", new.cell), was.as_json, new.as_json)
    changed = _changed(items, new, taken_off)
    for one in _having(connection, items, new)[0]:
        assert one.mark is not None
        given = without(one.mark.given, new.id) if taken_off else one.mark.given
        same = (points_of(given, changed, one.worth), comment_of(given, changed)) == (
            one.mark.points,
            one.mark.written,
        )
        if taken_off or not same:
            change = Change(marker, RESCORED, batch, credit=one.mark.marker)
            give(connection, one, given, changed, change, (one.mark.answer, ""))
    rescore_seconds(connection, new, changed, taken_off)
    return shown


def undo_change(connection: Connection, batch: str, marker: str) -> tuple[list[Entry], list[Entry]]:
    """Change an item back, and with it every answer that was scored anew.

    Returns:
        The entries that were taken back; and those of answers that were marked since, and now have the item
        as it was.

    Raises:
        NotValid: it was taken back already.
    """
    done = [entry for entry in history.batch_of(connection, batch) if not entry.undone_by]
    change = next((entry for entry in done if entry.action == history.PRICE), None)
    if change is None:
        raise NotValid("this was taken back already")
    lock_question(connection, change.cell)
    was = {name: change.before[name] for name in ("points", "text", "note", "retired")}
    connection.execute(ITEMS.update().where(ITEMS.c.id == change.before["id"]).values(**was))
    by, items = history.new_batch(), rubric_of(connection, change.cell)
    history.record(connection, marker, history.PRICE, by, ("", change.cell), change.after, change.before)
    now = standings(connection, change.cell)
    taken: list[Entry] = [change]
    kept: list[Entry] = []
    for entry in (one for one in done if one.action == RESCORED):
        was_taken = take_back(connection, now.get(entry.student), entry, marker, RESCORED, by)
        (taken if was_taken else kept).append(entry)
    for one in _having(connection, items, items[change.before["id"]])[0]:
        assert one.mark is not None
        if points_of(one.mark.given, items, one.worth) != one.mark.points:
            again = Change(marker, RESCORED, by, credit=one.mark.marker)
            give(connection, one, one.mark.given, items, again, (one.mark.answer, ""))
    history.mark_undone(connection, [entry.id for entry in taken], by)
    return taken, kept


def _having(
    connection: Connection, items: Mapping[int, RubricItem], new: RubricItem
) -> tuple[list[Standing], int]:
    """The answers that have an item, and how many more have it and were changed elsewhere."""
    having = [
        one
        for one in standings(connection, new.cell).values()
        if one.mark is not None and new.id in one.mark.given.items
    ]
    ours = [one for one in having if not one.elsewhere]
    return sorted(ours, key=lambda one: one.student), len(having) - len(ours)


def _changed(items: Mapping[int, RubricItem], new: RubricItem, taken_off: bool) -> dict[int, RubricItem]:
    return {
        number: new if number == new.id else item
        for number, item in items.items()
        if not (taken_off and number == new.id)
    }

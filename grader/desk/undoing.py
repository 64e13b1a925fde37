"""Takes back what was done: one mark, or a whole group at once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from grader.desk import history
from grader.desk.grades import standing
from grader.desk.history import PRICE, SECOND, UNDO, UNDOABLE, Entry
from grader.desk.marks import take_back
from grader.desk.repricing import undo_change
from grader.desk.scoring import Given, NotValid, read_given
from grader.desk.tables import HISTORY


@dataclass(frozen=True)
class Undone:
    """What was taken back.

    Attributes:
        entries: what was.
        kept: what somebody has changed since, and stays.
    """

    entries: tuple[Entry, ...]
    kept: tuple[Entry, ...]

    @property
    def first(self) -> Entry | None:
        """The first entry that is about an answer; None where only an item was changed."""
        return next((entry for entry in self.entries if entry.student), None)

    @property
    def given(self) -> Given | None:
        """What the first answer had been given at the desk; None where it had been given nothing there."""
        mark = self.first.after.get("mark") if self.first else None
        return read_given(mark) if mark else None


def latest_of(connection: Connection, marker: str, cell: str) -> Entry | None:
    """What somebody did last at a question and can be taken back.

    Raises:
        NotValid: they did a second reading after it, which it would be taken for.
    """
    undoable = [one for one in UNDOABLE if one != UNDO]
    found = history.entries(
        connection,
        HISTORY.c.marker == marker,
        HISTORY.c.cell == cell,
        HISTORY.c.action.in_([*undoable, SECOND]),
        HISTORY.c.undone_by == "",
        most=1,
    )
    if found and found[0].action == SECOND:
        raise NotValid("your last mark here is a second reading: go back to it with p and save it anew")
    return found[0] if found else None


def undo(connection: Connection, batch: str, marker: str) -> Undone:
    """Take back all that was done in one go.

    Raises:
        NotValid: nothing of it can be taken back, with the reason.
    """
    everything = history.batch_of(connection, batch)
    if any(entry.action == PRICE for entry in everything):
        back, stayed = undo_change(connection, batch, marker)
        return Undone(tuple(back), tuple(stayed))
    done = [entry for entry in everything if entry.undoable]
    if not done:
        raise NotValid("this was taken back already, or is nothing that can be")
    by = history.new_batch()
    taken: list[Entry] = []
    kept: list[Entry] = []
    for entry in done:
        now = standing(connection, entry.cell, student=entry.student, lock=True)
        was_taken = take_back(connection, now, entry, marker, UNDO, by)
        (taken if was_taken else kept).append(entry)
    if not taken:
        raise NotValid("somebody has changed this since, so it cannot be taken back: see the history")
    history.mark_undone(connection, [entry.id for entry in taken], by)
    return Undone(tuple(taken), tuple(kept))

"""Every change at the desk: who, when, from and to."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, select, update

from grader.desk.tables import HISTORY

MARK, GROUP, PRICE, SETTLE, UNDO, ELSEWHERE = "mark", "group", "item", "settle", "undo", "elsewhere"
SECOND, NEW_ITEM, RETIRED, SETTING = "second", "new item", "retire", "setting"
# What can be taken back, answer by answer. A changed item is changed back with all its answers.
UNDOABLE = (MARK, GROUP, SETTLE, UNDO)

Place = tuple[str, str]  # student and cell


@dataclass(frozen=True)
class Entry:
    """A change. `before` and `after` are what `Standing.state` says, or an item, or a setting."""

    id: int
    at: str
    marker: str
    action: str
    batch: str
    student: str
    cell: str
    before: dict[str, Any]
    after: dict[str, Any]
    undone_by: str

    @property
    def undoable(self) -> bool:
        """Whether it can be taken back, if nobody has changed it since."""
        return self.action in (*UNDOABLE, PRICE) and not self.undone_by


def now() -> str:
    """The time as the tables have it: UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_batch() -> str:
    """A name for what is done in one go."""
    return uuid.uuid4().hex


def record(
    connection: Connection,
    marker: str,
    action: str,
    batch: str,
    place: Place,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    """Write an entry, in the transaction of the change itself."""
    connection.execute(
        insert(HISTORY).values(
            at=now(),
            marker=marker,
            action=action,
            batch=batch,
            student=place[0],
            cell=place[1],
            before=json.dumps(before, allow_nan=False),
            after=json.dumps(after, allow_nan=False),
            undone_by="",
        )
    )


def entries(
    connection: Connection,
    *conditions: Any,
    most: int = 200,
    wanted: Callable[[Entry], bool] = lambda entry: True,
) -> list[Entry]:
    """The latest entries that are wanted, the newest first, however far back they lie."""
    newest_first = select(HISTORY).where(*conditions).order_by(HISTORY.c.id.desc())
    with connection.execute(newest_first.execution_options(yield_per=500)) as rows:
        return list(islice(filter(wanted, map(_entry, rows)), most))


def batch_of(connection: Connection, batch: str) -> list[Entry]:
    """All that was done in one go, in its order."""
    found = connection.execute(select(HISTORY).where(HISTORY.c.batch == batch).order_by(HISTORY.c.id))
    return [_entry(row) for row in found]


def mark_undone(connection: Connection, numbers: Sequence[int], by: str) -> None:
    """Note that entries were taken back."""
    connection.execute(update(HISTORY).where(HISTORY.c.id.in_(numbers)).values(undone_by=by))


def _entry(row: Any) -> Entry:
    return Entry(
        row.id,
        row.at,
        row.marker,
        row.action,
        row.batch,
        row.student,
        row.cell,
        json.loads(row.before),
        json.loads(row.after),
        row.undone_by,
    )

"""Our own table: a row per student, with every item, for a spreadsheet or a script."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from grader.gradebook.exports.filling import Filled
from grader.gradebook.exports.formats import Request
from grader.gradebook.exports.marks import Mark
from grader.gradebook.exports.tables import identifier, write_table
from grader.report.cells import harmless
from grader.report.marks_csv import number
from grader.rubric import load_rubric

COLUMNS = (
    *("student", "last_name", "first_name", "email", "submitted", "days_late", "automatic", "by_hand"),
    *("penalty", "points", "max_points", "status"),
)


def write(request: Request, marks: Sequence[Mark], roster: Sequence[Mark]) -> Filled:
    """See `formats`."""
    write_own(request.output, marks)
    return Filled(written=[mark.student for mark in marks])


def write_own(path: Path, marks: Sequence[Mark]) -> None:
    """Write the table. What waits for a person is an empty cell, never a zero."""
    items = load_rubric().items
    write_table(path, [*COLUMNS, *(item.id for item in items)], [_row(mark) for mark in marks])


def _row(mark: Mark) -> list[str]:
    items = load_rubric().items
    given = {item: points for item, points in mark.items.items() if points is not None}
    automatic = sum(given.get(item.id, 0.0) for item in items if item.how == "auto")
    by_hand = sum(given.get(item.id, 0.0) for item in items if item.how != "auto")
    names = (harmless(mark.last_name), harmless(mark.first_name))
    about = [identifier(mark.student), *names, identifier(mark.email)]
    if not mark.handed_in:
        nothing = ["", "", "", "", "", "0", number(mark.max_points), "nothing handed in"]
        return [*about, *nothing, *("" for _ in items)]
    submitted = mark.submitted.replace(tzinfo=UTC).isoformat() if mark.submitted else ""
    status = "complete" if mark.final else f"{len(mark.waiting)} to mark"
    numbers = [automatic, by_hand, mark.penalty, mark.points, mark.max_points]
    return [
        *about,
        submitted,
        str(mark.days_late),
        *(number(value) for value in numbers),
        status,
        *(number(given[item.id]) if item.id in given else "" for item in items),
    ]

"""The small table that Brightspace's grade import takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.errors import GraderUsageError
from grader.gradebook.exports.filling import Filled
from grader.gradebook.exports.formats import Request
from grader.gradebook.exports.marks import Mark
from grader.gradebook.exports.tables import identifier, write_table
from grader.report.marks_csv import number
from grader.text import printable


def write(request: Request, marks: Sequence[Mark], roster: Sequence[Mark]) -> Filled:
    """See `formats`."""
    write_brightspace(request.output, marks, request.column)
    return Filled(written=[mark.student for mark in marks])


def write_brightspace(path: Path, marks: Sequence[Mark], name: str) -> None:
    """Write a table for the grade import of Brightspace.

    Args:
        path: where to.
        marks: those that may be written.
        name: the grade item's name.

    Raises:
        GraderUsageError: the name cannot be one.
    """
    if not name.strip() or any(sign in name for sign in '/"*<>+=|,%'):
        raise GraderUsageError(
            f'--column {printable(name)}: Brightspace takes no / " * < > + = | , % in names'
        )
    rows = [[identifier(mark.student), number(mark.points), "#"] for mark in marks]
    write_table(path, ["Username", f"{name} Points Grade", "End-of-Line Indicator"], rows)

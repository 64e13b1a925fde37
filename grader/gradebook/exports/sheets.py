"""What filling in a table of Canvas and one of Moodle have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.errors import GraderUsageError
from grader.gradebook.exports.filling import Filled
from grader.gradebook.exports.marks import Mark
from grader.report.marks_csv import number
from grader.text import listed, printable


def names_of(roster: Sequence[Mark]) -> list[str]:
    """The names on the roster, by which a table's encoding is told."""
    return [name for mark in roster for name in (mark.first_name, mark.last_name) if name]


def points_in(cell: str) -> float | None:
    """The number in a cell; None for an empty one, or a text."""
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return None


def check_points(cell: str, marks: Sequence[Mark], title: str, sheet: Path) -> None:
    """Check that the platform counts as many points as the assignment.

    Raises:
        GraderUsageError: it does not.
    """
    possible = points_in(cell)
    for mark in marks if possible is not None else ():
        if possible != mark.max_points:
            raise GraderUsageError(
                f"{printable(str(sheet))}: {printable(title)} counts {number(possible or 0)} points, the "
                f"assignment {number(mark.max_points)}; change it there and export again"
            )


def refuse_several(filled: Filled, sheet: Path) -> None:
    """Where ids themselves contradict each other, something is wrong with the table or the roster."""
    for label, students in filled.contradictions:
        raise GraderUsageError(
            f"{printable(str(sheet))}: the row of {printable(label)} could be {listed(students)}: its ids "
            "are of different students; correct the roster or the table, and export again"
        )

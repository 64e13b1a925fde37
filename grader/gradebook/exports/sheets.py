"""What filling in a table of Canvas and one of Moodle have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.errors import GraderUsageError
from grader.gradebook.exports.filling import Filled
from grader.gradebook.exports.marks import Mark
from grader.gradebook.exports.tables import Table, plain, points_in, read_table
from grader.report.marks_csv import number
from grader.text import listed, printable

_ENCODINGS = {"mac_roman": "Mac Roman", "latin-1": "Latin-1"}


def read_sheet(sheet: Path, column: str, roster: Sequence[Mark]) -> Table:
    """Read a table in which the column and people of the roster are likely to be, which tell its encoding.

    Raises:
        GraderUsageError: it cannot be read, or is no table.
    """
    names = [name for mark in roster for name in (mark.first_name, mark.last_name)]
    return read_table(sheet, filter(plain, [*names, column]))


def columns_called(name: str, heads: Sequence[str]) -> list[int]:
    """The places of the heads of this name: to the letter, or else those that look the same."""
    return [place for place, head in enumerate(heads) if head.strip() == name.strip()] or [
        place for place, head in enumerate(heads) if plain(head) == plain(name)
    ]


def encoding_name(encoding: str) -> str:
    """What people call it."""
    windows = encoding.replace("cp125", "Windows-125")
    return _ENCODINGS.get(encoding, windows if windows != encoding else encoding.upper())


def may_be_the_encoding(table: Table) -> str:
    """What to do where names that should be in a table are not: nothing, if its encoding is certain."""
    if not table.form.guessed:
        return ""
    return (
        f"; it is not in UTF-8, but in {encoding_name(table.form.encoding)}, as it seems: where its heads "
        "look wrong, save it as UTF-8 (in Excel: Save As, CSV UTF-8) and export again"
    )


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

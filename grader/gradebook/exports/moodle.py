"""The grading worksheet that Moodle gives out, filled in, or a table for its grade import."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from grader.errors import GraderUsageError
from grader.gradebook.exports.filling import Filled, fill
from grader.gradebook.exports.formats import Request
from grader.gradebook.exports.marks import Mark
from grader.gradebook.exports.sheets import (
    check_points,
    columns_called,
    may_be_the_encoding,
    read_sheet,
    refuse_several,
)
from grader.gradebook.exports.tables import Table, identifier, plain, points_in, write_file, write_table
from grader.gradebook.exports.worksheet import worksheet_students
from grader.report.cells import harmless
from grader.report.marks_csv import number
from grader.text import listed, printable

_DECIMALS = re.compile(r"\d+[.,]\d+")


def write(request: Request, marks: Sequence[Mark], roster: Sequence[Mark]) -> Filled:
    """See `formats`."""
    return write_moodle(request.output, marks, request.sheet, request.column, roster)


def write_moodle(
    path: Path,
    marks: Sequence[Mark],
    sheet: Path | None,
    name: str,
    roster: Sequence[Mark] | None = None,
) -> Filled:
    """Fill in the grading worksheet that Moodle gave out, or write a table for its grade import.

    Moodle writes the heads of a worksheet in the language of whoever downloads it, so students are found by
    what stands in the columns, and only the grade's has to be named.

    Args:
        path: where to.
        marks: those that may be written.
        sheet: the worksheet; None: a new table.
        name: the head of the grade's column, where it is not `Grade`; without a worksheet the grade item's
            name.
        roster: everyone, to tell who is known; by default those of the marks.

    Returns:
        What became of the rows and of the marks.

    Raises:
        GraderUsageError: the worksheet has no such column, counts other points, or has rows that fit two.
    """
    if sheet is None:
        header = ["Username", "First name", "Last name", "Email address", name]
        rows = [
            [
                *(identifier(mark.student), harmless(mark.first_name), harmless(mark.last_name)),
                *(identifier(mark.email), number(mark.points)),
            ]
            for mark in marks
        ]
        write_table(path, header, rows)
        return Filled(written=[mark.student for mark in marks])
    roster = marks if roster is None else roster
    table = read_sheet(sheet, name, roster)
    place = _grade_column(table, name, sheet)
    worth = _maximum_column(table, place)
    if worth is not None:
        for row in table.rows:
            check_points(row[worth], marks, table.header[place], sheet)
    students = worksheet_students(table, {place} if worth is None else {place, worth}, roster)
    sign = table.decimal_sign(place, [] if worth is None else [worth])
    filled = fill(table, place, students, marks, roster, sign)
    refuse_several(filled, sheet)
    if marks and len(filled.strangers) == len(students.rows):
        raise GraderUsageError(
            f"{printable(str(sheet))}: has none of the columns by which students are known: no cell holds an "
            "id, an e-mail address or a name of the roster; export the worksheet again, or leave --sheet out"
            + may_be_the_encoding(table)
        )
    write_file(path, table.content())
    return filled


def _grade_column(table: Table, name: str, sheet: Path) -> int:
    """The column of this name, or else Moodle's `Grade`."""
    for head in (name, "Grade"):
        if len(places := columns_called(head, table.header)) == 1:
            return places[0]
    raise GraderUsageError(
        f"{printable(str(sheet))}: has no column {printable(name)}, and none called Grade; Moodle writes "
        "heads in the language of whoever downloads the worksheet: name the grade's column by --column; "
        f"its columns are: {listed(table.header, 40)}{may_be_the_encoding(table)}"
    )


def _maximum_column(table: Table, place: int) -> int | None:
    """Where Moodle writes what the assignment is worth: one number for everyone, mostly behind the grade.

    Of several such columns it is the one called like the grade (`Nota máxima`), or with decimals, or nearest.
    """
    if named := columns_called("Maximum Grade", table.header):
        return named[0]
    rows = [row for row in table.rows if any(map(plain, row))]
    found: dict[int, tuple[bool, bool, bool, int]] = {}
    for column, title in enumerate(table.header):
        worths = {points_in(row[column]) or 0 for row in rows}
        if column == place or len(worths) != 1 or min(worths) <= 0:
            continue
        behind, alike = column > place, plain(table.header[place]).casefold() in plain(title).casefold()
        decimals = all(_DECIMALS.fullmatch(plain(row[column])) for row in rows)
        several = len(rows) > 1  # of one student every number is the same for everyone, also an id
        if (behind and (several or alike or decimals or column == place + 1)) or (several and decimals):
            found[column] = (behind, alike, decimals, -abs(column - place))
    return max(found, key=lambda column: found[column], default=None)

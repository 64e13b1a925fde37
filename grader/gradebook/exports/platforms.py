"""Grade tables for Canvas, Moodle and Brightspace.

Canvas and Moodle export a table of students, and take it back with the marks filled in: whatever else is in
it stays as it is. Brightspace takes a small table of its own form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from grader.errors import GraderUsageError
from grader.gradebook.exports.marks import Mark
from grader.gradebook.exports.tables import Table, read_table, write_table
from grader.report.cells import harmless
from grader.report.marks_csv import number
from grader.submission.names import listed, printable

# The columns by which a student is known, best first, with what of the roster stands in them.
_CANVAS: dict[str, Callable[[Mark], str]] = {
    "SIS Login ID": lambda mark: mark.student,
    "SIS User ID": lambda mark: mark.student,
    "ID": lambda mark: mark.platform_id,
}
_MOODLE: dict[str, Callable[[Mark], str]] = {
    "Username": lambda mark: mark.student,
    "ID number": lambda mark: mark.student,
    "Email address": lambda mark: mark.email,
    "Identifier": lambda mark: f"Participant {mark.platform_id}" if mark.platform_id else "",
}
_POINTS_POSSIBLE = "Points Possible"


def write_canvas(path: Path, marks: Sequence[Mark], sheet: Path, column: str) -> list[str]:
    """Fill in the gradebook that Canvas exported.

    Args:
        path: where to.
        marks: those that may be written.
        sheet: the file that Canvas exported.
        column: the assignment's column, such as `Practical 3 (12345)`, or the part before the number.

    Returns:
        Remarks about students who are in one place only.

    Raises:
        GraderUsageError: the table has no such column, or counts other points.
    """
    table = read_table(sheet)
    place = _column(table, column, sheet)
    for row in table.rows:
        if row[0].strip() == _POINTS_POSSIBLE:
            _check_points(row[place], marks, table.header[place], sheet)
    # A row without a name says how a column is posted, and is no student's.
    students = [row for row in table.rows if row[0].strip() not in ("", _POINTS_POSSIBLE)]
    remarks = _fill(Table(table.header, students, table.marked), place, marks, _CANVAS, sheet)
    write_table(path, table.header, table.rows, table.marked)
    return remarks


def write_moodle(path: Path, marks: Sequence[Mark], sheet: Path | None, name: str) -> list[str]:
    """Fill in the grading worksheet that Moodle gave out, or write a table for its grade import.

    Args:
        path: where to.
        marks: those that may be written.
        sheet: the worksheet; None: a new table.
        name: the grade item's name, the last column of a new table.
    """
    if sheet is None:
        header = ["Username", "First name", "Last name", "Email address", name]
        rows = [
            [
                *map(harmless, (mark.student, mark.first_name, mark.last_name, mark.email)),
                number(mark.points),
            ]
            for mark in marks
        ]
        write_table(path, header, rows)
        return []
    table = read_table(sheet)
    place = _column(table, "Grade", sheet)
    if "Maximum Grade" in table.header:
        for row in table.rows:
            _check_points(row[table.header.index("Maximum Grade")], marks, "Grade", sheet)
    remarks = _fill(table, place, marks, _MOODLE, sheet)
    write_table(path, table.header, table.rows, table.marked)
    return remarks


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
    rows = [[harmless(mark.student), number(mark.points), "#"] for mark in marks]
    write_table(path, ["Username", f"{name} Points Grade", "End-of-Line Indicator"], rows)


def _column(table: Table, name: str, sheet: Path) -> int:
    """The one column of this name; Canvas adds a number in brackets to it."""
    places = [place for place, title in enumerate(table.header) if title.strip() == name] or [
        place for place, title in enumerate(table.header) if title.rpartition(" (")[0].strip() == name
    ]
    if len(places) != 1:
        raise GraderUsageError(
            f"{printable(str(sheet))}: has {'no' if not places else 'more than one'} column "
            f"{printable(name)}; its columns are: {listed(table.header, 40)}"
        )
    return places[0]


def _check_points(cell: str, marks: Sequence[Mark], title: str, sheet: Path) -> None:
    try:
        possible = float(cell.replace(",", "."))
    except ValueError:
        return  # empty, or "(read only)"
    for mark in marks:
        if possible != mark.max_points:
            raise GraderUsageError(
                f"{printable(str(sheet))}: {printable(title)} counts {number(possible)} points, the "
                f"assignment {number(mark.max_points)}; change it there and export again"
            )


def _fill(
    table: Table,
    place: int,
    marks: Sequence[Mark],
    keys: dict[str, Callable[[Mark], str]],
    sheet: Path,
) -> list[str]:
    """Write the points into a column of the rows."""
    known = [(table.header.index(title), read) for title, read in keys.items() if title in table.header]
    if not known:
        raise GraderUsageError(
            f"{printable(str(sheet))}: has none of the columns by which students are known: {', '.join(keys)}"
        )
    filled: set[str] = set()
    strangers = []
    for row in table.rows:
        found = {
            mark.student: mark
            for at, read in known
            for mark in marks
            if row[at].strip() and row[at].strip().casefold() == read(mark).strip().casefold()
        }
        if len(found) > 1:
            raise GraderUsageError(f"{printable(str(sheet))}: the row of {row[0]} could be {listed(found)}")
        for student, mark in found.items():
            row[place] = number(mark.points)
            filled.add(student)
        if not found:
            strangers.append(row[0])
    missing = [mark.student for mark in marks if mark.student not in filled and mark.handed_in]
    remarks = []
    if missing:
        remarks.append(f"not in {printable(sheet.name)}, so not exported: {listed(missing, 40)}")
    if strangers:
        remarks.append(f"in {printable(sheet.name)} without a mark to export: {listed(strangers, 40)}")
    return remarks

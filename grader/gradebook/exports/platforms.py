"""Grade tables for Canvas, Moodle and Brightspace.

Canvas and Moodle export a table of students, and take it back with the marks filled in: whatever else is in
it stays as it is. Brightspace takes a small table of its own form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from grader.errors import GraderUsageError
from grader.gradebook.exports.filling import Filled, Key, Students, fill
from grader.gradebook.exports.marks import Mark
from grader.gradebook.exports.tables import Table, identifier, read_table, write_file, write_table
from grader.gradebook.exports.worksheet import worksheet_students
from grader.report.cells import harmless
from grader.report.marks_csv import number
from grader.text import listed, printable

# What Canvas calls the columns by which a student is known, surest first, with what of the roster stands in
# them. It never translates them: its own import looks for these words.
_CANVAS: dict[str, Callable[[Mark], str]] = {
    "SIS Login ID": lambda mark: mark.student,
    "SIS User ID": lambda mark: mark.student,
    "ID": lambda mark: mark.platform_id,
}
_CANVAS_NAMES = ("student", "lastname", "firstname", "last name", "first name")
_POINTS_POSSIBLE = "Points Possible"
_READ_ONLY = "(read only)"
_EXCUSED = "EX"  # whatever the case; so Canvas's own import takes it


def write_canvas(
    path: Path, marks: Sequence[Mark], sheet: Path, column: str, roster: Sequence[Mark] | None = None
) -> Filled:
    """Fill in the gradebook that Canvas exported.

    Args:
        path: where to.
        marks: those that may be written.
        sheet: the file that Canvas exported.
        column: the assignment's column, such as `Practical 3 (12345)`, or the part before the number.
        roster: everyone, to tell who is known; by default those of the marks.

    Returns:
        What became of the rows and of the marks.

    Raises:
        GraderUsageError: the table has no such column, counts other points, or has a row that fits two.
    """
    roster = marks if roster is None else roster
    table = read_table(sheet, _names(roster))
    place = _column(table, column, sheet)
    heads = [title.strip() for title in table.header]
    keys = [Key(heads.index(head), read) for head, read in _CANVAS.items() if head in heads]
    if not keys:
        raise GraderUsageError(
            f"{printable(str(sheet))}: has none of the columns by which students are known: "
            f"{', '.join(_CANVAS)}"
        )
    if "SIS Login ID" in heads:  # the login is an address in many places
        keys.append(Key(heads.index("SIS Login ID"), lambda mark: mark.email))
    names = [at for at, head in enumerate(heads) if head.casefold() in _CANVAS_NAMES] or [0]
    rows = []
    for row, cells in enumerate(table.rows):
        if any(cells[at].strip() for at in {key.column for key in keys}) or any(
            cells[at].strip() not in ("", _POINTS_POSSIBLE) for at in names
        ):
            rows.append(row)
        elif cells[place].strip() == _READ_ONLY:
            raise GraderUsageError(
                f"{printable(str(sheet))}: {printable(heads[place])} is read only, Canvas computes it; "
                "--column names the assignment's column"
            )
        else:  # what the column is worth, or how it is posted
            _check_points(cells[place], marks, table.header[place], sheet)
    numbers = [heads.index("ID")] if "ID" in heads else []
    students = Students(keys, numbers, names, rows, lambda cells: _label(cells, names))
    sign = table.decimal_sign(place)
    filled = fill(table, place, students, marks, roster, sign, _EXCUSED)
    _refuse_several(filled, sheet)
    write_file(path, table.content())
    return filled


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
    table = read_table(sheet, _names(roster))
    place = _grade_column(table, name, sheet)
    worth = _maximum_column(table, place)
    if worth is not None:
        for row in table.rows:
            _check_points(row[worth], marks, table.header[place], sheet)
    students = worksheet_students(table, {place} if worth is None else {place, worth}, roster)
    sign = table.decimal_sign(place, [] if worth is None else [worth])
    filled = fill(table, place, students, marks, roster, sign)
    _refuse_several(filled, sheet)
    if marks and len(filled.strangers) == len(students.rows):
        raise GraderUsageError(
            f"{printable(str(sheet))}: has none of the columns by which students are known: no cell holds an "
            "id, an e-mail address or a name of the roster; export the worksheet again, or leave --sheet out"
        )
    write_file(path, table.content())
    return filled


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


def _label(cells: Sequence[str], names: Sequence[int]) -> str:
    return ", ".join(cells[at].strip() for at in names if cells[at].strip()) or cells[0]


def _names(roster: Sequence[Mark]) -> list[str]:
    return [name for mark in roster for name in (mark.first_name, mark.last_name) if name]


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


def _grade_column(table: Table, name: str, sheet: Path) -> int:
    """The column of this name, or else Moodle's `Grade`."""
    heads = [title.strip() for title in table.header]
    for head in (name, "Grade"):
        if heads.count(head) == 1:
            return heads.index(head)
    raise GraderUsageError(
        f"{printable(str(sheet))}: has no column {printable(name)}, and none called Grade; Moodle writes "
        "heads in the language of whoever downloads the worksheet: name the grade's column by --column; "
        f"its columns are: {listed(table.header, 40)}"
    )


def _maximum_column(table: Table, place: int) -> int | None:
    """Where Moodle writes what the assignment is worth: behind the grade, the same number for everyone."""
    if "Maximum Grade" in table.header:
        return table.header.index("Maximum Grade")
    beside = place + 1
    if beside >= len(table.header):
        return None
    cells = {row[beside].strip() for row in table.rows}
    return beside if len(cells) == 1 and _points(next(iter(cells))) is not None else None


def _points(cell: str) -> float | None:
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return None  # empty, or a text


def _check_points(cell: str, marks: Sequence[Mark], title: str, sheet: Path) -> None:
    possible = _points(cell)
    for mark in marks if possible is not None else ():
        if possible != mark.max_points:
            raise GraderUsageError(
                f"{printable(str(sheet))}: {printable(title)} counts {number(possible or 0)} points, the "
                f"assignment {number(mark.max_points)}; change it there and export again"
            )


def _refuse_several(filled: Filled, sheet: Path) -> None:
    """Where ids themselves contradict each other, something is wrong with the table or the roster."""
    for label, students in filled.contradictions:
        raise GraderUsageError(
            f"{printable(str(sheet))}: the row of {printable(label)} could be {listed(students)}: its ids "
            "are of different students; correct the roster or the table, and export again"
        )

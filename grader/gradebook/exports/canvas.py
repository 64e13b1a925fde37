"""The gradebook that Canvas exports, and takes back with the marks filled in: all else in it stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from grader.errors import GraderUsageError
from grader.gradebook.exports.filling import Filled, Key, Students, fill
from grader.gradebook.exports.formats import Request
from grader.gradebook.exports.marks import Mark
from grader.gradebook.exports.sheets import (
    check_points,
    columns_called,
    may_be_the_encoding,
    read_sheet,
    refuse_several,
)
from grader.gradebook.exports.tables import Table, plain, points_in, write_file
from grader.gradebook.roster import LOOSE, Person, Roster
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
_REMARK = re.compile("[(\uff08].*[)\uff09]")  # `(read only)` in the language of whoever exports
_COMPUTED = re.compile("(.+ )?(Unposted )?(Current|Final) (Score|Grade|Points)")  # never translated
_EXCUSED = ("ex", "excused")  # the first is what Canvas's own import takes, whatever its case


def write(request: Request, marks: Sequence[Mark], roster: Sequence[Mark]) -> Filled:
    """See `formats`."""
    if request.sheet is None:
        raise ValueError("canvas needs a sheet")
    return write_canvas(request.output, marks, request.sheet, request.column, roster)


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
    table = read_sheet(sheet, column, roster)
    place = _column(table, column, sheet)
    heads = [plain(title) for title in table.header]
    keys = [Key(heads.index(head), read) for head, read in _CANVAS.items() if head in heads]
    if not keys:
        raise GraderUsageError(
            f"{printable(str(sheet))}: has none of the columns by which students are known: "
            f"{', '.join(_CANVAS)}{may_be_the_encoding(table)}"
        )
    if "SIS Login ID" in heads:  # the login is an address in many places
        keys.append(Key(heads.index("SIS Login ID"), lambda mark: mark.email))
    names = [at for at, head in enumerate(heads) if head.casefold() in _CANVAS_NAMES] or [0]
    rows = _student_rows(table, {key.column for key in keys}, names, roster)
    about = [plain(cells[place]) for row, cells in enumerate(table.rows) if row not in rows]
    counts = any(points_in(cell) is not None for cell in about)
    if any(map(_REMARK.fullmatch, about)) or (_COMPUTED.fullmatch(heads[place]) and not counts):
        raise GraderUsageError(
            f"{printable(str(sheet))}: {printable(heads[place])} is read only, Canvas computes it; "
            "--column names the assignment's column"
        )
    for cell in about:
        check_points(cell, marks, table.header[place], sheet)
    numbers = [heads.index("ID")] if "ID" in heads else []
    students = Students(keys, numbers, names, sorted(rows), lambda cells: _label(cells, names))
    sign = table.decimal_sign(place)
    filled = fill(table, place, students, marks, roster, sign, _EXCUSED)
    refuse_several(filled, sheet)
    write_file(path, table.content())
    return filled


def _student_rows(table: Table, ids: set[int], names: Sequence[int], roster: Sequence[Mark]) -> set[int]:
    """The rows that are students', and not those of how columns are posted, and what they are worth.

    Canvas translates what it calls those. But they stand above all students, without an id, and hold numbers
    and remarks in brackets alone.
    """
    people = Roster([Person(mark.student, mark.first_name, mark.last_name) for mark in roster])
    numbered = {row for row, cells in enumerate(table.rows) if any(cells[at].strip() for at in ids)}
    named = {
        row for row, cells in enumerate(table.rows) if people.by_name(_label(cells, names)).level < LOOSE
    }
    first = min(numbered or named, default=0)
    students = set(numbered)
    for row, cells in enumerate(table.rows):
        others = [plain(cell) for at, cell in enumerate(cells) if at not in names and plain(cell)]
        if (
            row < first
            and row not in named
            and others
            and all(points_in(cell) is not None or _REMARK.fullmatch(cell) for cell in others)
        ):
            continue
        if any(plain(cells[at]) not in ("", _POINTS_POSSIBLE) for at in names):
            students.add(row)
    return students


def _label(cells: Sequence[str], names: Sequence[int]) -> str:
    return ", ".join(cells[at].strip() for at in names if cells[at].strip()) or cells[0]


def _column(table: Table, name: str, sheet: Path) -> int:
    """The one column of this name; Canvas adds a number in brackets to it."""
    places = columns_called(name, table.header) or columns_called(
        name, [plain(title).rpartition(" (")[0] for title in table.header]
    )
    if len(places) != 1:
        raise GraderUsageError(
            f"{printable(str(sheet))}: has {'no' if not places else 'more than one'} column "
            f"{printable(name)}; its columns are: {listed(table.header, 40)}{may_be_the_encoding(table)}"
        )
    return places[0]

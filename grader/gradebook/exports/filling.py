"""Fills one column of a platform's table: each row gets its student, and nobody is lost without a word."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from grader.gradebook.exports.marks import Mark
from grader.gradebook.exports.tables import Table, plain, points_in
from grader.gradebook.roster import LOOSE, Person, Roster
from grader.report.marks_csv import number

_SHORTENED = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)  # what a spreadsheet makes of a long number
_GROUPED = re.compile(r"[+-]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?")  # a number in thousands
_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Key:
    """A column by which students are known.

    Attributes:
        column: its place.
        read: what of the roster stands in it.
    """

    column: int
    read: Callable[[Mark], str]


@dataclass
class Filled:
    """What became of the rows of a table, and of the marks that were to be written.

    Attributes:
        written: the students whose points are in the table now.
        excused: rows that say the student is excused, with the student, if the roster has them.
        texts: rows with something else than points where the points would stand, with it and the student.
        markless: rows of students of the roster without a mark to write.
        strangers: rows that nobody on the roster fits, with what may help.
        contradictions: rows whose ids are those of several students, with these.
        several: rows that could be several students' by a shortened id or the name, with these.
        twice: students whom several rows fit, with these.
        missing: students with a mark to write whom no row fits.
        encoding: of the table, as far as it can be told.
        by_name: rows whose student is known by the name alone.
        shortened: rows whose student's id has lost its zeros, with the student.
    """

    written: list[str] = field(default_factory=list)
    excused: list[tuple[str, Mark | None]] = field(default_factory=list)
    texts: list[tuple[str, str, Mark]] = field(default_factory=list)
    markless: list[str] = field(default_factory=list)
    strangers: list[tuple[str, str]] = field(default_factory=list)
    contradictions: list[tuple[str, list[str]]] = field(default_factory=list)
    several: list[tuple[str, list[str]]] = field(default_factory=list)
    twice: list[tuple[str, list[str]]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    encoding: str = "utf-8"
    by_name: list[tuple[str, str]] = field(default_factory=list)
    shortened: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Students:
    """How the rows of a table are told.

    Attributes:
        keys: columns by which students are known for certain, the surest first.
        numbers: columns with their number in the platform, which speak against another student's name.
        names: columns that may hold a name, or parts of it.
        rows: those that are students'.
        label: the column by which a row is called in a message.
    """

    keys: Sequence[Key]
    numbers: Sequence[int]
    names: Sequence[int]
    rows: Sequence[int]
    label: Callable[[list[str]], str]


def fill(
    table: Table,
    column: int,
    students: Students,
    marks: Sequence[Mark],
    roster: Sequence[Mark],
    decimal_sign: str,
    excusing: Collection[str] = (),
) -> Filled:
    """Write the points into a column.

    Args:
        table: is changed.
        column: where to.
        students: how its rows are told.
        marks: those that may be written.
        roster: everyone, to tell who is known.
        decimal_sign: `.` or `,`.
        excusing: what a cell says of a student who is excused, in small letters alone. It stays, as any text
            does.
    """
    filled = Filled(encoding=table.form.encoding)
    excused = {
        row for row in students.rows if _SIGNS.sub("", plain(table.rows[row][column]).casefold()) in excusing
    }
    known, strangers = _known_rows(table, students, roster, filled)
    filled.strangers = [stranger for row, stranger in strangers.items() if row not in excused]
    writable = {mark.student: mark for mark in marks}
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, whose in known.items():
        rows_of[whose.student].append(row)
    for row in students.rows:
        label, mark = students.label(table.rows[row]), known.get(row)
        if row in excused:
            filled.excused.append((label, mark))
        elif mark is None:
            continue
        elif len(rows_of[mark.student]) > 1:
            if row == rows_of[mark.student][0]:
                labels = [students.label(table.rows[other]) for other in rows_of[mark.student]]
                filled.twice.append((mark.student, labels))
        elif mark.student in writable and (text := _text(table.rows[row][column])):
            filled.texts.append((label, text, writable[mark.student]))
        elif mark.student in writable:
            points = number(writable[mark.student].points).replace(".", decimal_sign)
            table.put(row, column, points)
            filled.written.append(mark.student)
        else:
            filled.markless.append(label)
    spoken_for = {student for _, theirs in filled.several for student in theirs} | rows_of.keys()
    filled.missing = [mark.student for mark in marks if mark.student not in spoken_for and mark.handed_in]
    return filled


def _known_rows(
    table: Table, students: Students, roster: Sequence[Mark], filled: Filled
) -> tuple[dict[int, Mark], dict[int, tuple[str, str]]]:
    """The student of each row, and what may help with rows that nobody fits; notes loose finds."""
    known: dict[int, Mark] = {}
    rest = []
    index = _Index(students, roster)
    for row in students.rows:
        found = index.by_keys(table.rows[row])
        if len(found) == 1:
            known[row] = found[0]
        elif found:
            filled.contradictions.append((students.label(table.rows[row]), [mark.student for mark in found]))
        else:
            rest.append(row)
    # Only those whom no row fits for certain may be found less surely.
    for search, said in (("by_shortened", filled.shortened), ("by_names", filled.by_name)):
        taken = {mark.student for mark in known.values()}
        loosely = getattr(_Index(students, [mark for mark in roster if mark.student not in taken]), search)
        fits: dict[int, list[Mark]] = {row: loosely(table.rows[row]) for row in rest}
        times = Counter(mark.student for found in fits.values() for mark in found)
        for row, found in fits.items():
            label = students.label(table.rows[row])
            if len(found) == 1 and times[found[0].student] == 1:
                known[row] = found[0]
                said.append((label, found[0].student))
            elif found:
                filled.several.append((label, [mark.student for mark in found]))
        rest = [row for row in rest if not fits[row]]
    return known, {row: (students.label(table.rows[row]), index.hint(table.rows[row])) for row in rest}


class _Index:
    """Finds students of the roster by what stands in a row."""

    def __init__(self, students: Students, roster: Sequence[Mark]) -> None:
        self._students = students
        self._marks = {mark.student: mark for mark in roster}
        # To the letter, or else whatever the case: `Ann` and `ann` may be two.
        self._forms = [
            self._by_form(form) for form in (composed_id, lambda text: composed_id(text).casefold())
        ]
        self._short = self._by_form(_without_zeros)
        people = [Person(mark.student, mark.first_name, mark.last_name) for mark in roster]
        self._everyone = Roster([one for one in people if one.first and one.last])
        self._unnumbered = Roster(
            [one for one in self._everyone.people if not self._marks[one.id].platform_id.strip()]
        )

    def _by_form(self, form: Callable[[str], str]) -> list[dict[str, set[str]]]:
        tables: list[dict[str, set[str]]] = []
        for key in self._students.keys:
            table: dict[str, set[str]] = defaultdict(set)
            for mark in self._marks.values():
                if text := form(key.read(mark)):
                    table[text].add(mark.student)
            tables.append(table)
        return tables

    def by_keys(self, row: list[str]) -> list[Mark]:
        """Those whom the row's ids fit."""
        for form, tables in zip(
            (composed_id, lambda text: composed_id(text).casefold()), self._forms, strict=True
        ):
            found = self._found(row, form, tables)
            if found:
                return found
        return []

    def by_shortened(self, row: list[str]) -> list[Mark]:
        """Those whose ids the row has without their leading zeros, which a spreadsheet drops."""
        return self._found(row, _without_zeros, self._short)

    def _found(
        self, row: list[str], form: Callable[[str], str], tables: Sequence[Mapping[str, set[str]]]
    ) -> list[Mark]:
        students = {
            student
            for key, table in zip(self._students.keys, tables, strict=True)
            for student in table.get(form(row[key.column]), ())
        }
        return [self._marks[student] for student in sorted(students)]

    def by_names(self, row: list[str]) -> list[Mark]:
        """Those whose full name the row has, in one cell or two, where no number speaks against them."""
        numbered = any(row[column].strip() for column in self._students.numbers)
        return self._named(row, self._unnumbered if numbered else self._everyone)

    def _named(self, row: list[str], people: Roster) -> list[Mark]:
        cells = [row[column].strip() for column in self._students.names if row[column].strip()]
        pairs = [f"{first} {last}" for first in cells for last in cells if first is not last]
        fits = [people.by_name(text) for text in (*cells, *pairs)]
        found = {person.id for fit in fits if fit.level < LOOSE for person in fit.people}
        return [self._marks[student] for student in sorted(found)]

    def hint(self, row: list[str]) -> str:
        """What may help with a row that nobody fits."""
        if any(_SHORTENED.fullmatch(row[key.column].strip()) for key in self._students.keys):
            return "a spreadsheet has shortened its id"
        named = self._named(row, self._everyone)
        return f"the name is that of {named[0].student}" if len(named) == 1 else ""


def _text(cell: str) -> str:
    """What stands in a cell, if that is neither a number nor nothing, for which Moodle writes a dash."""
    shown = plain(cell)
    if _SIGNS.fullmatch(shown):
        return ""
    return "" if points_in(shown) is not None or _GROUPED.fullmatch(shown) else shown


def composed_id(text: str) -> str:
    """An id with its accents in one form, without the blanks around it."""
    return unicodedata.normalize("NFC", text.strip())


def _without_zeros(text: str) -> str:
    return text.strip().lstrip("0") if text.strip().isdecimal() else ""

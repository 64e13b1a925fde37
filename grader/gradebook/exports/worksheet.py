"""Who is who in Moodle's grading worksheet, whatever the language of its heads.

Moodle 4 (mod/assign/gradingtable.php) writes, each head by `get_string`: an identifier (`Participant 901`,
with the word translated), the full name, columns of the user's identity as the site is set (ID number, e-mail
address, username), the status, the grade, its maximum, and more; as remembered, not copied. Not the heads but
what stands in the columns tells which of them hold what the roster knows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from grader.gradebook.exports.filling import Key, Students, composed_id
from grader.gradebook.exports.marks import Mark
from grader.gradebook.exports.sheets import columns_called
from grader.gradebook.exports.tables import Table

_PARTICIPANT = re.compile(r"[^\d\s].*?(?P<number>\d+)")
_ENGLISH: dict[str, Callable[[Mark], str]] = {
    "Username": lambda mark: mark.student,
    "ID number": lambda mark: mark.student,
    "Email address": lambda mark: mark.email,
}
_KNOWN: tuple[Callable[[Mark], str], ...] = (lambda mark: mark.student, lambda mark: mark.email)


def worksheet_students(table: Table, others: set[int], roster: Sequence[Mark]) -> Students:
    """How the rows of a worksheet are told.

    Args:
        table: the worksheet.
        others: columns that hold grades, and no students.
        roster: everyone.
    """
    columns = [column for column in range(len(table.header)) if column not in others]
    keys = [
        Key(place, read)
        for head, read in _ENGLISH.items()
        for place in columns_called(head, table.header)[:1]
        if place in columns
    ]
    keys = _keys_by_content(table, columns, roster, keys)
    # Moodle numbers the participants of each assignment anew: of use only where nothing else tells.
    if not any(_rows(table, key, roster) for key in keys) and (number := _participants(table, roster)):
        keys = [*keys, number]
    used = {key.column for key in keys}
    names = [column for column in columns if column not in used]
    rows = [row for row, cells in enumerate(table.rows) if any(cells[column].strip() for column in columns)]
    labels = [column for column in names if column] or [0]
    return Students(keys, (), names, rows, lambda cells: cells[labels[0]].strip() or cells[0])


def _keys_by_content(
    table: Table, columns: Sequence[int], roster: Sequence[Mark], sure: Sequence[Key]
) -> list[Key]:
    """The columns that are sure, and those whose cells are ids or addresses of the roster, fullest first."""
    columns = [column for column in columns if column not in {key.column for key in sure}]
    found = [
        (key, _rows(table, key, roster))
        for column in columns
        for key in (Key(column, read) for read in _KNOWN)
    ]
    # A column of numbers that are ids by chance has one of them in several rows, or contradicts a better one.
    found = [(key, rows) for key, rows in found if rows and len(set(rows.values())) == len(rows)]
    keys = [(key, _rows(table, key, roster)) for key in sure]
    for key, rows in sorted(found, key=lambda one: -len(one[1])):
        both = [(rows[row], better[row]) for _, better in keys for row in rows.keys() & better.keys()]
        chance = all(table.rows[row][key.column].strip().isdecimal() for row in rows)
        if not chance or 2 * sum(own == better for own, better in both) >= len(both):
            keys.append((key, rows))
    return [key for key, _ in keys]


def _participants(table: Table, roster: Sequence[Mark]) -> Key | None:
    """The first column, where it holds a word and a number of the roster, such as `Teilnehmer/in901`."""
    heads: dict[str, int] = defaultdict(int)
    for cells in table.rows:
        match = _PARTICIPANT.fullmatch(cells[0].strip())
        if match is not None:
            heads[cells[0].strip()[: match.start("number")]] += 1
    if not heads:
        return None
    word = max(heads, key=lambda one: heads[one])
    return Key(0, lambda mark: f"{word}{mark.platform_id}" if mark.platform_id else "")


def _rows(table: Table, key: Key, roster: Sequence[Mark]) -> dict[int, str]:
    """The rows whose cell is what one student of the roster has, each with the student."""
    by_text: dict[str, set[str]] = defaultdict(set)
    for mark in roster:
        if text := composed_id(key.read(mark)).casefold():
            by_text[text].add(mark.student)
    found = {}
    for row, cells in enumerate(table.rows):
        fits = by_text.get(composed_id(cells[key.column]).casefold(), set())
        if len(fits) == 1:
            found[row] = next(iter(fits))
    return found

"""Tables as learning platforms and spreadsheets write and read them.

A table that is to be filled in keeps the form in which it came: encoding, byte order mark, Excel's `sep=`
line, separator, quotes and line ends. Only the cells that are written change. Python's csv reads all of this,
but does not tell a quoted cell from a bare one, so that cells are kept as they stand in the file.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import Path

from grader.errors import GraderUsageError
from grader.files import write_atomically
from grader.report.cells import harmless
from grader.text import printable

MARKS = (  # longest first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# In which Excel saves CSV, by the country of its Windows, or on a Mac; the last one takes every byte.
ONE_BYTE = ("cp1252", "cp1250", "cp1254", "cp1251", "cp1253", "mac_roman", "latin-1")
# And in which a table is only where a name is found in it: without that, others are likelier.
WITH_EVIDENCE = (
    *("cp1257", "cp1255", "cp1256", "cp1258", "cp874", "gb18030", "cp950", "cp932", "cp949"),
    *("cp850", "cp852", "cp866", "mac_latin2", "mac_cyrillic", "mac_greek"),
)
SEPARATORS = (",", ";", "\t")
_SEP_LINE = re.compile(r"\"?sep=(?P<sign>[^\r\n])\"?[^\r\n]*(?:\r\n|\r|\n)", re.IGNORECASE)
_WITH_COMMA, _WITH_POINT = re.compile(r"-?\d+,\d{1,2}"), re.compile(r"-?\d+\.\d{1,2}")
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(E[+-]?\d{1,2})?", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.@+-]+")
_WITHOUT_WIDTH = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_OTHER_KINDS = (
    (b"PK\x03\x04", "an Excel or OpenDocument workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"<", "a web page"),
)


@dataclass(frozen=True)
class Form:
    """How a table was written.

    Attributes:
        encoding: without its byte order mark.
        mark: the byte order mark, or nothing.
        head: Excel's `sep=` line, or nothing.
        separator: between cells.
    """

    encoding: str = "utf-8"
    mark: bytes = b""
    head: str = ""
    separator: str = ","

    @property
    def guessed(self) -> bool:
        """Whether the encoding is only the likeliest one."""
        return not self.encoding.startswith("utf")


@dataclass
class _Line:
    """A line of the table: its cells as they stand in the file, and what ends it."""

    cells: list[str]
    end: str


@dataclass
class Table:
    """A table from a file.

    Attributes:
        header: the names of the columns.
        rows: as many cells each as there are columns; change them by `put`.
        form: how it was written.
    """

    header: list[str]
    rows: list[list[str]]
    form: Form
    _lines: list[_Line] = field(repr=False)
    _places: list[int] = field(repr=False)  # of the rows among the lines

    def put(self, row: int, column: int, text: str) -> None:
        """Write a cell, with quotes where it had some or needs them."""
        cells = self._lines[self._places[row]].cells
        cells += [""] * (column + 1 - len(cells))
        quoted = cells[column].startswith('"') or any(sign in text for sign in (self.form.separator, '"'))
        cells[column] = '"' + text.replace('"', '""') + '"' if quoted else text
        self.rows[row][column] = text

    def decimal_sign(self, column: int, others: Iterable[int] = ()) -> str:
        """The decimal sign of a column: its own, else that of others, else the usual one of the separator."""
        for places in ([column], list(others), range(len(self.header))):
            cells = [row[place].strip() for row in self.rows for place in places]
            commas = sum(_WITH_COMMA.fullmatch(cell) is not None for cell in cells)
            points = sum(_WITH_POINT.fullmatch(cell) is not None for cell in cells)
            if commas != points:
                return "," if commas > points else "."
        return "," if self.form.separator == ";" else "."

    def content(self) -> bytes:
        """The file, in the form in which it came."""
        separator = self.form.separator
        text = "".join(separator.join(line.cells) + line.end for line in self._lines)
        return self.form.mark + (self.form.head + text).encode(self.form.encoding)


def read_table(path: Path, likely: Iterable[str] = ()) -> Table:
    """Read a table that a platform has exported, or a spreadsheet has saved as CSV.

    Args:
        path: the file.
        likely: names that may be in it, of people or columns: they tell one encoding from another.

    Raises:
        GraderUsageError: it cannot be read, or is no table.
    """
    shown = printable(str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GraderUsageError(f"{shown}: cannot be read: {error.strerror}") from error
    kind = next((kind for start, kind in _OTHER_KINDS if content.lstrip().startswith(start)), None)
    if kind is not None:
        raise GraderUsageError(f"{shown}: is {kind}, not a CSV file; save or export it as CSV")
    try:
        text, encoding, mark = _decoded(content, likely)
    except UnicodeDecodeError as error:
        raise GraderUsageError(f"{shown}: is not a CSV file: it is no {error.encoding} text") from error
    head = _SEP_LINE.match(text)
    body = text[head.end() :] if head else text
    lines, separator = _split(body, head["sign"] if head else None, shown)
    places = [place for place, line in enumerate(lines) if line.cells != [""]]
    heads = next((number for number, place in enumerate(places) if not _is_title(lines[place])), 0)
    places = places[heads:]
    if len(places) < 2:
        raise GraderUsageError(f"{shown}: holds no table with students; export it again")
    header = _values(lines[places[0]])
    rows = [_values(lines[place]) for place in places[1:]]
    rows = [row + [""] * (len(header) - len(row)) for row in rows]
    return Table(header, rows, Form(encoding, mark, head[0] if head else "", separator), lines, places[1:])


def _decoded(content: bytes, likely: Iterable[str]) -> tuple[str, str, bytes]:
    """The text, its encoding, and its byte order mark."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding), encoding, mark
    if b"\0" in content:  # UTF-16 of letters without accents: every other byte is zero
        encoding = "utf-16-le" if content[1::2].count(0) >= content[::2].count(0) else "utf-16-be"
        return content.decode(encoding), encoding, b""
    try:
        return content.decode("utf-8"), "utf-8", b""
    except UnicodeDecodeError:
        pass
    readable = {}
    for encoding in (*ONE_BYTE, *WITH_EVIDENCE):
        try:
            readable[encoding] = content.decode(encoding)
        except UnicodeDecodeError:
            continue
    telling = [plain(name) for name in likely if not name.isascii()]

    def evidence(encoding: str) -> int:
        text = plain(readable[encoding]) if telling else ""
        return sum(len(name) for name in telling if name in text)

    best = max(readable, key=evidence)  # the first one without any
    return readable[best], best, b""


def plain(text: str) -> str:
    """A text as people read it: accents in one form, blanks alike, and no signs without a width."""
    return " ".join(unicodedata.normalize("NFC", _WITHOUT_WIDTH.sub("", text)).split())


def _split(text: str, told: str | None, shown: str) -> tuple[list[_Line], str]:
    """The lines, and the separator: the one that the file names, or that makes most cells of its rows."""
    readings: dict[str, list[_Line]] = {}
    broken: _Broken | None = None
    for separator in [told] if told else SEPARATORS:
        try:
            readings[separator] = _lines(text, separator)
        except _Broken as error:
            broken = broken or error
    if not readings:
        raise GraderUsageError(f"{shown}: is not a CSV file: {broken}")

    def cells(separator: str) -> float:
        lines = readings[separator]
        header, *rows = list(dropwhile(_is_title, lines)) or lines
        return sum(min(len(row.cells), len(header.cells)) for row in rows) / max(1, len(rows))

    best = max(readings, key=cells)
    return readings[best], best


def _is_title(line: _Line) -> bool:
    """Whether it stands above a table, as Numbers writes `Table 1`: of the heads there are several."""
    filled = [cell for cell in line.cells if cell.strip('" \t')]
    return len(filled) < 2 and not any(
        "|" in cell for cell in filled
    )  # those would be heads, by another sign


class _Broken(Exception):
    """A quotation mark that nothing closes, or with more behind it."""


def _lines(text: str, separator: str) -> list[_Line]:
    cell = re.compile(rf'"(?:[^"]|"")*"|(?!")[^{re.escape(separator)}\r\n]*')
    behind = re.compile(rf"{re.escape(separator)}|\r\n|\r|\n|\Z")
    lines, cells, place = [], list[str](), 0
    while place < len(text) or cells:
        match = cell.match(text, place)
        end = behind.match(text, match.end()) if match else None
        if match is None or end is None:
            raise _Broken(
                f"line {text.count(chr(10), 0, place) + 1} has a quotation mark too few or too many"
            )
        cells.append(match[0])
        place = end.end()
        if end[0] != separator:
            lines.append(_Line(cells, end[0]))
            cells = []
    return lines or [_Line([""], "")]


def _values(line: _Line) -> list[str]:
    return [cell[1:-1].replace('""', '"') if cell.startswith('"') else cell for cell in line.cells]


def points_in(cell: str) -> float | None:
    """The number in a cell; None for an empty one, or a text."""
    text = plain(cell)
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def identifier(text: str) -> str:
    """An id or address that is read back: as it is, unless a spreadsheet could do more than show it."""
    return text if _ADDRESS.fullmatch(text) else harmless(text)


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a new CSV file.

    Raises:
        GraderUsageError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_file(path, text.getvalue().encode("utf-8", "replace"))


def write_file(path: Path, content: bytes) -> None:
    """Write a file that the user named.

    Raises:
        GraderUsageError: it cannot be written.
    """
    try:
        write_atomically(path, content)
    except OSError as error:
        raise GraderUsageError(f"{printable(str(path))}: cannot be written: {error.strerror}") from error

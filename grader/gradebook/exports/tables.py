"""Tables as learning platforms write and read them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GraderUsageError
from grader.report.atomic import write_atomically
from grader.submission.names import printable

MARK = "\ufeff"  # some platforms begin a file with this, and want it back


@dataclass(frozen=True)
class Table:
    """A table from a file.

    Attributes:
        header: the names of the columns.
        rows: as many cells each as there are columns.
        marked: whether the file began with a byte order mark.
    """

    header: list[str]
    rows: list[list[str]]
    marked: bool


def read_table(path: Path) -> Table:
    """Read a CSV file that a platform has exported.

    Raises:
        GraderUsageError: it cannot be read, or is no table.
    """
    shown = printable(str(path))
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise GraderUsageError(f"{shown}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise GraderUsageError(f"{shown}: is not a CSV file in UTF-8; export it again as CSV") from error
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix(MARK), newline=""), strict=True))
    except csv.Error as error:
        raise GraderUsageError(f"{shown}: is not a CSV file: {error}") from error
    rows = [row for row in rows if row]
    if len(rows) < 2:
        raise GraderUsageError(f"{shown}: holds no table with students; export it again")
    header, *rest = rows
    return Table(header, [row + [""] * (len(header) - len(row)) for row in rest], text.startswith(MARK))


def write_table(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], marked: bool = False
) -> None:
    """Write a CSV file.

    Raises:
        GraderUsageError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n" if marked else "\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_file(path, ((MARK if marked else "") + text.getvalue()).encode("utf-8", "replace"))


def write_file(path: Path, content: bytes) -> None:
    """Write a file that the user named.

    Raises:
        GraderUsageError: it cannot be written.
    """
    try:
        write_atomically(path, content)
    except OSError as error:
        raise GraderUsageError(f"{printable(str(path))}: cannot be written: {error.strerror}") from error

"""The formats of `course export`. A new one is a file beside this one, and a row in `FORMATS`.

The file has a function

    def write(request: Request, marks: Sequence[Mark], roster: Sequence[Mark]) -> Filled

which writes `marks` to `request.output`, and says what became of them. `roster` is everyone, to tell who is
known. It raises GraderUsageError where something of the request cannot be used. Files are imported when they
are asked for: reading the command line needs the names only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.gradebook.exports.filling import Filled
    from grader.gradebook.exports.marks import Mark


@dataclass(frozen=True)
class Request:
    """What to export.

    Attributes:
        output: the file to write.
        sheet: a table that the platform exported, to be filled in.
        column: the assignment's name there.
    """

    output: Path
    sheet: Path | None
    column: str


@dataclass(frozen=True)
class Format:
    """A row of the table.

    Attributes:
        name: what the command line calls it.
        module: the file beside this one that writes it.
        sheet: what `--sheet` names; empty where there is no such thing.
        needs_sheet: whether it cannot do without.
        everyone: whether it has a row for everyone on the roster, with nothing in it where nothing was handed
            in or something waits for a person; others get complete marks only.
    """

    name: str
    module: str
    sheet: str = ""
    needs_sheet: bool = False
    everyone: bool = False

    def writer(self) -> Callable[[Request, Sequence[Mark], Sequence[Mark]], Filled]:
        """The function that writes it."""
        writer: Callable[[Request, Sequence[Mark], Sequence[Mark]], Filled]
        writer = import_module(f"grader.gradebook.exports.{self.module}").write
        return writer


FORMATS = (
    Format("csv", "own", everyone=True),
    Format("canvas", "canvas", sheet="the gradebook that Canvas exported (Grades, Export)", needs_sheet=True),
    Format("moodle", "moodle", sheet="its grading worksheet"),
    Format("brightspace", "brightspace"),
)


def format_called(name: str) -> Format:
    """A row by its name.

    Raises:
        KeyError: there is none.
    """
    return {row.name: row for row in FORMATS}[name]

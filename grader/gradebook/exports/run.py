"""One export, from the gradebook to a file, with what is left out said aloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GraderUsageError
from grader.gradebook import state
from grader.gradebook.course import Course
from grader.gradebook.exports.marks import Mark, final_marks
from grader.gradebook.exports.own import write_own
from grader.gradebook.exports.platforms import write_brightspace, write_canvas, write_moodle
from grader.gradebook.exports.remarks import remarks
from grader.gradebook.progress import say
from grader.text import listed, printable


@dataclass(frozen=True)
class Request:
    """What to export.

    Attributes:
        kind: `csv`, `canvas`, `moodle` or `brightspace`.
        output: the file to write.
        sheet: a table that the platform exported, to be filled in.
        column: the assignment's name there.
        unfinished: also export marks of which a part is still missing.
    """

    kind: str
    output: Path
    sheet: Path | None
    column: str
    unfinished: bool


def export_marks(course: Course, request: Request) -> int:
    """Write the file; returns the exit status.

    Raises:
        GraderUsageError: a file is missing or cannot be used.
        GraderFault: the gradebook does not hold the results, or they may not be used.
    """
    if request.kind == "canvas" and request.sheet is None:
        raise GraderUsageError("canvas needs --sheet: the gradebook that Canvas exported (Grades, Export)")
    marks = final_marks(course)
    handed_in = [mark for mark in marks if mark.handed_in]
    chosen = [mark for mark in handed_in if mark.final or request.unfinished]
    if request.kind == "csv":
        write_own(request.output, marks)
        written = len(marks)
    else:
        written = _write(request, chosen, marks)
    say(f"{written} student{'' if written == 1 else 's'} in {printable(str(request.output))}")
    _tell(request, marks, state.load(course, state.PROPOSED))
    return 0


def _write(request: Request, marks: list[Mark], roster: list[Mark]) -> int:
    """Write a platform's table; returns how many have their points in it."""
    if request.kind == "brightspace":
        write_brightspace(request.output, marks, request.column)
        return len(marks)
    if request.kind == "canvas" and request.sheet is not None:
        filled = write_canvas(request.output, marks, request.sheet, request.column, roster)
    else:
        filled = write_moodle(request.output, marks, request.sheet, request.column, roster)
    for remark in remarks(filled, request.sheet.name if request.sheet else ""):
        say(f"note: {remark}")
    return len(filled.written)


def _tell(request: Request, marks: list[Mark], proposed: Mapping[str, str]) -> None:
    absent = [mark.student for mark in marks if not mark.handed_in and mark.student not in proposed]
    named = [mark.student for mark in marks if not mark.handed_in and mark.student in proposed]
    if named:
        say(f"note: named in somebody's hand-in, and in no group yet, without marks: {listed(named, 40)}")
    waiting = [mark.student for mark in marks if mark.handed_in and not mark.final]
    if absent:
        how = "their rows have no marks" if request.kind == "csv" else "left out"
        say(f"note: handed in nothing, {how}: {listed(absent, 40)}")
    if waiting and request.kind == "csv":
        say(f"note: not complete yet, see the column status: {listed(waiting, 40)}")
    elif waiting and request.unfinished:
        say(f"note: not complete yet, what is missing counts as 0: {listed(waiting, 40)}")
    elif waiting:
        say(f"note: not complete yet, left out (--unfinished takes them): {listed(waiting, 40)}")

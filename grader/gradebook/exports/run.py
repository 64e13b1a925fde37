"""One export, from the gradebook to a file, with what is left out said aloud."""

from __future__ import annotations

from collections.abc import Mapping

from grader.errors import GraderUsageError
from grader.gradebook import state
from grader.gradebook.course import Course
from grader.gradebook.exports.formats import Format, Request
from grader.gradebook.exports.marks import Mark, final_marks
from grader.gradebook.exports.remarks import remarks
from grader.gradebook.progress import say
from grader.text import counted, listed, printable


def export_marks(course: Course, kind: Format, request: Request, unfinished: bool = False) -> int:
    """Write the file; returns the exit status.

    Args:
        course: the course.
        kind: what to write.
        request: where to, and into what.
        unfinished: also export marks of which a part is still missing.

    Raises:
        GraderUsageError: a file is missing or cannot be used.
        GraderFault: the gradebook does not hold the results, or they may not be used.
    """
    if kind.needs_sheet and request.sheet is None:
        raise GraderUsageError(f"{kind.name} needs --sheet: {kind.sheet}")
    marks = final_marks(course)
    chosen = [mark for mark in marks if kind.everyone or (mark.handed_in and (mark.final or unfinished))]
    filled = kind.writer()(request, chosen, marks)
    for remark in remarks(filled, request.sheet.name if request.sheet else ""):
        say(f"note: {remark}")
    count = len(filled.written)
    say(f"{counted(count, 'student')} in {printable(str(request.output))}")
    _tell(kind, unfinished, marks, state.load(course, state.PROPOSED))
    return 0


def _tell(kind: Format, unfinished: bool, marks: list[Mark], proposed: Mapping[str, str]) -> None:
    absent = [mark.student for mark in marks if not mark.handed_in and mark.student not in proposed]
    named = [mark.student for mark in marks if not mark.handed_in and mark.student in proposed]
    if named:
        say(f"note: named in somebody's hand-in, and in no group yet, without marks: {listed(named, 40)}")
    waiting = [mark.student for mark in marks if mark.handed_in and not mark.final]
    if absent:
        how = "their rows have no marks" if kind.everyone else "left out"
        say(f"note: handed in nothing, {how}: {listed(absent, 40)}")
    if waiting and kind.everyone:
        say(f"note: not complete yet, see the column status: {listed(waiting, 40)}")
    elif waiting and unfinished:
        say(f"note: not complete yet, what is missing counts as 0: {listed(waiting, 40)}")
    elif waiting:
        say(f"note: not complete yet, left out (--unfinished takes them): {listed(waiting, 40)}")

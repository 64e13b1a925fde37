"""Points and comments that a person gave one member of a group, for the others whose hand-in it is, too.

nbgrader knows single students only. What was given to one goes to those who have nothing yet, or what an
earlier run had copied; where two were marked apart, both stay as they are, and are named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grader.gradebook import state
from grader.gradebook.course import ASSIGNMENT, NOTEBOOK, Course
from grader.report.marks_csv import number
from grader.text import listed

if TYPE_CHECKING:
    from nbgrader.api import Comment, Grade, Gradebook

    from grader.gradebook.hand_ins import HandIn

Given = tuple[float | None, float | None, str | None]  # points, extra credit, comment
_NOTHING: Given = (None, None, None)


def copy_by_hand(course: Course, gradebook: Gradebook, sources: Mapping[str, HandIn]) -> list[str]:
    """Copy what one member was given to the others.

    Args:
        course: the course.
        gradebook: nbgrader's, in which everyone's submission is.
        sources: student -> the hand-in that counts for them.

    Returns:
        Remarks about members who were marked apart.
    """
    together: dict[str, list[str]] = {}
    for student, source in sources.items():
        together.setdefault(source.name, []).append(student)
    table = state.load(course, state.COPIED)
    copied: dict[str, dict[str, Any]] = {student: json.loads(text) for student, text in table.items()}
    remarks = []
    for students in together.values():
        if len(students) > 1:
            remarks += _copy_among(gradebook, students, copied)
    gradebook.db.commit()
    if copied:
        state.save(course, state.COPIED, {student: json.dumps(cells) for student, cells in copied.items()})
    return remarks


def _copy_among(gradebook: Gradebook, students: list[str], copied: dict[str, dict[str, Any]]) -> list[str]:
    cells = {student: _cells(gradebook, student) for student in students}
    names = dict.fromkeys(name for theirs in cells.values() for name in theirs)
    apart: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        here = {student: theirs[name] for student, theirs in cells.items() if name in theirs}
        given = {student: _given(*one) for student, one in here.items()}
        free = {
            student
            for student, value in given.items()
            if value == _NOTHING or list(value) == copied.get(student, {}).get(name)
        }
        # What nbgrader asks for again, since the answer has changed, does not hold.
        own = {
            student: given[student]
            for student, (grade, _) in here.items()
            if student not in free and (grade.manual_score is None or not grade.needs_manual_grade)
        }
        if len(set(own.values())) > 1:
            which = (f"{student} {_shown(value[0])}" for student, value in own.items())
            apart.setdefault(tuple(own), []).append(f"{name} ({', '.join(which)})")
        elif own:
            value = next(iter(own.values()))
            for student in free:
                _give(*here[student], value)
                copied.setdefault(student, {})[name] = list(value)
    return [
        f"{listed(who, 20)} have one hand-in and were marked apart, which stays so: {listed(told)}"
        for who, told in apart.items()
    ]


def _cells(gradebook: Gradebook, student: str) -> dict[str, tuple[Grade, Comment | None]]:
    """The grades and comments of a student, by cell; none where there is no submission."""
    from nbgrader.api import MissingEntry

    try:
        notebook = gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, student)
    except MissingEntry:
        return {}
    comments = {comment.name: comment for comment in notebook.comments}
    return {grade.name: (grade, comments.get(grade.name)) for grade in notebook.grades}


def _given(grade: Grade, comment: Comment | None) -> Given:
    """What a person gave."""
    text = comment.manual_comment if comment else None
    return grade.manual_score, grade.extra_credit or None, text or None


def _shown(points: float | None) -> str:
    return "no points" if points is None else number(points)


def _give(grade: Grade, comment: Comment | None, value: Given) -> None:
    points, extra, text = value
    grade.manual_score, grade.extra_credit = points, extra
    if points is not None:
        grade.needs_manual_grade = False
    if comment is not None:
        comment.manual_comment = text

"""Compares the gradebook with the results and the roster, number by number."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from nbgrader.api import Gradebook, MissingEntry

from grader.gradebook.course import ASSIGNMENT, NOTEBOOK
from grader.marking.result import GRADER_ERROR, SubmissionResult
from grader.release.notebook import grade_id
from grader.report.marks_csv import number
from grader.rubric import load_rubric

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Reconciliation:
    """What the comparison found.

    Attributes:
        compared: how many scores were compared.
        mismatches: what does not agree, one line each.
        absent: students on the roster who handed in nothing.
        to_grade: students with answers that a person has to mark.
    """

    compared: int
    mismatches: tuple[str, ...]
    absent: tuple[str, ...]
    to_grade: tuple[str, ...]


def reconcile(
    gradebook: Gradebook, results: Mapping[str, SubmissionResult], handed_in: Collection[str]
) -> Reconciliation:
    """Compare every score.

    Args:
        gradebook: nbgrader's.
        results: those that hold, by student.
        handed_in: the students who handed in something.
    """
    mismatches = list(_maximum(gradebook))
    compared, to_grade = 0, []
    roster = sorted(student.id for student in gradebook.students)
    for student in sorted(set(handed_in)):
        if student not in roster:
            mismatches.append(f"{student}: is not on the roster")
        elif student not in results:
            mismatches.append(f"{student}: has no result that holds")
        else:
            count, wrong, open_ = _student(gradebook, student, results[student])
            compared += count
            mismatches += wrong
            if open_:
                to_grade.append(student)
    for submission in _submissions(gradebook):
        if submission not in handed_in:
            mismatches.append(f"{submission}: is in the gradebook, but there is no submission of theirs")
    absent = [student for student in roster if student not in handed_in]
    return Reconciliation(compared, tuple(mismatches), tuple(absent), tuple(to_grade))


def _maximum(gradebook: Gradebook) -> list[str]:
    expected = sum(item.points for item in load_rubric().items)
    try:
        found = gradebook.find_assignment(ASSIGNMENT).max_score
    except MissingEntry:
        return [
            f"the gradebook has no assignment {ASSIGNMENT}; run nbgrader generate_assignment {ASSIGNMENT}"
        ]
    if abs(found - expected) > TOLERANCE:
        return [
            f"the gradebook has {number(found)} points for {ASSIGNMENT}, the rubric {number(expected)}; "
            "run python -m grader course update"
        ]
    return []


def _submissions(gradebook: Gradebook) -> list[str]:
    try:
        return [submission.student_id for submission in gradebook.assignment_submissions(ASSIGNMENT)]
    except MissingEntry:
        return []


def _student(gradebook: Gradebook, student: str, result: SubmissionResult) -> tuple[int, list[str], bool]:
    """How many scores were compared, what is wrong, and whether a person has something to mark."""
    try:
        notebook = gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, student)
    except MissingEntry:
        return 0, [f"{student}: is not in the gradebook"], False
    grades = {grade.name: grade for grade in notebook.grades}
    wrong = []
    for item in result.items:
        grade = grades.get(grade_id(item.id))
        if grade is None:
            wrong.append(f"{student}: {item.id} has no cell in the gradebook")
        elif item.status == GRADER_ERROR:
            wrong.append(f"{student}: {item.id} was not marked, through the grader's own fault")
        elif grade.auto_score is None or abs(grade.auto_score - item.points) > TOLERANCE:
            shown = "nothing" if grade.auto_score is None else number(grade.auto_score)
            wrong.append(
                f"{student}: {item.id} is {number(item.points)} in results.json, {shown} in the gradebook"
            )
        elif abs(grade.max_score - item.max_points) > TOLERANCE:
            wrong.append(f"{student}: {item.id} is worth {number(item.max_points)}, {grade.max_score} there")
    return len(result.items), wrong, bool(notebook.needs_manual_grade)

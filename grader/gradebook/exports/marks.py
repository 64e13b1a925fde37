"""The final marks of a course, as every export writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from grader.errors import GraderFault
from grader.gradebook.course import ASSIGNMENT, NOTEBOOK, Course, inside
from grader.gradebook.inject import current_result
from grader.gradebook.late import read_policy
from grader.gradebook.late_plugin import deadline_told, enter_deadlines, refresh_penalties
from grader.gradebook.progress import say
from grader.gradebook.reconcile import reconcile
from grader.gradebook.steps import open_gradebook
from grader.release.notebook import grade_id
from grader.report.pages import write_cohort_page
from grader.report.whole_marks import WholeMark, write_whole_marks
from grader.rubric import load_rubric
from grader.text import printable

if TYPE_CHECKING:
    from nbgrader.api import Gradebook, Student

    from grader.gradebook.late import LatePolicy


@dataclass(frozen=True)
class Mark:
    """One student's mark.

    Attributes:
        student: their id; name, address and id in the learning platform are as the roster has them.
        handed_in: whether there is a submission.
        submitted: when, UTC; None where no time is known.
        days_late: late days that have begun.
        penalty: points lost by lateness.
        items: points by item; None for what waits for a person.
        points: of the items that do not wait, less the penalty; at least 0.
        max_points: what the assignment is worth.
    """

    student: str
    first_name: str
    last_name: str
    email: str
    platform_id: str
    handed_in: bool
    submitted: datetime | None = None
    days_late: int = 0
    penalty: float = 0.0
    items: Mapping[str, float | None] = field(default_factory=dict)
    points: float = 0.0
    max_points: float = 0.0

    @property
    def waiting(self) -> tuple[str, ...]:
        """The items that wait for a person."""
        return tuple(item for item, points in self.items.items() if points is None)

    @property
    def final(self) -> bool:
        """Whether nothing can change any more: all is marked, or nothing was handed in."""
        return not self.waiting


def final_marks(course: Course) -> list[Mark]:
    """Everyone on the roster, by id. Says which deadline the penalties follow.

    Raises:
        UnusableResult: a result was made without a sandbox, or does not hold any more.
        GraderFault: the gradebook does not agree with the results.
    """
    policy = read_policy(course.policy)
    with inside(course) as config, open_gradebook(config) as gradebook:
        submissions = {submission.student_id: submission for submission in _submissions(gradebook)}
        results = {student: current_result(course, student) for student in submissions}
        found = reconcile(gradebook, results, submissions)
        if found.mismatches:
            raise GraderFault(
                f"the gradebook does not agree with the results ({len(found.mismatches)} differences; "
                f"the first: {found.mismatches[0]}); run make grade COURSE={course.root}"
            )
        enter_deadlines(gradebook, policy)  # of late.toml as it is now
        say(deadline_told(gradebook, policy))
        refresh_penalties(gradebook, policy)
        marks = marks_of(gradebook, policy)
    draw_whole_marks(course, marks)
    return marks


def marks_of(gradebook: Gradebook, policy: LatePolicy) -> list[Mark]:
    """Everyone on the roster, by id, as the gradebook has them."""
    return [
        _mark(gradebook, student, policy)
        for student in sorted(gradebook.students, key=lambda student: student.id)
    ]


def draw_whole_marks(course: Course, marks: Sequence[Mark]) -> None:
    """Put the marks with what people gave onto the cohort's page.

    Raises:
        GraderFault: it cannot be written.
    """
    if not course.results.is_dir():
        return
    whole = {
        mark.student: WholeMark(mark.points, mark.max_points, mark.penalty, dict(mark.items))
        for mark in marks
        if mark.handed_in
    }
    try:
        write_whole_marks(course.results, whole)
    except OSError as error:
        raise GraderFault(f"{printable(str(course.results))}: cannot be written: {error.strerror}") from error
    write_cohort_page(course.results)


def _submissions(gradebook: Gradebook) -> list:
    from nbgrader.api import MissingEntry

    try:
        return list(gradebook.assignment_submissions(ASSIGNMENT))
    except MissingEntry as error:
        raise GraderFault(f"the gradebook has no assignment {ASSIGNMENT} yet") from error


def _mark(gradebook: Gradebook, student: Student, policy: LatePolicy) -> Mark:
    from nbgrader.api import MissingEntry

    about = (
        student.id,
        student.first_name or "",
        student.last_name or "",
        student.email or "",
        student.lms_user_id or "",
    )
    worth = sum(item.points for item in load_rubric().items)
    try:
        submission = gradebook.find_submission(ASSIGNMENT, student.id)
        notebook = gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, student.id)
    except MissingEntry:
        return Mark(*about, handed_in=False, max_points=worth)
    grades = {grade.name: grade for grade in notebook.grades}
    items = {}
    for item in load_rubric().items:
        grade = grades.get(grade_id(item.id))
        items[item.id] = None if grade is None or grade.needs_manual_grade else float(grade.score)
    earned = sum(points for points in items.values() if points is not None)
    late = submission.duedate is not None and submission.timestamp is not None
    days = policy.days_late(submission.duedate, submission.timestamp) if late else 0
    penalty = policy.penalty(days, earned)  # nbgrader's is a share of what waits for confirmation, too
    return Mark(
        *about,
        handed_in=True,
        submitted=submission.timestamp,
        days_late=days,
        penalty=penalty,
        items=items,
        points=round(max(0.0, earned - penalty), 6),
        max_points=worth,
    )

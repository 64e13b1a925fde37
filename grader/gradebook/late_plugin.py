"""nbgrader's plugin for late submissions, by the policy of `late.toml`; and the deadlines in its tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.plugins import LateSubmissionPlugin

from grader.gradebook.course import ASSIGNMENT, POLICY_FILE
from grader.gradebook.late import LatePolicy as Policy
from grader.gradebook.late import clock, read_policy
from grader.report.marks_csv import number
from grader.text import counted, listed


class LatePolicy(LateSubmissionPlugin):
    """What nbgrader asks for each late submission."""

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """The penalty in points. nbgrader's working directory is the course."""
        submission = self.parent.gradebook.find_submission(self.parent.assignment_id, student_id)
        policy = read_policy(Path(POLICY_FILE))
        self.log.info("late by %s", deadline_told(self.parent.gradebook, policy))
        return penalty_of(policy, submission, score)


def penalty_of(policy: Policy, submission: SubmittedAssignment, score: float) -> float | None:
    """What a submission's lateness costs of its points; None: it is not late."""
    due, submitted = submission.duedate, submission.timestamp
    if due is None or submitted is None or submitted <= due:
        return None
    days = policy.days_late(due, submitted)
    return policy.penalty(days, score) or None


def deadline_of(gradebook: Gradebook, policy: Policy) -> datetime | None:
    """Everyone's deadline, UTC: that of the policy, or else what was set in nbgrader itself."""
    if policy.due is not None:
        return policy.due_utc()
    try:
        return gradebook.find_assignment(ASSIGNMENT).duedate
    except MissingEntry:
        return None


def deadline_told(gradebook: Gradebook, policy: Policy) -> str:
    """The line by which every run says which deadline it uses."""
    due = deadline_of(gradebook, policy)
    if due is None or policy.due is not None:
        return f"deadline: {policy.told()}"
    here = due.replace(tzinfo=UTC).astimezone(policy.zone)
    return f"deadline: {clock(here)} {policy.zone.key} ({clock(due)} UTC), set in nbgrader, not in late.toml"


def enter_deadlines(gradebook: Gradebook, policy: Policy) -> None:
    """Write the deadline into nbgrader's assignment, and the extensions into its submissions.

    Without a deadline in the policy, what was set in nbgrader itself stays.
    """
    if policy.due is None:
        return
    gradebook.update_or_create_assignment(ASSIGNMENT, duedate=policy.due_utc())
    for submission in gradebook.assignment_submissions(ASSIGNMENT):
        submission.extension = policy.extension(submission.student_id) or None
    gradebook.db.commit()


def enter_extension(gradebook: Gradebook, policy: Policy, student: str) -> None:
    """Write one student's extension, before the penalty is found."""
    if policy.due is None:
        return
    submission = gradebook.update_or_create_submission(ASSIGNMENT, student)
    extension: timedelta = policy.extension(student)
    submission.extension = extension or None
    gradebook.db.commit()


def refresh_penalties(gradebook: Gradebook, policy: Policy) -> None:
    """Find all penalties anew: marks given by hand change what a per cent of the points is.

    nbgrader itself does so only when it autogrades.
    """
    try:
        submissions = gradebook.assignment_submissions(ASSIGNMENT)
    except MissingEntry:
        return
    for submission in submissions:
        for notebook in submission.notebooks:
            notebook.late_submission_penalty = penalty_of(policy, submission, notebook.score)
    gradebook.db.commit()


def lateness_told(gradebook: Gradebook, policy: Policy) -> list[str]:
    """The line by which every run says who is late, and what it costs; nothing where there is no deadline."""
    if deadline_of(gradebook, policy) is None:
        return []
    late = []
    for submission in gradebook.assignment_submissions(ASSIGNMENT):
        due, submitted = submission.duedate, submission.timestamp
        days = policy.days_late(due, submitted) if due and submitted else 0
        if days:
            points = number(float(submission.late_submission_penalty or 0))
            late.append(f"{submission.student_id} ({counted(days, 'day')}, {points} points)")
    count = f"late, {counted(len(late), 'submission')}"
    return [f"{count}: {listed(late, 40)}" if late else count]

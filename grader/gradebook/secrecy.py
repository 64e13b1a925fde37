"""May the inputs of hidden checks be shown? While somebody can hand in again, they may not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from grader.gradebook.course import course_of_results
from grader.gradebook.late import read_policy
from grader.text import printable


def inputs_secret(output: Path, now: datetime) -> str:
    """Why what was asked for the results in a folder stays secret: one line; empty where it may be shown.

    Results that belong to no course have no deadline: whoever holds them decides.

    Args:
        output: the folder of results.
        now: the time, with its zone.

    Raises:
        GraderUsageError: the course's `late.toml` is not valid.
    """
    course = course_of_results(output)
    if course is None:
        return ""
    reason = read_policy(course.policy).secret(now)
    return f"{printable(str(course.policy))}: {reason}" if reason else ""

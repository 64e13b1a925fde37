"""What did the student hand in? Runs nothing, trusts nothing."""

from grader.submission.find import Cohort, Found, find_submissions
from grader.submission.model import GRADER, NAMED_FILES, STUDENT, Submission
from grader.submission.read import read_submission

__all__ = [
    "GRADER",
    "NAMED_FILES",
    "STUDENT",
    "Cohort",
    "Found",
    "Submission",
    "find_submissions",
    "read_submission",
]

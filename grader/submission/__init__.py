"""What did the student hand in? Runs nothing, trusts nothing."""

from grader.submission.find import Cohort, find_submissions
from grader.submission.model import GRADER, NAMED_FILES, STUDENT, Found, Submission
from grader.submission.read import read_found, read_submission
from grader.submission.shown import EVIDENCE, FIGURES

__all__ = [
    "EVIDENCE",
    "FIGURES",
    "GRADER",
    "NAMED_FILES",
    "STUDENT",
    "Cohort",
    "Found",
    "Submission",
    "find_submissions",
    "read_found",
    "read_submission",
]

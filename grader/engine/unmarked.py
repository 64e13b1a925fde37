"""The result of a submission that could not be marked: complete, and with the reason on every item."""

from __future__ import annotations

from dataclasses import dataclass

from grader.marking.cause import Cause
from grader.marking.result import GRADER_ERROR, NOT_SUBMITTED, CheckResult, ItemResult, Note, SubmissionResult
from grader.rubric import load_rubric
from grader.submission import GRADER, Submission

RESUBMIT = (
    "Hand in a folder, zip, tar or tar.gz that holds part1/ and part2/ with the files of the assignment."
)
ASK_STAFF = "This is not the student's fault and costs no points. Mark the submission again."


@dataclass(frozen=True)
class Provenance:
    """What every result of a run says about where it comes from.

    Attributes:
        seed: the run's seed.
        suite: the digest of everything that decides a verdict.
        sandbox: how students' code is confined, `bwrap` or `none`.
        waived: what the assignment forbids and this run allows.
        environment: the digest of what marks depend on beside these, the images and the libraries. No result
            shows it; it decides which ones still hold.
        python: the version of Python that runs the code.
    """

    seed: int
    suite: str
    sandbox: str
    waived: tuple[str, ...] = ()
    environment: str = ""
    python: str = ""


def unreadable(submission: Submission, provenance: Provenance, seconds: float = 0.0) -> SubmissionResult:
    """The result of a submission that could not be read."""
    if submission.fault == GRADER:
        return grader_fault(submission.name, submission.error, provenance, seconds, check="readable")
    cause = Cause("unreadable", form=submission.error)
    check = CheckResult("readable", NOT_SUBMITTED, message=submission.error, hint=RESUBMIT, cause=cause)
    return _result(submission.name, check, provenance, seconds, submission.warnings, submission.review)


def grader_fault(
    name: str, message: str, provenance: Provenance, seconds: float = 0.0, check: str = "marked"
) -> SubmissionResult:
    """The result of a submission that the grader failed to mark."""
    return _result(
        name, CheckResult(check, GRADER_ERROR, message=message, hint=ASK_STAFF), provenance, seconds
    )


def _result(
    name: str,
    check: CheckResult,
    provenance: Provenance,
    seconds: float,
    warnings: tuple[str, ...] = (),
    review: str = "",
) -> SubmissionResult:
    return SubmissionResult(
        submission=name,
        seed=provenance.seed,
        suite=provenance.suite,
        sandbox=provenance.sandbox,
        waived=provenance.waived,
        python=provenance.python,
        seconds=seconds,
        items=tuple(
            ItemResult(item.id, 0.0, item.points, check.status, (check,), review)
            for item in load_rubric().automatic
        ),
        warnings=warnings,
        notes=tuple(map(Note, warnings)),
    )

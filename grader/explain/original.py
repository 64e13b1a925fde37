"""The result that is looked at, with the hand-in, suite and surroundings it was found for; or a refusal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.box.interpreter import box_python
from grader.engine.reuse import Origin, environment_digest, origin_of
from grader.errors import GraderFault, GraderUsageError
from grader.explain.versions import version_with
from grader.marking.marker import DEVICES, DISTRIBUTIONS, MarkingOptions, suite_digest
from grader.marking.result import PASSED, CheckResult, ItemResult, SubmissionResult
from grader.report.results_json import read_result
from grader.rubric import load_rubric
from grader.submission import Submission, find_submissions, read_found
from grader.submission.model import code_digest
from grader.submission.read import read_submission
from grader.text import printable


@dataclass(frozen=True)
class Asked:
    """What a person asks.

    Attributes:
        folder: `OUTPUT/<submission>`.
        item: of the rubric.
        check: of the item; empty: all that did not pass.
        submission: where the hand-in lies; None: where the run has found it.
        sandbox: False allows a result that was found without a sandbox to be looked at without one.
    """

    folder: Path
    item: str
    check: str = ""
    submission: Path | None = None
    sandbox: bool = True


@dataclass(frozen=True)
class Original:
    """A result and all that is needed to find it again.

    Attributes:
        result: the result.
        item: of it, the item that is looked at.
        checks: those to explain.
        submission: the hand-in.
        options: how it was marked.
        sure: whether the run has noted which files it marked, and these are the same.
    """

    result: SubmissionResult
    item: ItemResult
    checks: tuple[CheckResult, ...]
    submission: Submission
    options: MarkingOptions
    sure: bool


def find_original(asked: Asked) -> Original:
    """Read a result and find the hand-in that it belongs to.

    Raises:
        GraderUsageError: there is no such result, item, check or hand-in; or the check could not run as it
            was, since the suite, the code, Python, the libraries or the images are others.
    """
    shown = printable(str(asked.folder))
    result = read_result(asked.folder)
    item, checks = _chosen(asked, result)
    origin = origin_of(asked.folder.parent, result.submission)
    _expect_suite(result, shown)
    _expect_python(result, shown)
    data = _data(origin, shown)
    if result.sandbox == "none" and asked.sandbox:
        raise GraderUsageError(
            f"{shown}: was marked without a sandbox; only for your own code: give --no-sandbox to "
            "run it so again"
        )
    options = MarkingOptions(
        result.seed, data, result.sandbox != "none", DISTRIBUTIONS in result.waived, DEVICES in result.waived
    )
    submission, sure = _hand_in(asked, result, origin, shown)
    return Original(result, item, checks, submission, options, sure)


def _chosen(asked: Asked, result: SubmissionResult) -> tuple[ItemResult, tuple[CheckResult, ...]]:
    """The item and its checks that are asked for."""
    rubric, shown = load_rubric(), printable(asked.item)
    automatic = [item.id for item in rubric.automatic]
    if asked.item not in automatic:
        if any(item.id == asked.item for item in rubric.items):
            raise GraderUsageError(f"{shown}: a person marks this item, no check does")
        raise GraderUsageError(f"{shown}: there is no such item; there are {', '.join(automatic)}")
    item = next((one for one in result.items if one.id == asked.item), None)
    if item is None:
        raise GraderUsageError(f"{shown}: the result does not hold this item; mark the submission again")
    names = ", ".join(check.name for check in item.checks)
    if asked.check:
        checks = tuple(check for check in item.checks if check.name == asked.check)
        if not checks:
            raise GraderUsageError(
                f"{printable(asked.check)}: {asked.item} has no such check in this result; it has {names}"
            )
        return item, checks
    checks = tuple(check for check in item.checks if check.status != PASSED)
    if not checks:
        raise GraderUsageError(f"{shown}: all of its checks passed; name one to see what it asks: {names}")
    return item, checks


def _expect_suite(result: SubmissionResult, shown: str) -> None:
    if result.suite != suite_digest():
        raise GraderUsageError(
            f"{shown}: was marked with suite {_short(result.suite)}, and this kit has "
            f"{_short(suite_digest())}: {version_with(result.suite)}"
        )


def _expect_python(result: SubmissionResult, shown: str) -> None:
    here = box_python().dotted
    if result.python and result.python.split(".")[:2] != here.split(".")[:2]:
        raise GraderUsageError(
            f"{shown}: was marked with Python {result.python}, and students' code now runs on {here}: name "
            f"the old one, BOX_PYTHON=/path/to/python{'.'.join(result.python.split('.')[:2])}"
        )


def _data(origin: Origin, shown: str) -> str:
    """The images that were used: those with which images, libraries and Pythons are what they were."""
    if not origin.environment or origin.environment == environment_digest("digits"):
        return "digits"
    if os.environ.get("MNIST_ROOT"):
        try:
            if origin.environment == environment_digest("mnist"):
                return "mnist"
        except (GraderUsageError, GraderFault):
            pass
    raise GraderUsageError(
        f"{shown}: images, libraries or Python are others than when it was marked: for --data mnist set "
        "MNIST_ROOT to the folder of its images; otherwise use the environment of that time (`make setup` in "
        "the version of the kit that marked it), or mark again and explain the new result"
    )


def _hand_in(asked: Asked, result: SubmissionResult, origin: Origin, shown: str) -> tuple[Submission, bool]:
    """The hand-in, and whether it is known to be the one that was marked."""
    place = asked.submission or (Path(origin.place) if origin.place else None)
    if place is None:
        raise GraderUsageError(
            f"{shown}: the run has not noted where this hand-in lies: name it with --submission PATH"
        )
    given = printable(str(place))
    if not place.exists():
        where = f"--submission {given}" if asked.submission else f"{shown}: was marked from {given}, which"
        raise GraderUsageError(f"{where}: is not there (any more); name the hand-in with --submission PATH")
    found = None
    for submission in _candidates(place, result.submission):
        same = f"sha256:{code_digest(submission.files)}" == result.code
        if not submission.error and (same or not result.code):
            return submission, same
        found = found or submission
    if found is None or found.error:
        reason = found.error if found is not None else "no hand-in of this name in it"
        raise GraderUsageError(f"{given}: cannot be taken for the hand-in of {result.submission}: {reason}")
    raise GraderUsageError(
        f"{given}: is other code than the run has marked for {printable(result.submission)}: name the "
        "hand-in of that time with --submission PATH (a course keeps it in collected/), or mark it again and "
        "explain the new result"
    )


def _candidates(place: Path, name: str) -> Iterator[Submission]:
    """What a place may hold under the name of a submission, the likeliest first."""
    for folder in (place, place.parent):
        try:
            cohort = find_submissions([folder])
        except (GraderUsageError, GraderFault):
            continue
        for found in cohort.submissions:
            if found.name == name:
                yield read_found(found)
        if folder == place and len(cohort.submissions) == 1:
            yield read_submission(cohort.submissions[0].path, name, dict(cohort.submissions[0].loose))
    yield read_submission(place, name)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]

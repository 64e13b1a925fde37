"""Reads `results.json` for a gradebook, and believes nothing that it cannot check."""

from __future__ import annotations

from pathlib import Path

from grader.errors import GraderFault
from grader.marking.result import SubmissionResult
from grader.marking.result_json import result_from_json
from grader.report.results_json import FILE_NAME
from grader.rubric import load_rubric
from grader.text import printable

NO_SANDBOX = "none"


class UnusableResult(GraderFault):
    """A result that no gradebook may take; the message names the file and says what to do."""


def results_path(folder: Path, student: str) -> Path:
    """Where a student's result lies in the folder of results."""
    return folder / student / FILE_NAME


def read_result(path: Path, student: str) -> SubmissionResult:
    """A student's result, checked against the rubric.

    Raises:
        UnusableResult: it is missing, not valid, of somebody else, made without a sandbox, or its items are
            not those of the rubric.
    """
    shown = printable(str(path))
    try:
        result = result_from_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UnusableResult(f"{shown}: there is no result; grade the submission") from error
    except OSError as error:
        raise UnusableResult(f"{shown}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UnusableResult(f"{shown}: {printable(str(error), 160)}; grade the submission again") from error
    if result.submission != student:
        raise UnusableResult(
            f"{shown}: is the result of {printable(result.submission)}, not of {printable(student)}"
        )
    refuse_unprotected(result, shown)
    _check_items(result, shown)
    return result


def refuse_unprotected(result: SubmissionResult, shown: str) -> None:
    """Refuse a result of code that ran without a sandbox: it may have written its own marks.

    Raises:
        UnusableResult: it is one.
    """
    if result.sandbox in ("", NO_SANDBOX):
        raise UnusableResult(
            f'{shown}: was made without a sandbox ("sandbox": "{NO_SANDBOX}"), and no gradebook takes such '
            "marks; grade the submission again without --no-sandbox"
        )


def _check_items(result: SubmissionResult, shown: str) -> None:
    expected = {item.id: item.points for item in load_rubric().automatic}
    found = {item.id: item.max_points for item in result.items}
    if len(found) != len(result.items) or found != expected:
        differing = sorted(
            {name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)}
        )
        raise UnusableResult(
            f"{shown}: its items are not those of the rubric "
            f"({', '.join(differing) or 'one is there twice'}); grade the submission again"
        )

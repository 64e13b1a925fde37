"""Reads `results.json` for a gradebook, and believes nothing that it cannot check."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from grader.errors import GraderFault
from grader.marking.result import STATUSES, CheckResult, ItemResult, SubmissionResult
from grader.report.results_json import FILE_NAME
from grader.rubric import load_rubric
from grader.submission.names import printable

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
        table = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        result = _result(table)
    except FileNotFoundError as error:
        raise UnusableResult(f"{shown}: there is no result; grade the submission") from error
    except OSError as error:
        raise UnusableResult(f"{shown}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {printable(str(error), 120)}"
        raise UnusableResult(
            f"{shown}: is not a valid result ({reason}); grade the submission again"
        ) from error
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


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of points")


def _result(table: dict[str, Any]) -> SubmissionResult:
    def strings(values: list[Any]) -> tuple[str, ...]:
        return tuple(_string(value) for value in values)

    return SubmissionResult(
        submission=_string(table["submission"]),
        seed=int(table["seed"]),
        suite=_string(table["suite"]),
        sandbox=_string(table["sandbox"]),
        seconds=float(table["seconds"]),
        items=tuple(_item(row) for row in table["items"]),
        violations=strings(table.get("violations", [])),
        warnings=strings(table.get("warnings", [])),
        waived=strings(table.get("waived", [])),
    )


def _item(row: dict[str, Any]) -> ItemResult:
    if row["status"] not in STATUSES:
        raise ValueError(f"unknown status {row['status']!r}")
    checks = tuple(
        CheckResult(
            _string(check["name"]),
            _string(check["status"]),
            float(check.get("weight", 1.0)),
            _string(check.get("message", "")),
            _string(check.get("hint", "")),
            _string(check.get("severity", "")),
        )
        for check in row["checks"]
    )
    points, worth = _points(row["points"]), _points(row["max_points"])
    if not 0 <= points <= worth:
        raise ValueError(f"item {row['id']} has {points} of {worth} points")
    review = _string(row.get("review", ""))
    return ItemResult(_string(row["id"]), points, worth, row["status"], checks, review)


def _points(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number of points")
    return float(value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


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

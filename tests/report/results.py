"""Results made up for the reports."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

from grader.marking.cause import Cause, without_numbers
from grader.marking.result import FAILED, PASSED, CheckResult, ItemResult, SubmissionResult
from grader.rubric import Item, load_rubric

GENERAL = "run the same call on small tensors of your own and look at what it returns"


def value_off(name: str, message: str, hint: str = "", mistake: str = "") -> CheckResult:
    """A check that got another value than the contract's."""
    message = f"{message}: {mistake}" if mistake else message
    cause = Cause("value", detail=mistake, form=without_numbers(message))
    return CheckResult(name, FAILED, 1.0, message, hint, cause=cause)


def raised(name: str, detail: str, line: int, exception: str = "ValueError", hint: str = "") -> CheckResult:
    """A check in which KLD raised an exception in `part1/utils.py`."""
    place = f" (part1/utils.py, line {line})"
    message = f"KLD raised {exception}: {detail}"
    cause = Cause(
        "raised",
        "KLD",
        exception,
        "part1/utils.py",
        line,
        detail,
        without_numbers(message) + place,
        general_hint=not hint,
    )
    return CheckResult(name, FAILED, 1.0, message + place, hint or GENERAL, cause=cause)


def not_imported(
    name: str, detail: str, line: int = 0, exception: str = "SyntaxError", hint: str = ""
) -> CheckResult:
    """A check for which `part1/utils.py` could not be imported."""
    place = f" (part1/utils.py, line {line})" if line else ""
    message = f"utils.py cannot be imported: {exception}: {detail}{place}"
    file = "part1/utils.py" if line else ""
    cause = Cause("import", "utils.py", exception, file, line, detail, message, general_hint=not hint)
    return CheckResult(name, FAILED, 1.0, message, hint or GENERAL, cause=cause)


Outcome = tuple[str, float, str, str]  # status, share of the points, message, hint


def passed(item: Item) -> Outcome:
    return (PASSED, 1.0, "", "")


def result(
    name: str, outcome: Callable[[Item], Outcome] = passed, **options: tuple[str, ...]
) -> SubmissionResult:
    items = []
    for item in load_rubric().automatic:
        status, share, message, hint = outcome(item)
        checks = (CheckResult("first", PASSED), CheckResult("second", status, 1.0, message, hint))
        items.append(ItemResult(item.id, share * item.points, item.points, status, checks))
    return SubmissionResult(name, 7, "sha256:0", "bwrap", 9.1, tuple(items), **options)


def waiting(name: str, items: set[str], reason: str) -> SubmissionResult:
    """A result of which a person has to look at some items before they count."""
    made = result(name)
    return replace(
        made,
        items=tuple(replace(item, review=reason) if item.id in items else item for item in made.items),
    )


def with_checks(**checks: list[CheckResult]) -> SubmissionResult:
    """A right submission, but for the checks of these items, by the last part of their ids."""
    items = []
    for item in result("s1").items:
        given = checks.get(item.id.split(".")[-1])
        items.append(replace(item, checks=tuple(given), status=FAILED, points=0.0) if given else item)
    return replace(result("s1"), items=tuple(items))


class Stream(io.StringIO):
    """A standard output that is, or is not, a terminal."""

    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal = terminal
        self._encoding = encoding

    def isatty(self) -> bool:
        return self._terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

"""Results made up for the reports."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

from grader.marking.result import PASSED, CheckResult, ItemResult, SubmissionResult
from grader.rubric import Item, load_rubric

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

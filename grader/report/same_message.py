"""Messages of one mistake differ in their numbers: of those a reader needs one."""

from __future__ import annotations

from collections.abc import Iterable

from grader.marking.result import CheckResult


def form_of(check: CheckResult) -> str:
    """Equal for checks whose messages differ in their numbers only."""
    return check.cause.form if check.cause is not None and check.cause.form else check.message


def merge_same_messages(checks: Iterable[CheckResult]) -> dict[tuple[str, str], list[CheckResult]]:
    """Checks by message and hint; of messages that differ in numbers only, by the first."""
    merged: dict[tuple[str, str], list[CheckResult]] = {}
    first: dict[tuple[str, str], str] = {}
    for check in checks:
        message = first.setdefault((form_of(check), check.hint), check.message)
        merged.setdefault((message, check.hint), []).append(check)
    return merged

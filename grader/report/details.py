"""What went wrong, submission by submission: the failed checks, with message and hint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from grader.marking.result import PASSED, CheckResult, ItemResult, SubmissionResult
from grader.report.look import LOOKS, lines_of, points_of, sign
from grader.report.marks_csv import number
from grader.submission.names import printable


def details(results: Sequence[SubmissionResult], encoding: str) -> Iterator[tuple[int, Text]]:
    """Lines with their indentation; nothing for a submission that has nothing to say."""
    for result in results:
        body = list(_of_submission(result, encoding))
        if body:
            yield 0, Text("")
            yield 0, Text(printable(result.submission), "bold").append(f"  {points_of(result)}", "not bold")
            yield from body


def _of_submission(result: SubmissionResult, encoding: str) -> Iterator[tuple[int, Text]]:
    for kind, lines in (("violation", result.violations), ("warning", result.warnings)):
        for line in lines:
            yield 2, Text(f"{kind}: ", "bold yellow").append(" ".join(lines_of(line)), "not bold")
    for items in _alike(result.items):
        look = LOOKS[items[0].status]
        earned, worth = sum(item.points for item in items), sum(item.max_points for item in items)
        ids = (
            f"all {len(items)} items"
            if len(items) == len(result.items) > 1
            else ", ".join(i.id for i in items)
        )
        yield (
            2,
            Text(f"{sign(items[0].status, encoding)} {ids}", look.style).append(
                f"  {look.word}, {number(earned)} of {number(worth)}", "not bold"
            ),
        )
        for check in _told(items[0]):
            yield 6, Text(printable(check.name), "italic")
            for line in lines_of(check.message) if check.message else ():
                yield 8, Text(line)
            for line in lines_of(check.hint) if check.hint else ():
                yield 8, Text(f"Hint: {line}" if line == lines_of(check.hint)[0] else line, "dim")


def _told(item: ItemResult) -> tuple[CheckResult, ...]:
    return tuple(check for check in item.checks if check.status != PASSED)


def _alike(items: Sequence[ItemResult]) -> list[list[ItemResult]]:
    """Items that are not passed, those with the same checks and messages together: they are told once."""
    groups: dict[object, list[ItemResult]] = {}
    for item in items:
        if item.status == PASSED and not _told(item):
            continue
        key = (item.status, tuple((check.name, check.message, check.hint) for check in _told(item)))
        groups.setdefault(key if _told(item) else item.id, []).append(item)
    return list(groups.values())

"""What went wrong, submission by submission: the failed checks, with message and hint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from grader.marking.result import GRADER_ERROR, PASSED, CheckResult, ItemResult, SubmissionResult
from grader.report.marks_csv import number
from grader.report.same_message import merge_same_messages
from grader.report.status_style import STATUS_STYLES, lines_of, points_of, sign
from grader.text import listed, readable


def details(results: Sequence[SubmissionResult], encoding: str) -> Iterator[tuple[int, Text]]:
    """Lines with their indentation; nothing for a submission that has nothing to say."""
    for result in results:
        body = list(_of_submission(result, encoding))
        if body:
            yield 0, Text("")
            yield 0, Text().append(readable(result.submission), "bold").append(f"  {points_of(result)}")
            yield from body


def _of_submission(result: SubmissionResult, encoding: str) -> Iterator[tuple[int, Text]]:
    for kind, lines in (("violation", result.violations), ("warning", result.warnings)):
        for line in lines:
            yield 2, Text().append(f"{kind}: ", "bold yellow").append(" ".join(lines_of(line)))
    for items in _alike(result.items):
        status = items[0].status
        look = STATUS_STYLES[status]
        earned, worth = sum(item.points for item in items), sum(item.max_points for item in items)
        share = f"worth {number(worth)}" if status == GRADER_ERROR else f"{number(earned)} of {number(worth)}"
        everything = len(items) == len(result.items) > 1
        ids = f"all {len(items)} items" if everything else ", ".join(item.id for item in items)
        heading = Text().append(f"{sign(status, encoding)} {ids}", look.style)
        yield 2, heading.append(f"  {look.word}, {share}")
        for (message, hint), checks in _told(items[0]).items():
            if len(items) == 1:
                yield 6, Text(listed([check.name for check in checks], limit=3), "italic")
            for line in lines_of(message) if message else ():
                yield 8, Text(line)
            for index, line in enumerate(lines_of(hint) if hint else ()):
                yield 8, Text(line if index else f"Hint: {line}", "dim")


def _told(item: ItemResult) -> dict[tuple[str, str], list[CheckResult]]:
    """The checks that are not passed, by message and hint: what several share is told once."""
    return merge_same_messages(check for check in item.checks if check.status != PASSED)


def _alike(items: Sequence[ItemResult]) -> list[list[ItemResult]]:
    """Items that are not passed, those of the same status and the same messages together."""
    groups: dict[object, list[ItemResult]] = {}
    for item in items:
        if item.status != PASSED or _told(item):
            groups.setdefault((item.status, tuple(_told(item))), []).append(item)
    return list(groups.values())

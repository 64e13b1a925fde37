"""What a student reads in the grade cell of an automatic item: points, messages and hints, no test."""

from __future__ import annotations

from grader.marking.result import GRADER_ERROR, PASSED, ItemResult
from grader.report.marks_csv import number
from grader.report.same_message import merge_same_messages
from grader.report.status_style import STATUS_STYLES, lines_of

_SILENT = (PASSED, GRADER_ERROR)  # what went wrong in the grader is for the staff, who read it in the results


def feedback_text(item: ItemResult, title: str) -> str:
    """Plain text. What several checks share is told once, and no check is named."""
    look = STATUS_STYLES[item.status]
    if item.status == GRADER_ERROR:
        heading = f"{item.id}, {title}: not marked yet, through no fault of yours"
    else:
        heading = (
            f"{item.id}, {title}: {number(item.points)} of {number(item.max_points)} points, {look.word}"
        )
    lines = [heading]
    if item.review:
        lines += [f"A person looks at this before it counts: {line}" for line in lines_of(item.review)[:1]]
    if item.decision is not None:
        lines += [f"A person has decided: {line}" for line in lines_of(item.decision.reason)[:1]]
        return "\n".join(lines) + "\n"
    for message, hint in merge_same_messages(check for check in item.checks if check.status not in _SILENT):
        shown = lines_of(message) if message.strip() else []
        lines += [f"{'- ' if index == 0 else '  '}{line}" for index, line in enumerate(shown)]
        if hint.strip():
            lines += [
                f"  {'Hint: ' if index == 0 else ''}{line}" for index, line in enumerate(lines_of(hint))
            ]
    return "\n".join(lines) + "\n"

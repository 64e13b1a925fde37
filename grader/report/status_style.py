"""How a status looks on a terminal, and how text that students influence is made harmless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from grader.marking import result as status
from grader.marking.result import SubmissionResult
from grader.report.marks_csv import number
from grader.text import readable

MAX_LINES = 30
MAX_LINE_CHARACTERS = 2000


@dataclass(frozen=True)
class StatusStyle:
    """A status as a word, a colour and a sign, so that none is told by colour alone."""

    word: str
    style: str
    sign: str
    ascii_sign: str


STATUS_STYLES = {
    status.PASSED: StatusStyle("passed", "green", "✓", "+"),
    status.PARTIAL: StatusStyle("partial", "yellow", "◐", "~"),
    status.FAILED: StatusStyle("failed", "red", "✗", "x"),
    status.NOT_IMPLEMENTED: StatusStyle("not implemented", "cyan", "○", "o"),
    status.NOT_SUBMITTED: StatusStyle("not submitted", "blue", "–", "-"),  # noqa: RUF001 (wider than a hyphen)
    status.GRADER_ERROR: StatusStyle("not marked (the grader's fault)", "bold magenta", "!", "!"),
}


def sign(item_status: str, encoding: str) -> str:
    """The sign of a status, as far as the terminal can show it."""
    look = STATUS_STYLES[item_status]
    return look.sign if encoding.lower().replace("-", "").startswith("utf") else look.ascii_sign


def points_of(result: SubmissionResult) -> str:
    """A submission's points in words. What the grader failed to mark is not a zero."""
    if not result.marked:
        return "not marked"
    return f"{number(result.points)} of {number(result.max_points)} points"


def wrapped(text: Text, console: Console, indent: int = 0, hang: int = 0) -> Iterator[Text]:
    """The lines of a text at the console's width, indented, those after the first by `hang` more."""
    width = max(20, console.width - indent - hang)
    for index, line in enumerate(text.wrap(console, width)):
        line.rstrip()
        yield Text(" " * (indent + hang * (index > 0))).append_text(line)


def lines_of(text: str) -> list[str]:
    """The lines of a message, each without anything that a terminal would act on."""
    lines = [readable(line.rstrip(), MAX_LINE_CHARACTERS) for line in text.strip().split("\n")]
    if len(lines) > MAX_LINES:
        lines[MAX_LINES:] = [f"… {len(lines) - MAX_LINES} more lines in results.json"]
    return lines

"""What a run shows while it goes on and when it is done.

On a terminal: a progress bar, then a table in colour. Elsewhere, in a log or a pipe: plain lines, without
control characters.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from grader.engine.pool import Event, Finished
from grader.engine.progress import Tally
from grader.marking.result import PASSED, SubmissionResult
from grader.report.details import details
from grader.report.marks_csv import number
from grader.report.status_style import STATUS_STYLES, points_of, wrapped
from grader.report.table import marks_table
from grader.text import readable

DETAILED_SUBMISSIONS = 10  # up to so many, what went wrong is shown without being asked for


class TerminalReport:
    """Follows a run.

    Args:
        total: how many submissions there are.
        quiet: show no progress and no table.
        show_details: the failed checks with messages and hints; by default for at most 10 submissions.
        stream: where to write; by default the standard output.
    """

    def __init__(
        self,
        total: int,
        quiet: bool = False,
        show_details: bool | None = None,
        stream: TextIO | None = None,
        width: int | None = None,
    ) -> None:
        stream = stream or sys.stdout
        self.terminal = stream.isatty()
        self.console = Console(
            file=stream, force_terminal=self.terminal, highlight=False, markup=False, width=width
        )
        self.total = total
        self.quiet = quiet
        self.show_details = total <= DETAILED_SUBMISSIONS if show_details is None else show_details
        self.tally = Tally(total)
        self._progress: Progress | None = None
        self._started = time.monotonic()

    @contextmanager
    def follow(self) -> Iterator[None]:
        """Show a progress bar, where there is a terminal, until the block is left."""
        if self.quiet or not self.terminal:
            yield
            return
        self._progress = Progress(
            TextColumn("Marking"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            _Pace(self.tally),
            TextColumn("{task.fields[running]}", style="dim", markup=False),
            console=self.console,
            transient=True,
            expand=True,
        )
        with self._progress:
            self._progress.add_task("", total=self.total, running="")
            yield
        self._progress = None

    def on_event(self, event: Event) -> None:
        """Take note of what the engine tells."""
        self.tally.on_event(event)
        if isinstance(event, Finished) and not self.quiet and not self.terminal:
            before = " (marked before)" if event.reused else ""
            self.line(f"[{self.tally.done}/{self.total}] {_sentence(event.result)}{before}")
        if self._progress is not None:
            running = ", ".join(readable(name, 16) for name in self.tally.running)
            self._progress.update(
                self._progress.task_ids[0],
                completed=self.tally.done,
                running=running if len(running) <= 40 else f"{len(self.tally.running)} running",
            )

    def show(self, results: Sequence[SubmissionResult]) -> None:
        """Show the marks, and what went wrong."""
        if self.quiet:
            return
        if self.terminal:
            self.console.print(marks_table(results, self.console))
        for rule in dict.fromkeys(rule for result in results for rule in result.waived):
            self.line(f"waived in this run: the rule against {rule}", "yellow")
        if self.show_details:
            for indent, text in details(results, self.console.encoding):
                if self.terminal:
                    for line in wrapped(text, self.console, indent, hang=2):
                        self.console.print(line)
                else:
                    self.line(" " * indent + text.plain)
        elif any(item.status != PASSED for result in results for item in result.items):
            self.line("--details shows what went wrong; each results.json holds it too.")
        self.line()

    def line(self, text: str = "", style: str = "") -> None:
        """One line, never broken up."""
        if not self.console.encoding.lower().startswith("utf"):
            text = text.encode(self.console.encoding, "replace").decode(self.console.encoding)
        self.console.print(Text(text, style), soft_wrap=True)

    def summary(self, results: Sequence[SubmissionResult]) -> None:
        """One line about the whole run."""
        marked = [result for result in results if result.marked]
        seconds = time.monotonic() - self._started
        count = f"{len(marked)} of {self.total} submissions marked"
        if self.tally.reused:
            count += f" ({self.tally.reused} of them already before)"
        if marked:
            mean = sum(result.points for result in marked) / len(marked)
            count += f", on average {number(round(mean, 2))} of {number(marked[0].max_points)} points"
        self.line(f"{count}, in {seconds:.0f} s", "bold")
        for result in results:
            for reason, items in result.reviews.items():
                which = "all items" if len(items) == len(result.items) else ", ".join(items)
                name = readable(result.submission)
                self.line(f"waits for a person: {name}, {which}: {readable(reason, 200)}", "yellow")


class _Pace(ProgressColumn):
    """What went wrong so far, how fast it goes, and how long it will take. Drawn anew ten times a second."""

    max_refresh = 0.5

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self.tally = tally

    def render(self, task: Task) -> Text:
        """The column's text."""
        text = Text()
        if self.tally.with_failures:
            text.append(f"{self.tally.with_failures} with failures  ", "yellow")
        if self.tally.not_marked:
            text.append(f"{self.tally.not_marked} not marked  ", "bold magenta")
        pace, left = self.tally.per_minute, self.tally.seconds_left
        if pace is None or left is None:
            return text.append("-:--")
        text.append(f"{pace:.1f}/min  ")
        minutes, seconds = divmod(round(left), 60)
        hours, minutes = divmod(minutes, 60)
        left_text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        return text.append(f"{left_text} left")


def _sentence(result: SubmissionResult) -> str:
    """A submission's marks in plain words."""
    told = [points_of(result)] if result.marked else []
    for item_status, look in STATUS_STYLES.items():
        ids = [item.id for item in result.items if item.status == item_status]
        if ids and item_status != PASSED:
            told.append(f"{look.word}: " + ("all" if len(ids) == len(result.items) else ", ".join(ids)))
    return f"{readable(result.submission)}: " + "; ".join(told)

"""A marking run in a terminal: how it goes on, the marks, and what a person should know about them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from grader.engine import Event
from grader.grading.options import GradingOptions
from grader.grading.results import Results
from grader.grading.run import Listener, SeedFrom, Start, grade
from grader.report.whole_folder import count_rows, what_differs
from grader.terminal.lines import complain
from grader.terminal.run import TerminalReport
from grader.text import listed, printable


def grade_in_terminal(options: GradingOptions, quiet: bool = False, details: bool | None = None) -> Results:
    """Mark submissions and show how it goes on, see `grade`.

    Args:
        options: what to mark, and how.
        quiet: show no progress and no table.
        details: show the failed checks; None does so for few submissions.

    Raises:
        GraderUsageError: the run cannot begin as asked.
        KeyboardInterrupt: by the user, before the first submission or while pages were written.
    """
    terminal = _Terminal(options, quiet, details)
    results = grade(options, terminal)
    terminal.end(results)
    return results


class _Terminal(Listener):
    def __init__(self, options: GradingOptions, quiet: bool, details: bool | None) -> None:
        self._options = options
        self._shown_output = printable(str(options.output))
        self._show = quiet, details
        self._report = TerminalReport(0, *self._show)

    def found(self, warnings: Sequence[str]) -> None:
        for warning in warnings:
            complain("warning", warning)
        if not self._options.sandbox:
            complain(
                "WARNING",
                "--no-sandbox: submissions run unprotected, with all your rights. "
                'Results are recorded as "sandbox": "none", and no gradebook accepts them.',
            )

    def started(self, start: Start) -> None:
        self._report = TerminalReport(start.total, *self._show)
        if start.seed_from is SeedFrom.INTERRUPTED_RUN:
            self.line(f"continuing the unfinished run, seed {start.seed} (--fresh starts a new one)")
        elif start.seed_from is SeedFrom.LAST_RUN:
            self.line(
                f"results in {self._shown_output} that are still valid are kept; new and changed submissions "
                f"are marked with the last run's seed, {start.seed} (--fresh marks everything again, with a "
                "new seed)"
            )

    def marking(self) -> AbstractContextManager[None]:
        return self._report.follow()

    def on_event(self, event: Event) -> None:
        self._report.on_event(event)

    def line(self, text: str) -> None:
        self._report.line(text)

    def marked(self, results: Results) -> None:
        self._report.show(results.submissions)
        self._report.summary(results.submissions)
        if results.left_out:
            self.line(f"left out, with the reason at the start: {listed(results.left_out)}")
        rows, here = count_rows(results.output), len(results.submissions)
        of_all = f" ({rows} submissions, {here} of them in this run)" if rows > here else ""
        self.line(f"marks: {printable(str(results.output / 'marks.csv'))}{of_all}")
        for difference in what_differs(results.output):
            self.line(difference)
        if not results.seed_given:
            self.line(f"regrade with --seed {results.seed}")
        if results.failed:
            complain("error", f"not marked through the grader's own fault: {', '.join(results.failed)}")

    def end(self, results: Results) -> None:
        if results.interrupted:
            complain(
                "interrupted",
                f"the results so far are in {self._shown_output}; the same command continues from there",
            )
        if results.fault:
            complain("error", results.fault)
        for problem in results.unreadable:
            complain("error", problem)
        if results.page is not None:
            self.line(f"pages: {printable(str(results.page))}")

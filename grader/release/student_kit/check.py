"""Runs the public tests and shows how far you are: `make check`, or `python check.py [QUESTION] [--watch]`.

QUESTION is a question (1.7), one item of it (1.7.kld) or a part (2). The exit status is 0 when all tests
pass and the grader sees the same code, 1 otherwise, and 2 when the tests could not be run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import watch
from agreement import unlike_the_grader
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

HERE = Path(__file__).resolve().parent
TESTS = HERE / "tests"
PARTS = ("part1", "part2")
BAR = 10  # characters
COUNTS = 50  # characters to the right of a title
STYLES = {"done": "green", "wrong": "bold red", "to do": "yellow"}
PRINTED_LINES = 10


@dataclass
class Failure:
    """A test that did not pass.

    Attributes:
        test: what it tests, in words.
        message: what was expected, and what came.
        hint: what to look at.
        places: lines of your code on the way to the failure, the last one nearest to it.
        printed: what your code printed meanwhile.
        not_written: what is still a stub, or nothing.
    """

    test: str
    message: str
    hint: str = ""
    places: list[str] = field(default_factory=list)
    printed: str = ""
    not_written: str = ""


@dataclass
class Item:
    """One item of the exercise with the results of its tests."""

    id: str
    points: float
    how: str
    title: str
    files: list[str] = field(default_factory=list)
    tests: int = 0
    passed: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The tests of the item."""
        return TESTS / f"test_{self.id.replace('.', '_')}.py"

    @property
    def status(self) -> str:
        """`done`, `wrong`, or `to do` while nothing is wrong but something is not written."""
        if not self.failures:
            return "done" if self.passed == self.tests else "to do"
        return "to do" if all(failure.not_written for failure in self.failures) else "wrong"


def read_items() -> list[Item]:
    """All items of the exercise, in its order."""
    return [Item(**row) for row in json.loads((TESTS / "points.json").read_text(encoding="utf-8"))]


class Notes:
    """A pytest plugin: notes what becomes of every test, and moves the progress bar."""

    def __init__(self, items: Sequence[Item], progress: Progress, save: watch.Save | None) -> None:
        self.items = {item.file.stem: item for item in items}
        self.progress = progress
        self.bar = progress.add_task("loading PyTorch", total=None)
        self.broken = ""
        self._failure: Failure | None = None
        self._save = save
        self.first: set[str] = set()  # the items of the files that have changed

    def wait(self) -> list[str]:
        """In a spare process: wait for the next save, once; the files that have changed."""
        if self._save is None:
            return []
        save, self._save = self._save, None
        changed = save.wait()
        if self.progress.console.is_terminal:
            self.progress.console.clear()
        self.progress.start()
        return changed

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Bring the tests into the order of the exercise, those of changed files first, and count them."""
        changed = set(self.wait())
        self.first = {name for name, item in self.items.items() if not changed.isdisjoint(item.files)}
        order = sorted(self.items, key=lambda name: name not in self.first)
        session.items.sort(key=lambda test: order.index(test.path.stem))  # stable: within a file it stays
        for test in session.items:
            self.items[test.path.stem].tests += 1
        self.progress.update(self.bar, total=len(session.items))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a test file could not be read."""
        if report.failed and not self.broken:
            self.broken = str(report.longrepr)

    def pytest_internalerror(self, excrepr: object) -> None:
        """Keep why pytest itself failed."""
        self.broken = str(excrepr)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Show what runs now."""
        file, _, name = nodeid.partition("::")
        item = self.items[Path(file).stem]
        self.progress.update(self.bar, description=f"{item.id} {in_words(name)}"[:50])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take message and place of a failure while the exception is at hand."""
        report = yield
        if call.excinfo is not None:
            self._failure = failure_of(item, call.excinfo, report)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count."""
        item = self.items[Path(report.nodeid.partition("::")[0]).stem]
        if report.failed and self._failure is not None:
            item.failures.append(self._failure)
        elif report.when == "call":
            item.passed += report.passed
        self._failure = None
        if report.when == "teardown":
            self.progress.advance(self.bar)
            self.say_early(item)

    def say_early(self, item: Item) -> None:
        """The verdict on an item whose code has changed, where others are still to run."""
        finished = item.passed + len(item.failures) == item.tests
        if finished and item.file.stem in self.first and len(self.items) > len(self.first):
            line = Text(f"{item.id:24}").append(f"{item.status}  ", style=STYLES[item.status])
            reason = f": {item.failures[0].message.splitlines()[0]}" if item.failures else ""
            line.append(f"{item.passed} of {item.tests} tests{reason}")
            self.progress.console.print(line, no_wrap=True, overflow="ellipsis")


def in_words(name: str) -> str:
    """`test_keeps_the_batch[5]` -> `keeps the batch (5)`."""
    name, _, case = name.removeprefix("test_").partition("[")
    return name.replace("_", " ") + (f" ({case.removesuffix(']').strip('()[]')})" if case else "")


def failure_of(test: pytest.Item, excinfo: pytest.ExceptionInfo, report: pytest.TestReport) -> Failure:
    """What to say of a failed test."""
    text = str(excinfo.value)
    # pytest adds how it evaluated the assertion; the message before it says the same in words.
    lines = [line.strip() for line in text.split("\nassert ")[0].strip().splitlines()] or [""]
    hints = [number for number, line in enumerate(lines) if line.startswith("Hint: ")]
    message, hint = lines, []
    if hints:
        message, hint = lines[: hints[0]], lines[hints[0] :]
        hint[0] = hint[0].removeprefix("Hint: ")
    places = []
    for entry in excinfo.traceback:
        path = Path(str(entry.path))
        if path.parent in [HERE / part for part in PARTS]:
            where = f"{path.relative_to(HERE)}, line {entry.lineno + 1}, in {entry.name}"
            places.append(f"{where}: {str(entry.statement).strip()}")
    if not isinstance(excinfo.value, AssertionError | pytest.fail.Exception):
        who = "your code ends with" if places else "the test cannot use what your code returned:"
        message[0] = f"{who} {excinfo.typename}: {message[0]}"
    return Failure(
        in_words(test.name),
        "\n".join(message),
        "\n".join(hint),
        places,
        report.capstdout,
        {name: str(value) for name, value in report.user_properties}.get("not written", ""),
    )


def overview(items: Sequence[Item], width: int) -> Table:
    """A line for every item, with a heading for every question."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("tests", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("points in reach", no_wrap=True)
    question = ""
    for item in items:
        if item.id.split(".")[:2] != question.split("."):
            question = ".".join(item.id.split(".")[:2])
            table.add_row(Text(f"Question {question}", style="bold"))
        filled = BAR * item.passed // max(item.tests, 1)
        style = STYLES[item.status]
        title = Text(f"  {item.title}")
        title.truncate(max(24, width - COUNTS), overflow="ellipsis")
        table.add_row(
            title,
            f"{'■' * filled}{'·' * (BAR - filled)} {item.passed:2d} of {item.tests}",
            Text(item.status, style=style),
            f"{item.points if item.status == 'done' else 0:g} of {item.points:g}",
        )
    return table


def first_to_see(items: Sequence[Item]) -> tuple[Item, Failure] | None:
    """The first failure of code that is written; when there is none, the first thing to write."""
    failures = [(item, failure) for item in items for failure in item.failures]
    return next((pair for pair in failures if not pair[1].not_written), failures[0] if failures else None)


def in_full(item: Item, failure: Failure) -> Panel:
    """All that is known of a failure."""
    body = Text(failure.message)
    if failure.hint:
        body.append("\n\nHint  ", style="bold").append(failure.hint)
    if failure.places and not failure.not_written:
        body.append("\n\nYour code  ", style="bold").append("\n           ".join(failure.places))
    if failure.printed.strip():
        lines = failure.printed.rstrip().splitlines()[-PRINTED_LINES:]
        body.append("\n\nIt printed  ", style="bold").append("\n            ".join(lines))
    body.append("\n\nThe test  ", style="bold").append(f"{item.file.relative_to(HERE)}: {failure.test}")
    body.append("\nRun it alone  ", style="bold").append(f"make check Q={item.id}")
    heading = "Next" if failure.not_written else "First failure"
    return Panel(body, title=f"{heading}: {item.id}, {item.title}", title_align="left", border_style="cyan")


def the_rest(items: Sequence[Item], shown: Failure) -> Iterator[Text]:
    """A line for every other failure; tests that fail for the same reason share one."""
    known = {shown.not_written}
    for item in items:
        missing: dict[str, int] = {}
        wrong: dict[str, list[str]] = {}
        for failure in item.failures:
            if failure.not_written:
                missing[failure.not_written] = missing.get(failure.not_written, 0) + 1
            elif failure is not shown:
                wrong.setdefault(failure.message.splitlines()[0], []).append(failure.test)
        for message, tests in wrong.items():
            line = Text(f"{item.id:24}").append("wrong  ", style=STYLES["wrong"])
            yield line.append(f"{tests[0] if len(tests) == 1 else f'{len(tests)} tests'}: {message}")
        for what, count in missing.items():
            if shown in item.failures and what == shown.not_written:
                continue
            word = "waits for" if what in known else "write"
            known.add(what)
            line = Text(f"{item.id:24}").append("to do  ", style=STYLES["to do"])
            yield line.append(f"{word} {what} ({count} test{'s' if count > 1 else ''})")


def show(console: Console, items: Sequence[Item], everything: Sequence[Item], unlike: Sequence[str]) -> None:
    """The whole report; `unlike` is what the grader will see in another way."""
    console.print()
    console.print(overview(items, console.width))
    for what in unlike:
        console.print()
        console.print(Text("Not so at the grader  ", style=STYLES["wrong"]).append(what, style="default"))
    first = first_to_see(items)
    if first is not None:
        console.print()
        console.print(in_full(*first))
        rest = list(the_rest(items, first[1]))
        if rest:
            console.print(Text("The rest", style="bold"))
            for line in rest:
                console.print(Padding(line, (0, 0, 0, 2)), no_wrap=True, overflow="ellipsis")
    automatic = [item for item in everything if item.how == "auto"]
    reached = sum(item.points for item in items if item.status == "done")
    of = sum(item.points for item in items)
    rest_of_all = sum(item.points for item in everything) - sum(item.points for item in automatic)
    console.print()
    console.print(Text(f"In reach: {reached:g} of {of:g} points", style="bold"), end="")
    console.print(" marked by tests." if len(items) == len(automatic) else " of what was checked here.")
    console.print(
        "These tests are previews: they come close to those that mark your work, but the points come from "
        f"the grader, which has its own. {rest_of_all:g} more points are for your figures and answers in "
        "report.ipynb."
    )


def chosen(everything: Sequence[Item], question: str) -> list[Item]:
    """The items of a question that have tests.

    Raises:
        ValueError: there are none; the message says which questions have some.
    """
    question = question.strip().lower().removeprefix("q").rstrip(".")
    found = [item for item in everything if not question or f"{item.id}.".startswith(f"{question}.")]
    with_tests = [item for item in found if item.how == "auto"]
    if with_tests:
        return with_tests
    if found:
        raise ValueError(f"Question {question} has no tests: its answer goes into report.ipynb.")
    questions = dict.fromkeys(".".join(item.id.split(".")[:2]) for item in everything if item.how == "auto")
    raise ValueError(
        f"There is no question {question}. Questions with tests: {', '.join(questions)}; or one item of "
        "them, such as 1.7.kld."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = argparse.ArgumentParser(prog="check.py", description="Run the public tests.")
    parser.add_argument("question", nargs="?", default="", help="such as 1.7, 1.7.kld or 2 (default: all)")
    parser.add_argument("--watch", action="store_true", help="run them again on every save")
    parser.add_argument("--spare", action="store_true", help=argparse.SUPPRESS)  # see watch.py
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    everything = read_items()
    try:
        items = chosen(everything, options.question)
    except ValueError as error:
        console.print(str(error), style="red")
        return 2
    if options.watch:
        watch.watch(options.question)
        console.print()
        console.show_cursor()  # a run that was ended in the middle has hidden it
        return 0
    save = watch.Save() if options.spare else None
    if save is not None:
        console = Console(highlight=False, file=save.output)
    columns = (TextColumn("{task.description:50}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    notes = Notes(items, progress, save)
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", f"--rootdir={HERE}"]
    with contextlib.nullcontext() if options.spare else progress:
        status = pytest.main([*quiet, "-c", str(HERE / "pytest.ini"), *(str(i.file) for i in items)], [notes])
    notes.wait()  # where there was nothing to collect
    progress.stop()
    if status == pytest.ExitCode.INTERRUPTED and not notes.broken:
        console.print("Interrupted.")
        return 130
    if notes.broken or status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        console.print(Text(notes.broken or f"pytest ended with status {status}", style="red"))
        console.print(
            "The tests themselves could not be run. Unpack the folder tests/ of the exercise again."
        )
        return 2
    unlike = unlike_the_grader()
    show(console, items, everything, unlike)
    if options.spare:
        console.print(Text(watch.WAITING, style="dim"))
    return 0 if all(item.status == "done" for item in items) and not unlike else 1


if __name__ == "__main__":
    sys.exit(main())

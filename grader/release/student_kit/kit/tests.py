"""The public tests as they run: what becomes of each, and the items they belong to."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.progress import Progress
from rich.text import Text

from kit import watch

HERE = Path(__file__).resolve().parents[1]
TESTS = HERE / "tests"
PARTS = ("part1", "part2")
NUMBERS = re.compile(r"\[[-\d., ]*\]|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?%?")
MEANING = "What that means: "  # how a note begins that tests/conftest.py puts beneath an error
STYLES = {"done": "green", "wrong": "bold red", "to do": "yellow"}


@dataclass
class Failure:
    """A test that did not pass.

    Attributes:
        test: what it tests, in words.
        message: what was expected, and what came.
        hint: what to look at.
        meaning: what an error of PyTorch's means, in a sentence.
        places: lines of your code on the way to the failure, the last one nearest to it.
        printed: what your code printed meanwhile.
        not_written: what is still a stub, or nothing.
    """

    test: str
    message: str
    hint: str = ""
    meaning: str = ""
    places: list[str] = field(default_factory=list)
    printed: str = ""
    not_written: str = ""

    @property
    def cause(self) -> str:
        """Equal for failures of one cause: the message without its numbers, or what is not written."""
        return self.not_written or NUMBERS.sub("#", self.message.splitlines()[0])


@dataclass
class Item:
    """One item of the exercise with the results of its tests; `how` it is marked is `auto` for tests."""

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
        """Take message and place of a failure, a test's first one, while the exception is at hand."""
        report = yield
        if call.excinfo is not None and report.failed and self._failure is None:
            self._failure = failure_of(item, call.excinfo, report)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count."""
        if type(report) is not pytest.TestReport:
            return  # a part of a test, by `subtests` or unittest's subTest; the test's own report comes last
        item = self.items[Path(report.nodeid.partition("::")[0]).stem]
        if self._failure is not None:  # not report.failed: after a failed subTest the test's own says passed
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
    notes = [str(note) for note in getattr(excinfo.value, "__notes__", ())]
    return Failure(
        in_words(test.name),
        "\n".join(message),
        "\n".join(hint),
        "\n".join(note.removeprefix(MEANING) for note in notes if note.startswith(MEANING)),
        places,
        report.capstdout,
        {name: str(value) for name, value in report.user_properties}.get("not written", ""),
    )

"""The suites are collected once; nothing of one submission is left for the next."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from grader.box.budget import Budget
from grader.marking.collected import CollectedSuites
from grader.marking.plugin import MarkingPlugin
from grader.rubric import load_rubric
from grader.suites.context import CONTEXT, Context


class Nothing:
    """A box that no test of these asks for a session."""

    def __call__(self) -> Any:
        raise AssertionError("no session was needed")


class Notes:
    """A plugin that keeps which tests came to which end, and answers for the tests themselves."""

    def __init__(self, do: Callable[[pytest.Item], None] = lambda test: None) -> None:
        self.done: list[str] = []
        self.do = do

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        self.do(pyfuncitem)
        return True

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if call.when == "call":
            self.done.append(item.name)


def context(name: str) -> Context:
    return Context(name, {}, Nothing(), 1, "digits", Budget(10.0))


def first(count: int) -> Callable[[list[pytest.Item]], list[pytest.Item]]:
    return lambda tests: tests[:count]


@pytest.fixture(scope="module")
def suites() -> Iterator[CollectedSuites]:
    suites = CollectedSuites()
    yield suites
    suites.close()


def test_the_same_tests_run_for_one_submission_after_another(suites: CollectedSuites) -> None:
    seen = []
    for name in ("ada", "bob"):
        notes = Notes(lambda test: seen.append(test.config.stash[CONTEXT].name))
        suites.run(context(name), notes, first(3))
        assert len(notes.done) == 3
    assert seen == ["ada"] * 3 + ["bob"] * 3


def test_a_plugin_hears_of_its_own_submission_only(suites: CollectedSuites) -> None:
    one, other = Notes(), Notes()
    suites.run(context("ada"), one, first(2))
    suites.run(context("bob"), other, first(1))
    assert (len(one.done), len(other.done)) == (2, 1)


def test_fixtures_of_the_session_are_those_of_one_submission(suites: CollectedSuites) -> None:
    parts = []

    def look(test: pytest.Item) -> None:
        request = test._request  # type: ignore[attr-defined]
        parts.append(request.getfixturevalue("_parts"))

    suites.run(context("ada"), Notes(look), first(2))
    suites.run(context("bob"), Notes(look), first(1))
    assert parts[0] is parts[1]
    assert parts[2] is not parts[0]


def reports() -> list[pytest.TestReport]:
    """All that there are in this process, those of the tests around these among them."""
    gc.collect()
    return [thing for thing in gc.get_objects() if type(thing) is pytest.TestReport]


def test_nothing_piles_up(suites: CollectedSuites) -> None:
    """But the reports of the last test: of its setup, its call and its teardown."""

    def fail(test: pytest.Item) -> None:
        raise ValueError("wrong")

    before = reports()  # held, so that none of them gives its id to a new one
    known = set(map(id, before))
    for _ in range(3):
        suites.run(context("ada"), Notes(fail), first(5))
    kept = [report.nodeid for report in reports() if id(report) not in known]
    assert len(kept) <= 3, f"{len(kept)} reports are kept: {kept}"


def test_an_error_of_pytest_itself_is_raised_and_leaves_no_context(suites: CollectedSuites) -> None:
    def choose(tests: list[pytest.Item]) -> list[pytest.Item]:
        raise pytest.UsageError("no such item")

    with pytest.raises(pytest.UsageError):
        suites.run(context("ada"), SimpleNamespace(), choose)
    notes = Notes()
    suites.run(context("bob"), notes, first(1))
    assert len(notes.done) == 1


def test_a_check_that_counts_in_parts_is_refused(
    suites: CollectedSuites, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In pytest 9.2 a test whose subtests failed has a report of its own that says passed.
    plugin = MarkingPlugin(context("ada"), load_rubric())

    def choose(tests: list[pytest.Item]) -> list[pytest.Item]:
        assert len(plugin.choose(tests)) > 80
        monkeypatch.setattr(tests[3], "fixturenames", [*tests[3].fixturenames, "subtests"])
        return plugin.choose(tests)

    with pytest.raises(pytest.UsageError, match=r"a check passes or fails as a whole: no subtests"):
        suites.run(context("ada"), SimpleNamespace(), choose)

"""The pytest plugin that turns hidden tests into checks, and checks into points.

A test is a check of the item that its module names, `pytestmark = pytest.mark.item("1.7.kld")`; what it
costs to fail it stands in prices.toml.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from grader.box.errors import SYNTAX_ERRORS, BoxError, StudentError
from grader.marking import result
from grader.marking.cause import Cause, without_numbers
from grader.marking.prices import LEAST, Price, load_prices, lost_share
from grader.marking.result import CheckResult, ItemResult, Status
from grader.rubric import Item, Rubric
from grader.suites.context import Context
from grader.suites.expect import CheckFailed
from grader.suites.severity import SLIP
from grader.text import one_line

# What the session's stand-in for torch.distributions raises, see box/inside/forbidden.py.
FORBIDDEN = "ForbiddenError"
VIOLATION = "uses torch.distributions, which the assignment forbids"
WAIVES_DISTRIBUTIONS = "--allow-distributions waives this"
LACKS = "asks for the device {device}, which the grader does not have"
WAIVES_DEVICES = "--allow-devices waives this"
RAISED_HINT = "run the same call on small tensors of your own and look at what it returns"
# What a suite runs into when a value is not what it takes it for.
SURPRISES = (AttributeError, TypeError, ValueError, LookupError, ArithmeticError, RuntimeError)
MESSAGE_LENGTH = 600
MEMORY_ERRORS = ("MemoryError", "OutOfMemoryError")
STUB_HINT = "fill in the part that raises NotImplementedError"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


NEWER = "{file} is written for Python {needed}; the grader runs {grader}"
NEWER_HINT = (
    "this is syntax of Python {needed}, and the grader runs {grader}: write the line as Python {grader} "
    "reads it; a person looks at this before it counts"
)


class NotSubmitted(Exception):
    """The item's files were not handed in."""

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(" and ".join(files))
        self.first = files[0]


def shown(text: str) -> str:
    """A message on one line without control characters, whatever names of the student's are in it."""
    return one_line(text, MESSAGE_LENGTH)


def item_id(test: pytest.Item) -> str:
    """The rubric item that a test belongs to.

    Raises:
        pytest.UsageError: the test names none.
    """
    marker = test.get_closest_marker("item")
    if marker is None:
        raise pytest.UsageError(f"{test.nodeid} does not name its item")
    return str(marker.args[0])


def check_name(test: pytest.Item) -> str:
    """What a check is called in results and in the list of prices."""
    return test.name.removeprefix("test_")


def _severity(price: Price, call: pytest.CallInfo[None]) -> str:
    """How bad it is that a check ended this way; of one that passed, how bad it would have been."""
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, CheckFailed):
        return error.severity or price.fails
    if isinstance(error, StudentError):
        return SLIP if error.device else price.raises
    return price.fails


class MarkingPlugin:
    """Collects the outcome of every check of one submission."""

    def __init__(self, context: Context, rubric: Rubric, items: frozenset[str] | None = None) -> None:
        self.context = context
        self.rubric = rubric
        self.checks: dict[str, list[CheckResult]] = {
            item.id: [] for item in rubric.automatic if items is None or item.id in items
        }
        self.faults: list[str] = []
        self.reviews: dict[str, str] = {}

    def choose(self, tests: list[pytest.Item]) -> list[pytest.Item]:
        """The tests to run, in order.

        Raises:
            pytest.UsageError: a test names no automatic item, has no price, or counts in parts.
        """
        automatic = {item.id for item in self.rubric.automatic}
        for test in tests:
            if item_id(test) not in automatic:
                raise pytest.UsageError(f"{test.nodeid}: the rubric has no automatic item {item_id(test)!r}")
            if (item_id(test), check_name(test)) not in load_prices():
                raise pytest.UsageError(f"{test.nodeid}: prices.toml has no price for {check_name(test)!r}")
            # pytest 9.2 reports a test as passed whose subtests failed: the item would keep its points.
            if "subtests" in getattr(test, "fixturenames", ()):
                raise pytest.UsageError(f"{test.nodeid}: a check passes or fails as a whole: no subtests")
        return [test for test in tests if item_id(test) in self.checks]

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        missing = [name for name in self.rubric[item_id(item)].files if name not in self.context.files]
        if missing:
            raise NotSubmitted(missing)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "call" or (call.excinfo is not None and call.when in ("setup", "teardown")):
            self._record(item, call)
        return report

    def _record(self, test: pytest.Item, call: pytest.CallInfo[None]) -> None:
        status, message, hint, cause = self._judge(test, call)
        name = check_name(test)
        severity = _severity(load_prices()[item_id(test), name], call)
        checks = self.checks[item_id(test)]
        if checks and checks[-1].name == name:
            if call.when == "teardown" and status != result.GRADER_ERROR:
                return  # closing a session that the student's code has already broken
            checks.pop()
        failed = status == result.FAILED
        checks.append(
            CheckResult(name, status, LEAST[severity], message, hint, severity if failed else "", cause)
        )

    def _judge(self, test: pytest.Item, call: pytest.CallInfo[None]) -> tuple[Status, str, str, Cause | None]:
        error = call.excinfo.value if call.excinfo is not None else None
        if error is None:
            return result.PASSED, "", "", None
        if isinstance(error, CheckFailed):
            message = shown(error.message)
            cause = Cause("value", detail=shown(error.mistake), form=without_numbers(message))
            return result.FAILED, message, shown(error.hint), cause
        if isinstance(error, StudentError):
            cause = cause_of(error)
            if error.kind == "not_implemented":
                return result.NOT_IMPLEMENTED, str(error), error.hint or STUB_HINT, cause
            if error.exception == FORBIDDEN:
                self._breaks(test, VIOLATION, WAIVES_DISTRIBUTIONS)
            if error.device:
                self._breaks(test, LACKS.format(device=error.device), WAIVES_DEVICES)
            if error.exception in SYNTAX_ERRORS and error.file in self.context.files:
                version = self.context.required_python(error.file)
                if version is not None:
                    grader = _dotted(self.context.python)
                    hint = NEWER_HINT.format(grader=grader, needed=_dotted(version))
                    reason = NEWER.format(file=error.file, grader=grader, needed=_dotted(version))
                    self.reviews.setdefault(item_id(test), reason)
                    return result.FAILED, shown(str(error)), hint, cause
            return result.FAILED, shown(str(error)), error.hint or RAISED_HINT, cause
        if isinstance(error, NotSubmitted):
            message = f"{error} was not handed in"
            cause = Cause("not_submitted", call=error.first, form=message)
            return result.NOT_SUBMITTED, message, "hand in the file under this name", cause
        if isinstance(error, KeyboardInterrupt | SystemExit | pytest.exit.Exception):
            raise error
        kind = "the box" if isinstance(error, BoxError) else type(error).__name__
        text = one_line(str(error), 200)
        place = call.excinfo.traceback[-1] if call.excinfo is not None else None
        where = f" ({Path(place.path).name}, line {place.lineno + 1})" if place is not None else ""
        if isinstance(error, SURPRISES):
            # The suites are tried on many right and wrong submissions; what trips one is most likely a value
            # that nobody has returned before. A person is told, since it could be the suite after all.
            self.faults.append(f"look at {test.name} by hand: it was surprised by {kind}: {text}{where}")
            message = "the code returned something that cannot be used here"
            cause = Cause("surprise", exception=type(error).__name__, form=message, general_hint=True)
            return result.FAILED, message, RAISED_HINT, cause
        self.faults.append(f"{test.name}: {kind}: {text}{where}")
        return result.GRADER_ERROR, f"the grader failed: {kind}: {text}", "grade this submission again", None

    def _breaks(self, test: pytest.Item, rule: str, waiver: str) -> None:
        text = f"{item_id(test)}: {rule}"
        self.context.violations[text] = f"{text} ({waiver})"


def cause_of(error: StudentError) -> Cause:
    """The cause of a check that ended with an error of the student's code."""
    kind: Any = error.kind
    if error.device:
        kind = "device"
    elif kind == "raised" and ran_out_of_memory(error):
        kind = "memory"
    elif kind == "raised" and error.importing:
        kind = "import"
    return Cause(
        kind,
        call=shown(error.call),
        exception=error.exception,
        file=error.file,
        line=error.line,
        detail=shown(error.detail),
        form=_form(error),
        device=error.device,
        general_hint=not error.hint and kind != "not_implemented",
    )


def ran_out_of_memory(error: StudentError) -> bool:
    """Whether an exception says that there is no more memory: Python's own, or that of torch's allocator."""
    return error.exception in MEMORY_ERRORS or "can't allocate memory" in error.detail


def _form(error: StudentError) -> str:
    """The message without its numbers, but for those of the place: two lines are two mistakes."""
    if error.kind == "not_implemented":
        return shown(str(error))
    message, place = shown(str(error)), f" ({error.file}, line {error.line})" if error.frames else ""
    return without_numbers(message.removesuffix(place)) + place


def score(item: Item, checks: Iterable[CheckResult], review: str = "") -> ItemResult:
    """An item's points by the price of what failed, and its outcome.

    An item without checks is the grader's fault: nothing was looked at.
    """
    checks = tuple(checks)
    statuses = {check.status for check in checks}
    if not checks:
        return ItemResult(item.id, 0.0, item.points, result.GRADER_ERROR, checks)
    points = round(item.points * (1 - lost_share(checks, item.id)), 2)
    status: Status
    if result.GRADER_ERROR in statuses:
        status = result.GRADER_ERROR
    elif statuses == {result.PASSED}:
        status = result.PASSED
    elif result.PASSED in statuses:
        status = result.PARTIAL
    elif result.NOT_SUBMITTED in statuses:
        status = result.NOT_SUBMITTED
    elif result.NOT_IMPLEMENTED in statuses:
        status = result.NOT_IMPLEMENTED
    else:
        status = result.FAILED
    return ItemResult(item.id, points, item.points, status, checks, review)


def score_all(
    rubric: Rubric, checks: Mapping[str, list[CheckResult]], reviews: Mapping[str, str]
) -> tuple[ItemResult, ...]:
    """The result of every automatic item that was marked, in the rubric's order.

    Args:
        rubric: the items.
        checks: by item.
        reviews: why a person has to look at an item, by item.
    """
    return tuple(
        score(item, checks[item.id], reviews.get(item.id, ""))
        for item in rubric.automatic
        if item.id in checks
    )

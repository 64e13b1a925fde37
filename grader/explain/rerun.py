"""Run one check of one submission again as it was, and keep all that it asked, got and compared."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import pytest
import torch

from grader.box.budget import KEPT_BYTES, Budget
from grader.explain.original import Original
from grader.explain.transcript import Transcript
from grader.limits import SUBMISSION_SECONDS
from grader.marking.collected import CollectedSuites
from grader.marking.marker import Marker
from grader.marking.plugin import MarkingPlugin, check_name, item_id
from grader.marking.result import PASSED, CheckResult
from grader.rubric import load_rubric
from grader.suites import measures, pictures, statistics
from grader.suites.context import Context
from grader.suites.pictures import Shown


@dataclass(frozen=True)
class Statistic:
    """A figure that was compared with a limit.

    Attributes:
        measure: its name, value and limit.
        sample: the values that it was computed from, flat, where there are such; at most `MOST_SAMPLED`.
    """

    measure: measures.Measure
    sample: torch.Tensor | None = None


@dataclass
class Rerun:
    """What a check did this time.

    Attributes:
        check: its outcome, as results have it.
        error: the exception that ended it; None where it passed.
        transcript: what it asked of the student's code.
        statistics: what it compared with limits, in order.
        shown: pictures and curves that it made.
        same: whether it ended as in the results.
    """

    check: CheckResult
    transcript: Transcript
    error: BaseException | None = None
    statistics: list[Statistic] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    same: bool = True


MOST_SAMPLED = 200_000


class _Listener(MarkingPlugin):
    """Runs the chosen checks only, and writes down the one that is asked for."""

    def __init__(self, context: Context, original: Original, name: str, whole: bool) -> None:
        items = frozenset(item.id for item in load_rubric().automatic)
        super().__init__(context, load_rubric(), items)
        self.original, self.name, self.whole = original, name, whole
        self.transcript = Transcript()
        self.error: BaseException | None = None
        self.statistics: list[Statistic] = []
        self.shown: list[Shown] = []

    def choose(self, tests: list[pytest.Item]) -> list[pytest.Item]:
        tests = super().choose(tests)
        (last,) = (place for place, test in enumerate(tests) if self._is_asked_for(test))
        part = tests[last].path.parent
        before = [test for test in tests[:last] if test.path.parent == part]
        if self.whole:
            return [*before, tests[last]]
        # A check that was not the first in its session is tried again alone where it fails. So the one before
        # it, which left the session open, runs, too: all else about the two is their own.
        alone = not before or self._outcome(before[-1]) != PASSED
        return [tests[last]] if alone else [before[-1], tests[last]]

    def _is_asked_for(self, test: pytest.Item) -> bool:
        return item_id(test) == self.original.item.id and check_name(test) == self.name

    def _outcome(self, test: pytest.Item) -> str:
        for item in self.original.result.items:
            for check in item.checks:
                if (item.id, check.name) == (item_id(test), check_name(test)):
                    return check.status
        return ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        if not self._is_asked_for(item):
            return (yield)
        self.transcript.clear()
        pictures.drain()
        note = statistics.note

        def noted(name: str, value: float, limit: float) -> float:
            import inspect

            frame = inspect.currentframe()
            own = frame.f_back.f_locals if frame is not None and frame.f_back is not None else {}
            flat = own.get("flat")
            sample = flat[:MOST_SAMPLED].clone() if isinstance(flat, torch.Tensor) else None
            self.statistics.append(Statistic(measures.Measure(name, float(value), float(limit)), sample))
            return note(name, value, limit)

        measures.drain()
        statistics.note = noted
        try:
            return (yield)
        except BaseException as error:
            self.error = error
            raise
        finally:
            statistics.note = note
            heard = {one.measure.name for one in self.statistics}
            self.statistics += [Statistic(one) for one in measures.drain() if one.name not in heard]
            self.shown = pictures.drain()


class Reruns:
    """Holds a warm box and runs checks of one submission again.

    Args:
        original: the result that is looked at.
    """

    def __init__(self, original: Original) -> None:
        self.original = original
        self._marker = Marker(original.options)
        torch.set_num_threads(1)  # as the marker does: sums in another order differ in their last digits
        self._suites: CollectedSuites | None = None

    def run(self, name: str) -> Rerun:
        """Run a check again; with all that came before it, where it ends otherwise without.

        Raises:
            BoxError: the box does not start.
        """
        found = self._run(name, whole=False)
        if not found.same:
            again = self._run(name, whole=True)
            found = again if again.same else found
        return found

    def _run(self, name: str, whole: bool) -> Rerun:
        original = self.original
        self._marker.box()
        self._suites = self._suites or CollectedSuites()
        context = Context(
            original.submission.name,
            original.submission.files,
            self._marker.box,
            original.options.seed,
            original.options.data,
            allow_devices=original.options.allow_devices,
            devices=[] if whole else list(_devices_before(original, name)),
            budget=_budget(original, name),
        )
        listener = _Listener(context, original, name, whole)
        with listener.transcript.listening():
            self._suites.run(context, listener, listener.choose)
        (check,) = (one for one in listener.checks[original.item.id] if one.name == name)
        before = next(one for one in original.item.checks if one.name == name)
        same = (check.status, check.message) == (before.status, before.message)
        return Rerun(check, listener.transcript, listener.error, listener.statistics, listener.shown, same)

    def close(self) -> None:
        """End the box and everything in it."""
        if self._suites is not None:
            self._suites.close()
        self._marker.close()


def _budget(original: Original, name: str) -> Budget:
    """As when it was marked; but what a check has let go of is still held here, by the transcript."""
    (check,) = (one for one in original.item.checks if one.name == name)
    held_too_much = check.cause is not None and check.cause.kind == "unusable"
    return Budget(SUBMISSION_SECONDS, KEPT_BYTES if held_too_much else math.inf)


def _devices_before(original: Original, name: str) -> Sequence[str]:
    """The device that an earlier check had asked for in vain: from there on all stayed on the CPU."""
    for item in original.result.items:
        for check in item.checks:
            if (item.id, check.name) == (original.item.id, name):
                return ()
            if check.cause is not None and check.cause.device:
                return (check.cause.device,)
    return ()

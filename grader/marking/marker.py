"""Mark one submission after another with one warm box."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from grader.box.errors import BoxError
from grader.box.interpreter import box_python
from grader.box.launcher import Box
from grader.box.unprotected import UnprotectedBox
from grader.marking.result import GRADER_ERROR, CheckResult, Note, SubmissionResult
from grader.rubric import load_rubric
from grader.text import one_line

if TYPE_CHECKING:
    from grader.box.launcher import Box
    from grader.marking.collected import CollectedSuites
    from grader.marking.plugin import MarkingPlugin
    from grader.submission import Submission
    from grader.suites.context import Context
    from grader.suites.pictures import Shown

PACKAGE = Path(__file__).parent.parent
# What decides a verdict. A result is only comparable with another of the same digest.
VERDICT_SOURCES = ("suites", "box", "marking", "rubric.toml", "data.py", "limits.py", "text.py")
DISTRIBUTIONS = "torch.distributions"
DEVICES = "devices written into the code"
AGAIN = "grade this submission again"


@dataclass(frozen=True)
class MarkingOptions:
    """What a run decides once for all submissions.

    Attributes:
        seed: the run's secret; all inputs and random draws derive from it.
        data: `digits` (embedded) or `mnist`.
        sandbox: False runs the code unprotected (an instructor's own code on a laptop).
        allow_distributions: waive the rule against torch.distributions.
        allow_devices: code that asks for a device that is not there is run on the CPU without a deduction.
    """

    seed: int
    data: str = "digits"
    sandbox: bool = True
    allow_distributions: bool = False
    allow_devices: bool = False

    @property
    def waived(self) -> tuple[str, ...]:
        """What the assignment forbids and this run allows, as the results record it."""
        rules = {DISTRIBUTIONS: self.allow_distributions, DEVICES: self.allow_devices}
        return tuple(rule for rule, waived in rules.items() if waived)


@cache
def suite_digest() -> str:
    """SHA-256 over everything that decides a verdict."""
    digest = hashlib.sha256()
    for name in VERDICT_SOURCES:
        source = PACKAGE / name
        files = [source] if source.is_file() else sorted((*source.rglob("*.py"), *source.rglob("*.toml")))
        for file in files:
            digest.update(f"{file.relative_to(PACKAGE)}\0".encode() + file.read_bytes() + b"\0")
    return f"sha256:{digest.hexdigest()}"


class Marker:
    """Holds a warm box and marks submissions with it, one at a time. Not thread-safe.

    Args:
        options: how to mark.
        start_on: the CPUs that a box may use while it starts, where this process keeps to fewer.
    """

    def __init__(self, options: MarkingOptions, start_on: Collection[int] = ()) -> None:
        self.options = options
        self._start_on = start_on
        self._box: Box | None = None
        self._suites: CollectedSuites | None = None
        self.shown: list[Shown] = []  # what the models of the submission that was marked last have made

    def start(self) -> None:
        """Load what marking needs while the box loads what students' code needs: either takes seconds.

        Raises:
            BoxError: the box does not start.
        """
        box = self._living_box(wait=False)
        with contextlib.suppress(Exception):  # what is wrong with the suites, `mark` says of each submission
            self._suites = self._suites or self._collected()
        box.wait()

    @staticmethod
    def _collected() -> CollectedSuites:
        # Not at once: they load torch and pytest, 1.8 s, and the command line has nothing to do with them.
        import torch

        from grader.marking.collected import CollectedSuites  # not at once, either

        torch.set_num_threads(1)
        return CollectedSuites()

    def box(self) -> Box:
        """The warm box; a new one where there is none yet or the last one broke down."""
        return self._living_box(wait=True)

    def _living_box(self, wait: bool) -> Box:
        if self._box is not None and not self._box.alive():
            self._box.close()
            self._box = None
        if self._box is None:
            kind = Box if self.options.sandbox else UnprotectedBox
            self._box = kind(self.options.allow_distributions, wait, self._start_on)
        return self._box

    def mark(self, submission: Submission, items: frozenset[str] | None = None) -> SubmissionResult:
        """Run the hidden suites on a submission. Never raises for what a student did.

        Args:
            submission: what was handed in.
            items: mark only these; the result lists no others. None marks all.
        """
        from grader.marking.plugin import MarkingPlugin  # not at once, as in `_collected`
        from grader.suites import pictures
        from grader.suites.context import Context

        pictures.drain()
        started = time.monotonic()
        rubric = load_rubric()
        context = Context(
            submission.name,
            submission.files,
            self.box,
            self.options.seed,
            self.options.data,
            allow_devices=self.options.allow_devices,
        )
        plugin = MarkingPlugin(context, rubric, items)
        self.shown = []
        try:
            self.box()
        except BoxError as error:  # said once, instead of by every check
            for checks in plugin.checks.values():
                checks.append(CheckResult("box_started", GRADER_ERROR, 1.0, str(error), AGAIN))
            return self._result(submission, context, plugin, started)
        try:
            self._suites = self._suites or self._collected()
            self._suites.run(context, plugin, plugin.choose)
        except Exception as error:  # pytest itself, or the suites as a whole
            plugin.faults.append(one_line(f"pytest ended with {type(error).__name__}: {error}", 300))
            for checks in plugin.checks.values():
                checks.append(
                    CheckResult("suite_ran", GRADER_ERROR, 1.0, "the hidden suite did not run", AGAIN)
                )
            self._end_suites()
        except BaseException:
            self._end_suites()
            raise
        self.shown = pictures.drain()
        return self._result(submission, context, plugin, started)

    def _result(
        self, submission: Submission, context: Context, plugin: MarkingPlugin, started: float
    ) -> SubmissionResult:
        from grader.marking.plugin import score_all  # not at once: it loads torch and pytest

        return SubmissionResult(
            submission=submission.name,
            seed=self.options.seed,
            suite=suite_digest(),
            sandbox="bwrap" if self.options.sandbox else "none",
            waived=self.options.waived,
            python=box_python().dotted,
            code=f"sha256:{context.code}",
            seconds=time.monotonic() - started,
            items=score_all(plugin.rubric, plugin.checks, plugin.reviews),
            violations=tuple(context.violations.values()),
            warnings=(*submission.warnings, *plugin.faults),
            notes=(
                *(Note(line, kind="rule") for line in context.violations),
                *map(Note, submission.warnings),
                *(Note(line, "staff", "grader") for line in plugin.faults),
            ),
        )

    def _end_suites(self) -> None:
        """Collect the suites anew the next time."""
        if self._suites is not None:
            self._suites.close()
            self._suites = None

    def close(self) -> None:
        """End the box and everything in it."""
        self._end_suites()
        if self._box is not None:
            self._box.close()
            self._box = None

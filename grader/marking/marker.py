"""Mark one submission after another with one warm box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.marking.result import SubmissionResult
    from grader.submission import Submission


@dataclass(frozen=True)
class MarkingOptions:
    """What a run decides once for all submissions.

    Attributes:
        seed: the run's secret; all inputs and random draws derive from it.
        data: `digits` (embedded) or `mnist`.
        sandbox: False runs the code unprotected (an instructor's own code on a laptop).
    """

    seed: int
    data: str = "digits"
    sandbox: bool = True


class Marker:
    """Holds a warm box and marks submissions with it, one at a time. Not thread-safe."""

    def __init__(self, options: MarkingOptions) -> None:
        self.options = options

    def mark(self, submission: Submission) -> SubmissionResult:
        """Run the hidden suites on a submission. Never raises for what a student did."""
        raise NotImplementedError

    def close(self) -> None:
        """End the box and everything in it."""

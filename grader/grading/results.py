"""What came of a marking run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.errors import FAULT, INTERRUPTED
from grader.marking.result import SubmissionResult


@dataclass(frozen=True)
class Results:
    """The results of a run that are on the disk, also where it did not finish.

    Attributes:
        output: the folder of results.
        seed: the seed of the run.
        seed_given: whether the options named it.
        submissions: the results, in the order of the submissions.
        reused: the names of those that were taken over from an earlier run.
        left_out: the names of what was handed in and is no submission.
        interrupted: whether somebody stopped the run before everything was marked.
        fault: what kept the run from finishing, in one line; empty where it did finish.
        page: the cohort's page, where pages were written.
        unreadable: a line for every result in the folder that cannot be read and so has no page.
    """

    output: Path
    seed: int
    seed_given: bool
    submissions: tuple[SubmissionResult, ...] = ()
    reused: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()
    interrupted: bool = False
    fault: str = ""
    page: Path | None = None
    unreadable: tuple[str, ...] = ()

    @property
    def marked(self) -> tuple[str, ...]:
        """The submissions that were marked in this run."""
        return tuple(
            one.submission for one in self.submissions if one.marked and one.submission not in self.reused
        )

    @property
    def kept(self) -> tuple[str, ...]:
        """The submissions whose result of an earlier run still holds."""
        return tuple(one.submission for one in self.submissions if one.submission in self.reused)

    @property
    def failed(self) -> tuple[str, ...]:
        """The submissions that the grader failed to mark, at least in part."""
        return tuple(one.submission for one in self.submissions if not one.marked)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The submissions of which a person has to look at an item; they are marked or kept too."""
        return tuple(one.submission for one in self.submissions if one.reviews)

    @property
    def status(self) -> int:
        """The exit status of a command that made this run."""
        if self.interrupted:
            return INTERRUPTED
        return FAULT if self.fault or self.failed or self.unreadable else 0

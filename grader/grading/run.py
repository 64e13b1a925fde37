"""A whole marking run, from the files that were handed in to the pages.

Nothing is printed here. Who wants to show how a run goes on listens to it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from grader.box.interpreter import box_python
from grader.engine import (
    Event,
    Finished,
    MarkerFactory,
    Provenance,
    Workers,
    environment_digest,
    folder_seed,
    grade_into,
    interrupted_seed,
    prepare_output,
)
from grader.engine.cluster import ClusterWorkers, connect, refuse_open
from grader.engine.guard import guarded_marker
from grader.engine.slurm import slurm_workers
from grader.errors import GraderFault
from grader.grading.environment import check_environment
from grader.grading.options import DEFAULT_JOBS, GradingOptions
from grader.grading.results import Results
from grader.machine.capacity import JOB_BYTES, capacity
from grader.marking.marker import MarkingOptions, suite_digest
from grader.marking.result import SubmissionResult
from grader.submission import find_submissions


class SeedFrom(Enum):
    """Where a run's seed comes from."""

    OPTIONS = "options"
    NEW = "new"
    LAST_RUN = "last run"
    INTERRUPTED_RUN = "interrupted run"


@dataclass(frozen=True)
class Start:
    """What is known when marking begins.

    Attributes:
        total: how many submissions there are.
        seed: the run's seed.
        seed_from: where it comes from.
    """

    total: int
    seed: int
    seed_from: SeedFrom


class Listener:
    """Is told how a run goes on. This one does nothing."""

    def found(self, warnings: Sequence[str]) -> None:
        """The submissions have been found; a line for everything that looks odd."""

    def started(self, start: Start) -> None:
        """Marking begins."""

    def marking(self) -> AbstractContextManager[None]:
        """A context that is open while submissions are marked."""
        return nullcontext()

    def on_event(self, event: Event) -> None:
        """A submission begins, or its result is on the disk."""

    def line(self, text: str) -> None:
        """Something about the cluster that marks."""

    def marked(self, results: Results) -> None:
        """Every submission has a result; the pages come next."""


def grade(options: GradingOptions, listener: Listener | None = None) -> Results:
    """Mark submissions: `<output>/<name>/results.json` for each, `<output>/marks.csv`, and the pages.

    Args:
        options: what to mark, and how.
        listener: is told how the run goes on.

    Returns:
        What is on the disk at the end, also where the run was interrupted or the grader failed.

    Raises:
        GraderUsageError: the run cannot begin as asked: nothing to mark, no place to write, no data.
        KeyboardInterrupt: by the user, before the first submission or while pages were written.
    """
    listener = listener or Listener()
    if options.dask is not None and not options.dask_without_tls:
        refuse_open(options.dask)
    cohort = find_submissions(options.paths, options.output)
    prepare_output(options.output)
    listener.found(cohort.warnings)
    seed, seed_from = _choose_seed(options)
    results = Results(
        options.output,
        seed,
        seed_given=seed_from is SeedFrom.OPTIONS,
        left_out=tuple(one.path.name for one in cohort.left_out),
    )
    progress = _Progress(listener)
    try:
        marking = MarkingOptions(
            seed, options.data.value, options.sandbox, options.allow_distributions, options.allow_devices
        )
        if options.dask is None and options.slurm is None:  # else every worker finds out where it is
            check_environment(marking)
        provenance = Provenance(
            seed,
            suite_digest(),
            "bwrap" if options.sandbox else "none",
            marking.waived,
            environment_digest(marking.data),
            box_python().dotted,
        )
        total = len(cohort.submissions)
        listener.started(Start(total, seed, seed_from))
        factory = partial(guarded_marker, marking, provenance)
        try:
            workers = _workers(options, factory, listener.line)
            with listener.marking():
                grade_into(
                    options.output,
                    cohort.submissions,
                    factory,
                    provenance,
                    min(_jobs(options, listener.line), total),
                    progress.on_event,
                    options.fresh,
                    workers,
                    any_seed=seed_from is not SeedFrom.OPTIONS,
                )
        except KeyboardInterrupt:
            results = replace(results, interrupted=True)
    except GraderFault as error:
        results = replace(results, fault=str(error))
    done = tuple(
        progress.results[found.name] for found in cohort.submissions if found.name in progress.results
    )
    results = replace(results, submissions=done, reused=frozenset(progress.reused))
    if results.interrupted or results.fault:
        return results
    listener.marked(results)
    return _with_pages(results) if options.pages else results


class _Progress:
    """Keeps every result that is on the disk: a run that breaks off returns them too."""

    def __init__(self, listener: Listener) -> None:
        self.results: dict[str, SubmissionResult] = {}
        self.reused: set[str] = set()
        self._listener = listener

    def on_event(self, event: Event) -> None:
        if isinstance(event, Finished):
            self.results[event.result.submission] = event.result
            if event.reused:
                self.reused.add(event.result.submission)
        self._listener.on_event(event)


def _choose_seed(options: GradingOptions) -> tuple[int, SeedFrom]:
    if options.seed is not None:
        return options.seed, SeedFrom.OPTIONS
    before = None if options.fresh else folder_seed(options.output)
    if before is None:
        return secrets.randbits(48), SeedFrom.NEW
    begun = interrupted_seed(options.output) is not None
    return before, SeedFrom.INTERRUPTED_RUN if begun else SeedFrom.LAST_RUN


def _workers(options: GradingOptions, factory: MarkerFactory, tell: Callable[[str], None]) -> Workers | None:
    """Where to mark, if not on this machine."""
    if options.slurm is not None:
        return slurm_workers(options.slurm, factory, tell)
    if options.dask is not None:
        return ClusterWorkers(connect(options.dask), factory, f"--dask {options.dask}", tell=tell)
    return None


def _jobs(options: GradingOptions, tell: Callable[[str], None]) -> int:
    """How many submissions to mark at once on this machine."""
    here = capacity()
    if options.jobs is None:
        return min(here.jobs, DEFAULT_JOBS)
    if options.jobs > max(1, here.memory // JOB_BYTES):
        whose = "its control group leaves" if here.grouped else "this machine has free"
        tell(
            f"--jobs {options.jobs}: each takes about {JOB_BYTES / 1e9:.1f} GB of memory, and {whose} "
            f"{here.memory / 1e9:.1f} GB; a job that the kernel ends for want of it is tried once more, alone"
        )
    return options.jobs


def _with_pages(results: Results) -> Results:
    """Write the pages of all results in the folder, also those of earlier runs."""
    # Here and not above: jinja2 takes 0.1 s to import, and a mistake in the options is to be told at once.
    from grader.report.pages import write_pages

    try:
        written = write_pages(results.output)
    except GraderFault as error:
        return replace(results, fault=str(error))
    return replace(results, page=written.cohort, unreadable=written.problems)

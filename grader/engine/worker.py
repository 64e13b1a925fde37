"""What a worker process does: keep one marker warm and mark the submissions that it is given.

Nothing that a student wrote runs in this process; the marker runs it in its box.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing import parent_process, util
from multiprocessing.connection import wait
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from grader.engine.cpus import keep_to
from grader.engine.memory import PeakMemory
from grader.engine.reuse import fingerprint
from grader.engine.unmarked import Provenance, unreadable
from grader.marking.result import NOT_SUBMITTED, ItemResult, Note, PictureDifference, SubmissionResult
from grader.submission import FIGURES, Found, Submission, read_found

if TYPE_CHECKING:
    from grader.report.figures import Figures


@dataclass(frozen=True)
class Drawn:
    """What a marker has drawn of a submission.

    Attributes:
        files: those that belong beside `results.json`, by name.
        differences: how far pictures are from what they should show.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    differences: tuple[PictureDifference, ...] = ()


class MarkerProtocol(Protocol):
    """What marks submissions, one at a time.

    A marker may also have a method `pictures(submission, result)`, which returns `Drawn`. It is called once
    for each submission that has been marked, with the box still warm. What it raises costs the pictures,
    never marks.
    """

    def mark(self, submission: Submission) -> SubmissionResult:
        """Mark a submission. Never raises for what a student did."""

    def close(self) -> None:
        """End everything that the marker has started."""


# A factory reaches the workers by pickling: a class, a function of a module, or a `functools.partial` of one.
MarkerFactory = Callable[[], MarkerProtocol]


class MarkerCannotStart(Exception):
    """The marker itself does not start, whatever the submission."""


@dataclass(frozen=True)
class Marked:
    """What comes back from a worker process.

    Attributes:
        result: the marks.
        fingerprint: names all that they depend on, see `reuse`.
        files: the pictures that belong beside `results.json`, by name.
        figures: those that were handed in, drawn anew, by path.
        memory_mb: the most memory that a process of its code took, in megabytes, where that is known.
    """

    result: SubmissionResult
    fingerprint: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    figures: Mapping[str, bytes] = field(default_factory=dict)
    memory_mb: float | None = None


class _State:
    """What the process keeps from one submission to the next."""

    factory: MarkerFactory | None = None
    marker: MarkerProtocol | None = None
    closing: bool = False
    ending: int | None = None  # the status to end with, once the marker has closed


def start_worker(factory: MarkerFactory, cpu: int | None) -> None:
    """Prepare a worker process. The marker starts with the first submission that needs one.

    Args:
        factory: makes the marker.
        cpu: the CPU that this process and its box keep to, or None where they may use all.
    """
    _State.factory = factory
    gc.disable()  # until the first submission is marked, see `_settle`
    if cpu is not None:
        keep_to(cpu)
    # The parent decides when to stop; what the terminal sends on Ctrl-C goes to every process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held back until here by the parent
    signal.signal(signal.SIGTERM, _end_at_once)
    util.Finalize(None, close_marker, exitpriority=10)  # `atexit` does not run in these processes
    # Last of all: to take torch down takes a while, and some libraries complain of leaks when it happens.
    util.Finalize(None, os._exit, (0,), exitpriority=-1000)
    end_with_parent()
    # Lines printed by libraries would break up the parent's progress bar.
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.close(quiet)


def mark_one(task: Found | Submission, provenance: Provenance) -> Marked:
    """Read and mark one submission.

    Args:
        task: where it lies; or the submission itself, for a machine that does not share the disk.
        provenance: where the result comes from.

    Raises:
        MarkerCannotStart: no marker could be had.
        RuntimeError: the marker failed; the message says how.
    """
    started = time.monotonic()
    submission = task if isinstance(task, Submission) else read_found(task, shown=FIGURES)
    digest = fingerprint(submission, provenance)
    if submission.error:
        return Marked(unreadable(submission, provenance, time.monotonic() - started), digest)
    result, memory = _mark(submission)
    if not result.marked:
        # The box has broken down, most likely. Once more, with everything new.
        close_marker()
        result, memory = _mark(submission)
    drawn = _pictures(submission, result)
    figures = _figures(submission, provenance)
    missing = tuple(warning for warning in submission.warnings if warning not in result.warnings)
    left_out = (*figures.refused, *figures.beyond)
    notes = (
        *map(Note, (*missing, *figures.refused)),
        *(Note(line, kind="figures") for line in figures.beyond),
    )
    result = replace(
        result,
        submission=submission.name,
        items=tuple(_with_review(item, submission.review) for item in result.items),
        warnings=(*missing, *result.warnings, *left_out),
        notes=(*result.notes, *notes),
        differences=drawn.differences,
    )
    return Marked(result, digest, drawn.files, figures.files, memory)


def _with_review(item: ItemResult, review: str) -> ItemResult:
    """An item whose files are missing waits for a person, where something else in the hand-in may be them."""
    if not review or item.review or item.status != NOT_SUBMITTED:
        return item
    return replace(item, review=review)


def _mark(submission: Submission) -> tuple[SubmissionResult, float | None]:
    marker = _marker()
    try:
        with PeakMemory() as peak:
            result = marker.mark(submission)
        _settle()
        return result, peak.megabytes
    except Exception as error:
        close_marker()  # whatever state it is in, the next submission gets a fresh one
        raise RuntimeError(_described(error)) from error


def _settle() -> None:
    """Collect garbage from now on, but not among the libraries.

    They are there to stay: to look for garbage among them takes 0.1 s of every submission, and a third of the
    time of their imports.
    """
    if not gc.isenabled():
        gc.collect()
        gc.freeze()
        gc.enable()


def _pictures(submission: Submission, result: SubmissionResult) -> Drawn:
    """The one place where anything is done for a submission after its marks are known."""
    draw = getattr(_State.marker, "pictures", None)
    if draw is None:
        return Drawn()
    try:
        drawn: Drawn = draw(submission, result)
        return drawn
    except Exception:
        close_marker()
        return Drawn()


def _figures(submission: Submission, provenance: Provenance) -> Figures:
    """The figures that were handed in. What goes wrong with them costs figures, never marks."""
    from grader.report import figures  # not at once: a worker has to be there quickly

    try:
        return figures.draw_figures(submission.shown, sandbox=provenance.sandbox != "none")
    except Exception as error:
        return figures.Figures({}, (f"the grader could not draw the figures that were handed in: {error}",))


def _marker() -> MarkerProtocol:
    if _State.marker is None:
        assert _State.factory is not None, "start_worker comes first"
        try:
            _State.marker = _State.factory()
        except Exception as error:
            raise MarkerCannotStart(_described(error)) from error
    return _State.marker


def close_marker() -> None:
    """Close the marker, if there is one. Never raises."""
    _State.closing = True
    marker, _State.marker = _State.marker, None
    if marker is not None:
        with contextlib.suppress(Exception):
            marker.close()
    _State.closing = False
    if _State.ending is not None:
        os._exit(_State.ending)


def _described(error: Exception) -> str:
    """An error as one line, with the place where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}" if str(error) else f"{type(error).__name__}{where}"


def _end_at_once(number: int, frame: FrameType | None) -> None:
    # The pool catches every exception of a task, also SystemExit: the handler has to end the process. But a
    # marker that is just being closed would be cut off, and what it has started would be left.
    _State.ending = 128 + number
    if not _State.closing:
        close_marker()


def end_with_parent() -> None:
    """Let this process have SIGTERM when its parent is gone, also when the parent was killed."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

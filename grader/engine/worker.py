"""What a worker process does: keep one marker warm and mark the submissions that it is given.

Nothing that a student wrote runs in this process; the marker runs it in its box.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import parent_process, util
from multiprocessing.connection import wait
from multiprocessing.queues import SimpleQueue
from types import FrameType
from typing import Protocol

from grader.engine.cpus import take_place
from grader.engine.unmarked import Provenance, unreadable
from grader.marking.result import SubmissionResult
from grader.submission import Found, Submission, read_submission


class MarkerProtocol(Protocol):
    """What marks submissions, one at a time."""

    def mark(self, submission: Submission) -> SubmissionResult:
        """Mark a submission. Never raises for what a student did."""

    def close(self) -> None:
        """End everything that the marker has started."""


# A factory reaches the workers by pickling: a class, a function of a module, or a `functools.partial` of one.
MarkerFactory = Callable[[], MarkerProtocol]


class MarkerCannotStart(Exception):
    """The marker itself does not start, whatever the submission."""


class _State:
    """What the process keeps from one submission to the next."""

    factory: MarkerFactory | None = None
    marker: MarkerProtocol | None = None


def start_worker(factory: MarkerFactory, places: SimpleQueue[int | None]) -> None:
    """Prepare a worker process. The marker starts with the first submission that needs one.

    Args:
        factory: makes the marker.
        places: for every worker the CPU that it keeps to, or None where it may use all.
    """
    _State.factory = factory
    take_place(places)
    # The parent decides when to stop; what the terminal sends on Ctrl-C goes to every process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held back until here by the parent
    signal.signal(signal.SIGTERM, _end_at_once)
    util.Finalize(None, close_marker, exitpriority=10)  # `atexit` does not run in these processes
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Lines printed by libraries would break up the parent's progress bar.
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.close(quiet)


def mark_one(found: Found, provenance: Provenance) -> SubmissionResult:
    """Read and mark one submission.

    Raises:
        MarkerCannotStart: no marker could be had.
        RuntimeError: the marker failed; the message says how.
    """
    started = time.monotonic()
    submission = read_submission(found.path, found.name)
    if submission.error:
        return unreadable(submission, provenance, time.monotonic() - started)
    marker = _marker()
    try:
        result = marker.mark(submission)
    except Exception as error:
        close_marker()  # whatever state it is in, the next submission gets a fresh one
        raise RuntimeError(_described(error)) from error
    missing = tuple(warning for warning in submission.warnings if warning not in result.warnings)
    return replace(result, submission=found.name, warnings=missing + tuple(result.warnings))


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
    marker, _State.marker = _State.marker, None
    if marker is not None:
        with contextlib.suppress(Exception):
            marker.close()


def _described(error: Exception) -> str:
    """An error as one line, with the place where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}" if str(error) else f"{type(error).__name__}{where}"


def _end_at_once(number: int, frame: FrameType | None) -> None:
    # The pool catches every exception of a task, also SystemExit: the handler has to end the process.
    close_marker()
    os._exit(128 + number)


def _end_with_parent() -> None:
    """End this process when its parent is gone, also when the parent was killed."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

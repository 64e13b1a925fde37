"""What the sessions of one submission share: time by the clock, memory in the box and on the grader's side.

Deadlines bound a call, and a message has a largest size; these bound a submission whose every call ends just
before its deadline, whose every session stays just below its limit, or whose every message is just small
enough.
"""

from __future__ import annotations

import gc
import math
import time
import weakref
from typing import Any, Protocol

import torch

from grader.box.errors import StudentError
from grader.box.remote import tensors_in
from grader.box.wire import MAX_PAYLOAD, Header

# Both networks of a part with 192 filters, six times the recommended width, have 31 MB of weights: with them
# the check that compares most states holds 155 MB at a time, and the one that looks most often into trainings
# that never learn receives 2.5 GB in all.
KEPT_BYTES = 250 * 10**6
RECEIVED_BYTES = 4 * 10**9
# Comparisons turn what is narrower into float32 or float64: a byte for each truth value is four soon.
NARROWEST = 4
# Beyond the template, whose memory all share. Four sessions with networks of 192 filters take 2.3 GB.
SESSIONS_BYTES = 4 * 10**9
FILES_BYTES = 64 * 2**20  # what a session may write: files in memory, which cannot be seen from outside
LOOK_SECONDS = 0.1
COLLECT_BYTES = 32 * 2**20  # what may pile up before the garbage is looked through


class Watched(Protocol):
    """A session, as far as its memory is concerned."""

    def memory(self) -> int: ...

    def give_up(self, error: StudentError) -> None: ...


class Budget:
    """The time and memory that are left to a submission.

    Args:
        seconds: by the clock, for all calls together.
        kept: bytes that a check may hold at a time.

    Attributes:
        left: seconds that are left.
    """

    def __init__(self, seconds: float, kept: float = KEPT_BYTES) -> None:
        self.left = seconds
        self._most_kept = kept
        self._sessions: weakref.WeakSet[Watched] = weakref.WeakSet()
        self._next_look = 0.0
        self._received = 0  # bytes, by this check
        self._kept = 0  # bytes, of tensors that somebody still holds
        self._settled = 0  # of these, when the garbage was last looked through

    # -- on the grader's side --------------------------------------------------------------------

    def begin_check(self) -> None:
        """From here on another check receives."""
        self._received = 0
        self._settle(0)

    def admit(self, header: Header, what: str) -> None:
        """Decide whether a message may be read.

        Args:
            header: what it announces.
            what: the call that it answers.

        Raises:
            StudentError: it is too much for one message, for all that this check receives, or for what it
                holds at a time.
        """
        size = sum(_counted(math.prod(shape), dtype) for dtype, shape, _ in header.specs)
        if size > MAX_PAYLOAD:  # of bytes or truth values: it was small enough to be sent
            raise _too_much(
                f"{what} sends {sum(math.prod(shape) for _, shape, _ in header.specs):,} numbers",
                f"all that one result may hold is {MAX_PAYLOAD // NARROWEST:,}",
            )
        self._received += size
        if self._received > RECEIVED_BYTES:
            raise _too_much(
                f"{what} sends another {_megabytes(size)}, after "
                f"{_megabytes(self._received - size)} in this check",
                f"all that a check may receive is {_megabytes(RECEIVED_BYTES)}",
            )
        self._settle(size)
        if self._kept + size > self._most_kept:
            raise _too_much(
                f"{what} sends {_megabytes(size)}, and {_megabytes(self._kept)} that were sent before are "
                "still needed",
                f"all that a check may hold at a time is {_megabytes(self._most_kept)}",
            )

    def keep(self, value: Any) -> None:
        """Count the tensors of a message until nobody holds them, or a view of them, any longer."""
        for tensor in tensors_in(value):
            size = _counted(tensor.numel(), tensor.dtype)
            self._kept += size
            weakref.finalize(tensor.untyped_storage(), self._let_go, size).atexit = False

    def _settle(self, coming: int) -> None:
        """Let go of what only the frames of an exception hold, which refer to one another."""
        self._settled = min(self._settled, self._kept)
        if self._kept + coming > min(self._settled + COLLECT_BYTES, self._most_kept):
            gc.collect()
            self._settled = self._kept

    def _let_go(self, size: int) -> None:
        self._kept -= size

    # -- in the box ------------------------------------------------------------------------------

    def opened(self, session: Watched) -> None:
        """Count a session's memory from now on."""
        self._sessions.add(session)

    def closed(self, session: Watched) -> None:
        """Count it no longer."""
        self._sessions.discard(session)

    def look(self) -> None:
        """End all sessions if they take more memory together than they may; ten times a second at most."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        sessions = list(self._sessions)
        taken = sum(session.memory() + FILES_BYTES for session in sessions)
        if taken > SESSIONS_BYTES:
            error = StudentError(
                "died",
                f"your code takes {_megabytes(taken)} of memory in {len(sessions)} "
                f"process{'es' if len(sessions) > 1 else ''}; all of them together may take "
                f"{_megabytes(SESSIONS_BYTES)}",
                "keep no images, codes or graphs from one call to the next, and make layers smaller",
            )
            for session in sessions:
                session.give_up(error)


def _too_much(came: str, limit: str) -> StudentError:
    return StudentError(
        "unusable",
        f"{came}; {limit}",
        "return only what the assignment asks for, and make layers smaller",
    )


def _counted(elements: int, dtype: torch.dtype) -> int:
    return elements * max(NARROWEST, dtype.itemsize)


def _megabytes(count: float) -> str:
    return f"{count / 10**6:,.0f} MB"

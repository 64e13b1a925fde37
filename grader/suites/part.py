"""One part of a submission as a suite sees it: its modules as attributes, in sessions of the box."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from grader.box.client import CALL_SECONDS, Call, Channels, Remote, Session
from grader.box.errors import StudentError

DRIVERS = Path(__file__).parent / "drivers"
# What runs in the box beside the student's code, on its side of the trust boundary: helpers of ours that
# replace names, run a training loop, or catch what a `main` makes. The leading underscore marks them.
HELPER_FOLDER = "_grader"
# Once a call has not ended, the other checks of its item are not tried, and after this much lost time nothing
# of the submission is: an endless loop costs its item and 20 s, a submission full of them 4 minutes.
PATIENCE = 12 * CALL_SECONDS


class Part:
    """`part1` or `part2` of one submission, in a session that is opened when first used.

    Reading an attribute imports the student's file of that name: `part.utils.KLD(mean, log_std)`.
    """

    def __init__(
        self,
        box: Callable[[], Channels],
        folder: str,
        files: dict[str, bytes],
        lost: Callable[[float], float],
    ) -> None:
        self._box = box
        self._folder = folder
        self._files = files
        self._lost = lost
        self._session: Session | None = None
        self._modules: dict[str, Remote] = {}
        self._children: list[Part] = []
        self._hung = False

    @property
    def session(self) -> Session:
        """The session, a new one where there is none or the code has wrecked the last.

        Raises:
            StudentError: the submission has used up the grader's patience.
        """
        if self._session is not None and self._session.broken:
            self.close()
        if self._session is None:
            if self._hung or self._lost(0.0) >= PATIENCE:
                raise StudentError("hung", "not tried: an earlier call did not end", "first mend what hangs")
            session = Session(self._box())
            self._session = session
            session.files(self._files)
            session.enter(HELPER_FOLDER)
            session.load("forbidden").install()
            session.enter(self._folder)
        return self._session

    @property
    def driver(self) -> Remote:
        """The grader's helpers for this part, in the box."""
        return self._module(f"{self._folder}_driver", alias="your code")

    def __getattr__(self, name: str) -> Remote:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._module(name)

    def _module(self, name: str, alias: str = "") -> Remote:
        session = self.session
        if name not in self._modules:
            self._modules[name] = session.load(name, alias)
        return self._modules[name]

    def record(self, function: Remote, *args: Any, **kwargs: Any) -> Call:
        """Call a function and keep the graph for gradients."""
        return self.session.record(function, *args, **kwargs)

    def seed(self, number: int) -> None:
        """Seed every generator in the session."""
        self.session.seed(number)

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Allow the calls inside more time than an ordinary call."""
        with self.session.deadline(seconds):
            yield

    def fresh(self) -> Part:
        """The same part in another session, which knows nothing of this one."""
        child = Part(self._box, self._folder, self._files, self._lost)
        self._children.append(child)
        return child

    def note_fault(self, error: StudentError) -> None:
        """Keep account of the time that calls without end have cost."""
        if error.kind == "timeout":
            self._hung = True
            self._lost(CALL_SECONDS)

    def close(self) -> None:
        """End this session and those opened from it."""
        for child in self._children:
            child.close()
        self._children.clear()
        self._modules.clear()
        if self._session is not None:
            session, self._session = self._session, None
            session.close()

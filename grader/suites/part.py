"""One part of a submission as a suite sees it: its modules as attributes, in sessions of the box."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from grader.box.budget import Budget
from grader.box.client import Channels, Session
from grader.box.errors import StudentError
from grader.box.remote import Call, Remote

DRIVERS = Path(__file__).parent / "drivers"
# What runs in the box beside the student's code, on its side of the trust boundary: helpers of ours that
# replace names, run a training loop, or catch what a `main` makes. The leading underscore marks them.
HELPER_FOLDER = "_grader"


def helpers_of(folder: str) -> list[Path]:
    """The files of the helpers that the sessions of one part need."""
    return sorted(path for path in DRIVERS.glob("*.py") if path.name.startswith((f"{folder}_", "both_")))


Made = TypeVar("Made")


class Item:
    """What all sessions of one item share: whether a call in one of them did not end."""

    hung = False


class Part:
    """`part1` or `part2` of one submission, in a session that is opened when first used.

    Reading an attribute imports the student's file of that name: `part.utils.KLD(mean, log_std)`.

    One session serves the checks of all items, since opening one and touching its first pages costs more
    than most checks do. What one check leaves behind must not cost another its points: a session ends with
    the first check that fails in it, and a check that fails where others were before is tried again alone.
    """

    def __init__(
        self,
        box: Callable[[], Channels],
        folder: str,
        files: dict[str, bytes],
        budget: Budget,
        devices: list[str],
        item: Item | None = None,
    ) -> None:
        self._box = box
        self._folder = folder
        self._files = files
        self._budget = budget
        self._devices = devices  # that the code asked for and the box lacks; filled by others
        self._missing: StudentError | None = None
        self._item = item or Item()
        self._session: Session | None = None
        self._modules: dict[str, Remote] = {}
        self._children: list[Part] = []
        self._seed: int | None = None
        self._used_before = False
        self._used = False
        # What one check has found in order, in whichever session, and another need not ask again.
        self.known: set[str] = set()
        self._made: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What a check has made in this session under this name; made now where there is none.

        It ends with the session: a check that is tried again alone makes its own.
        """
        _ = self.session
        if name not in self._made:
            self._made[name] = make()
        made: Made = self._made[name]
        return made

    def begin_item(self) -> None:
        """From here on calls belong to another item: what hung in the last one may work in this one."""
        self._item = Item()

    def begin_check(self, seed: int) -> None:
        """From here on calls belong to another check.

        Args:
            seed: for all that the session draws without being told how.
        """
        self._used_before = self._session is not None and not self._session.broken
        self._used = False
        self._seed = seed
        self._missing = None

    @property
    def missing_device(self) -> StudentError | None:
        """The first error of this check for want of a device, also one that the check has caught."""
        open_ones = [self._session.missing_device] if self._session is not None else []
        found = [self._missing, *open_ones, *(child.missing_device for child in self._children)]
        return next((error for error in found if error is not None), None)

    @property
    def in_used_session(self) -> bool:
        """Whether this check has worked in a session in which others were before."""
        return self._used and self._used_before

    @property
    def session(self) -> Session:
        """The session, a new one where there is none or the code has wrecked the last.

        Raises:
            StudentError: a call of the item did not end, or the submission has used up its time.
        """
        if self._session is not None and self._session.broken:
            self.close()
        if self._session is None:
            if self._item.hung or self._budget.left <= 0:
                raise StudentError("hung", "not tried: an earlier call did not end", "first mend what hangs")
            session = Session(self._box(), self._budget)
            self._session = session
            session.files(self._files)
            if self._devices:
                session.stay_on_cpu()
            session.enter(HELPER_FOLDER)
            session.load(f"{self._folder}_driver")  # before the student's folder comes first
            session.enter(self._folder)
            self._used = False  # a check may have several: this one is seeded, too
        if not self._used:
            self._used = True
            if self._seed is not None:
                self._session.seed(self._seed)
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
        child = Part(self._box, self._folder, self._files, self._budget, self._devices, self._item)
        child.known = self.known
        self._children.append(child)
        if self._seed is not None:
            child.begin_check(self._seed + len(self._children))
        return child

    def close_fresh(self) -> None:
        """End the sessions opened from this one."""
        self._missing = self.missing_device
        for child in self._children:
            child.close()
        self._children.clear()

    def close(self) -> None:
        """End this session and those opened from it."""
        self.close_fresh()
        self._modules.clear()
        self._made.clear()
        if self._session is not None:
            session, self._session = self._session, None
            self._item.hung = self._item.hung or session.hung
            session.close()

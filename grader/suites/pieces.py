"""Follow-on faults: a mistake that costs one item its points must not cost another item, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

from grader.box.errors import StudentError
from grader.suites.diagnosis import looks_for_a_cause
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed
from grader.suites.part import Part
from grader.suites.severity import SLIP

Check = Callable[[Part, Draw], None]


@dataclass(frozen=True)
class Lost:
    """What a piece fails of its own item.

    Attributes:
        share: of its checks that fail, 0 to 1.
        serious: the share of those that fail by more than a slip.
    """

    share: float
    serious: float

    @property
    def is_slip(self) -> bool:
        """Whether it is right but for a detail."""
        return not self.serious and self.share < 1.0

    @property
    def is_hopeless(self) -> bool:
        """Whether it is no right code with a mistake."""
        return self.serious > 0.5 or self.share == 1.0


def failure_of(check: Check, part: Part, draw: Draw) -> CheckFailed | StudentError | None:
    """Why a check of another item fails; None where it does not."""
    try:
        check(part, draw)
    except (CheckFailed, StudentError) as error:
        return error
    return None


@looks_for_a_cause
def loses(check: Check, part: Part, draw: Draw) -> bool:
    """Whether a check of another item fails: then the same mistake must not cost points here."""
    return failure_of(check, part, draw) is not None


@looks_for_a_cause
def wrong_pieces(pieces: Sequence[ModuleType], part: Part, draw: Draw) -> dict[ModuleType, Lost]:
    """The pieces whose suites fail, with what each fails."""
    found = {}
    for suite in pieces:
        checks: list[Check] = [value for name, value in vars(suite).items() if name.startswith("test_")]
        failures = []
        for check in checks:
            if error := failure_of(check, part, draw):
                failures.append(error)
                part.close()  # what the failed check has left behind must not fail the next
        if failures:
            serious = [one for one in failures if getattr(one, "severity", "") != SLIP]
            found[suite] = Lost(len(failures) / len(checks), len(serious) / len(checks))
    return found

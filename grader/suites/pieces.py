"""Follow-on faults: a mistake that costs one item its points must not cost another item, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

from grader.box.errors import StudentError
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed
from grader.suites.part import Part

Check = Callable[[Part, Draw], None]


def loses(check: Check, part: Part, draw: Draw) -> bool:
    """Whether a check of another item fails: then the same mistake must not cost points here."""
    try:
        check(part, draw)
    except (CheckFailed, StudentError):
        return True
    return False


def wrong_pieces(pieces: Sequence[ModuleType], part: Part, draw: Draw) -> dict[ModuleType, float]:
    """The pieces whose suites fail, with the share of its checks that each fails."""
    found = {}
    for suite in pieces:
        checks: list[Check] = [value for name, value in vars(suite).items() if name.startswith("test_")]
        lost = 0
        for check in checks:
            if loses(check, part, draw):
                lost += 1
                part.close()  # what the failed check has left behind must not fail the next
        if lost:
            found[suite] = lost / len(checks)
    return found

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


def one_piece_is_wrong(pieces: Sequence[ModuleType], part: Part, draw: Draw) -> bool:
    """Whether the checks of one of the pieces' suites fail, those of the others not.

    That one must pass half of its checks: code that is wrong in every way is no right code with a mistake.
    """
    found = []
    for suite in pieces:
        checks: list[Check] = [value for name, value in vars(suite).items() if name.startswith("test_")]
        lost = 0
        for check in checks:
            if loses(check, part, draw):
                lost += 1
                part.close()  # what the failed check has left behind must not fail the next
        if lost:
            found.append(2 * lost <= len(checks))
    return found == [True]

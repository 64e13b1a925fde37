"""Messages of one mistake differ in their numbers: of those a reader needs one."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBERS = re.compile(r"\[[-\d., ]*\]|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?%?")
_PLACE = re.compile(r"\([^()]+, line \d+\)$")


def without_numbers(message: str) -> str:
    """Equal for messages that differ in values and shapes only; an error of the code's keeps its line."""
    place = _PLACE.search(message)
    end = place.start() if place else len(message)
    return _NUMBERS.sub("#", message[:end]) + message[end:]


def first_alike(message: str, told: Iterable[str]) -> str:
    """The first of some messages that this one differs from in numbers only; otherwise the message itself."""
    same = without_numbers(message)
    return next((other for other in told if without_numbers(other) == same), message)

"""The figures that checks compare with a limit, kept aside for calibration: how near does right code come?"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple


class Measure(NamedTuple):
    """One comparison.

    Attributes:
        name: what was measured.
        value: what it came to.
        limit: where right code ends.
    """

    name: str
    value: float
    limit: float


_NOTED: deque[Measure] = deque(maxlen=10_000)  # nobody has to empty it


def note(name: str, value: float, limit: float) -> float:
    """Remember a figure; returns it."""
    _NOTED.append(Measure(name, float(value), float(limit)))
    return value


def drain() -> list[Measure]:
    """All that was noted since the last time."""
    noted = list(_NOTED)
    _NOTED.clear()
    return noted

"""What a student's models make while they are marked, kept aside for the reports. It decides nothing."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import torch

KINDS = ("samples", "manifold", "reconstructions", "curve")


class Shown(NamedTuple):
    """What a report may draw.

    Attributes:
        item: the rubric item whose check made it.
        kind: one of `KINDS`.
        values: `samples` and `manifold`: grey values `[N, H, W]` in [0, 1]; `reconstructions`: pairs of
            original and reconstruction, `[N, 2, H, W]`; `curve`: `[K, 2]`, steps and bits per dimension.
    """

    item: str
    kind: str
    values: torch.Tensor


_SHOWN: deque[Shown] = deque(maxlen=100)  # nobody has to empty it


def show(item: str, kind: str, values: torch.Tensor) -> None:
    """Keep a picture; a later one of the same item and kind takes its place."""
    _SHOWN.append(Shown(item, kind, values.detach().float()))


def drain() -> list[Shown]:
    """All that was kept since the last time."""
    shown = list(_SHOWN)
    _SHOWN.clear()
    return shown

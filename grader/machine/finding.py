"""What a look at a machine or a course has found."""

from __future__ import annotations

from dataclasses import dataclass

FINE, NOTE, FAULT = "ok", "note", "FAULT"


@dataclass(frozen=True)
class Finding:
    """What was looked at.

    Attributes:
        kind: FINE, NOTE or FAULT.
        text: what was found and, for a fault, what to do.
        steps: lines to type or to write, one after another, where the remedy takes several.
    """

    kind: str
    text: str
    steps: tuple[str, ...] = ()

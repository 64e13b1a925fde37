"""Why a check did not pass, as data: pages and lists group by it, whatever the messages say."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

# What happened. `value`: a result other than the contract's. `import`: an exception while a file was
# imported. `memory`: more of it than there is. `hung`: not tried, since an earlier call did not end.
# `surprise`: a value that the suite cannot handle. The others are those of `StudentError`.
Kind = Literal[
    "value",
    "raised",
    "import",
    "device",
    "missing",
    "not_implemented",
    "not_submitted",
    "unreadable",
    "died",
    "timeout",
    "memory",
    "hung",
    "protocol",
    "unusable",
    "surprise",
]
# Of these the code has hit a limit of the sandbox, or ended its process.
LIMITS: tuple[Kind, ...] = ("died", "timeout", "memory")

_NUMBERS = re.compile(r"\[[-\d., ]*\]|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?%?")


@dataclass(frozen=True)
class Cause:
    """Why a check did not pass.

    Attributes:
        kind: what happened.
        call: the function that was called, the file that was imported, or the file that is missing.
        exception: the name of an exception's class.
        file: the student's file in which it was raised.
        line: of that file; 0 where there is none.
        detail: the exception's own message, a stub's name, or the mistake that explains a value.
        form: the message without its numbers: equal where two messages differ in their values only.
        general_hint: whether the hint is one for any error, and says nothing of this one.
        device: that the code asked for and the grader lacks.
    """

    kind: Kind
    call: str = ""
    exception: str = ""
    file: str = ""
    line: int = 0
    detail: str = ""
    form: str = ""
    general_hint: bool = False
    device: str = ""

    def to_json(self) -> dict[str, Any]:
        """What it says, without the fields that say nothing."""
        return {name: value for name, value in asdict(self).items() if value}


def without_numbers(message: str) -> str:
    """Equal for messages that differ in values and shapes only."""
    return _NUMBERS.sub("#", message)

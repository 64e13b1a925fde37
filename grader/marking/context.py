"""What the hidden suites get to see of a run: one submission, one box, one seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from grader.box.client import Channels


@dataclass
class Context:
    """One submission on its way through the suites.

    Attributes:
        name: the submission's name; random inputs depend on it.
        files: the submitted files, by path.
        box: where sessions come from; a new box where the last one broke down.
        seed: the run's secret.
        data: `digits` or `mnist`.
        lost_seconds: time lost to calls that did not end, over all sessions of the submission.
    """

    name: str
    files: Mapping[str, bytes]
    box: Callable[[], Channels]
    seed: int
    data: str
    lost_seconds: float = 0.0
    violations: list[str] = field(default_factory=list)


CONTEXT = pytest.StashKey[Context]()

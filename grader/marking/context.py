"""What the hidden suites get to see of a run: one submission, one box, one seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pytest

from grader.box.client import Budget, Channels
from grader.suites.part import SUBMISSION_SECONDS


@dataclass
class Context:
    """One submission on its way through the suites.

    Attributes:
        name: the submission's name.
        files: the submitted files, by path.
        box: where sessions come from; a new box where the last one broke down.
        seed: the run's secret.
        data: `digits` or `mnist`.
        budget: the time that all its sessions may take together.
        violations: what the assignment forbids and the submission does, for the teaching assistant.
    """

    name: str
    files: Mapping[str, bytes]
    box: Callable[[], Channels]
    seed: int
    data: str
    budget: Budget = field(default_factory=lambda: Budget(SUBMISSION_SECONDS))
    violations: list[str] = field(default_factory=list)

    @cached_property
    def identity(self) -> str:
        """What random inputs depend on besides the seed: the name and every byte.

        Who hands in again is asked other questions: what the messages of one try have told of its inputs is
        worth nothing in the next.
        """
        digest = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            for part in (path.encode("utf-8", "surrogateescape"), content):
                digest.update(len(part).to_bytes(8, "little") + part)
        return f"{self.name} {digest.hexdigest()}"


CONTEXT = pytest.StashKey[Context]()

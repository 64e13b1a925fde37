"""What the hidden suites get to see of a run: one submission, one box, one seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pytest

from grader.box.budget import Budget
from grader.box.client import Channels
from grader.box.interpreter import box_python
from grader.limits import SUBMISSION_SECONDS
from grader.submission.model import code_digest
from grader.submission.newer_python import required_python


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
        violations: what the assignment forbids and the submission does: by the words for the student, those
            for the teaching assistant.
        allow_devices: a device that the grader lacks costs nothing.
        devices: those that the code has asked for so far; once there is one, all stays on the CPU.
    """

    name: str
    files: Mapping[str, bytes]
    box: Callable[[], Channels]
    seed: int
    data: str
    budget: Budget = field(default_factory=lambda: Budget(SUBMISSION_SECONDS))
    violations: dict[str, str] = field(default_factory=dict)
    allow_devices: bool = False
    devices: list[str] = field(default_factory=list)
    _required: dict[str, tuple[int, int] | None] = field(default_factory=dict)

    def required_python(self, name: str) -> tuple[int, int] | None:
        """The newer Python that a file needs, which the box's refuses; None for a plain mistake."""
        if name not in self._required:
            self._required[name] = required_python(self.files[name], self.python)
        return self._required[name]

    @property
    def python(self) -> tuple[int, int]:
        """The version of Python that runs the code."""
        return box_python().version[:2]

    @cached_property
    def identity(self) -> str:
        """What random inputs depend on besides the seed: the name and every byte.

        Who hands in again is asked other questions: what the messages of one try have told of its inputs is
        worth nothing in the next.
        """
        return f"{self.name} {self.code}"

    @cached_property
    def code(self) -> str:
        """Digest of all files, see `code_digest`."""
        return code_digest(self.files)


CONTEXT = pytest.StashKey[Context]()

"""What the readers of zip and tar have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from grader.submission.model import MAX_MEMBERS, UnreadableSubmission
from grader.submission.shown import Budget

FILE = "file"
FOLDER = "folder"
LINK = "link"
DEVICE = "device or other special file"


@dataclass(frozen=True)
class Member:
    """An entry of an archive.

    Attributes:
        index: its position in the archive.
        name: as the archive spells it.
        kind: `file`, `folder`, `link` or `device or other special file`.
    """

    index: int
    name: str
    kind: str


class Source(Protocol):
    """An open archive."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is odd about the archive but no reason to refuse it."""

    def members(self) -> list[Member]:
        """All entries, in order."""

    def read(self, wanted: Mapping[str, Member], limit: int) -> dict[str, bytes]:
        """The contents of the wanted members, each refused when it has more than `limit` bytes."""

    def read_some(self, wanted: Mapping[str, Member], budget: Budget) -> dict[str, bytes]:
        """The contents of those wanted members that can be read within a budget."""


def too_large(name: str, limit: int) -> UnreadableSubmission:
    """The refusal of a file over the cap."""
    return UnreadableSubmission(f"{name} is larger than {limit:,} bytes, the most a file may have")


def too_many() -> UnreadableSubmission:
    """The refusal of an archive with too many members."""
    return UnreadableSubmission(
        f"the archive holds more than {MAX_MEMBERS:,} members; leave out virtual environments, data and logs"
    )

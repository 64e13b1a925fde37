"""What the readers of zip and tar have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from grader.submission.model import MAX_MEMBERS, MAX_PATH_CHARACTERS, MAX_PATH_DEPTH, UnreadableSubmission
from grader.submission.shown import Budget
from grader.text import printable

FILE = "file"
FOLDER = "folder"
LINK = "link"
SPARSE = "sparse file"
DEVICE = "device or other special file"

Read = Callable[[int], bytes]  # up to so many bytes of a member, from its start; to be called once


@dataclass(frozen=True)
class Member:
    """An entry of an archive.

    Attributes:
        index: its position in the archive.
        name: as the archive spells it.
        kind: `file`, `folder`, `link`, `sparse file` or `device or other special file`.
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

    def each(self, wanted: Mapping[str, Member]) -> Iterator[tuple[str, Read]]:
        """Each wanted member in turn, with what reads it as long as it is its turn.

        Reading raises `UnreadableSubmission` for a member that is encrypted or compressed in an unusual way.
        """


class DamagedArchive(Exception):
    """An archive breaks the rules of its kind; the message says where."""


def read_wanted(source: Source, wanted: Mapping[str, Member], limit: int) -> dict[str, bytes]:
    """The contents of the wanted members.

    Raises:
        UnreadableSubmission: one has more than `limit` bytes.
    """
    contents = {}
    for name, read in source.each(wanted):
        contents[name] = read(limit + 1)
        if len(contents[name]) > limit:
            raise too_large(name, limit)
    return contents


def read_some(source: Source, wanted: Mapping[str, Member], budget: Budget) -> dict[str, bytes]:
    """The contents of those wanted members that can be read within a budget."""
    contents = {}
    for name, read in source.each(wanted):
        try:
            content = read(budget.limit + 1)
        except UnreadableSubmission:
            budget.refuse(name, "it is encrypted, or compressed in an unusual way")
        except Exception:  # as a damaged member raises anything
            budget.refuse(name, "it is damaged")
        else:
            if budget.take(name, content):
                contents[name] = content
    return contents


def checked_path(name: str) -> str:
    """The name of a member, if that is one to work with: nobody needs a long one, and many cost dearly.

    Raises:
        UnreadableSubmission: it is too long or too deep.
    """
    if len(name) > MAX_PATH_CHARACTERS:
        raise UnreadableSubmission(
            f"the archive holds a name that is too long, {printable(name, 80)}: "
            f"more than {MAX_PATH_CHARACTERS:,} characters"
        )
    if name.count("/") + name.count("\\") > MAX_PATH_DEPTH:
        raise UnreadableSubmission(
            f"the archive holds a name of more than {MAX_PATH_DEPTH} folders, {printable(name, 80)}; "
            "leave these folders out"
        )
    return name


def too_large(name: str, limit: int) -> UnreadableSubmission:
    """The refusal of a file over the cap."""
    return UnreadableSubmission(f"{name} is larger than {limit:,} bytes, the most a file may have")


def too_many() -> UnreadableSubmission:
    """The refusal of an archive with too many members."""
    return UnreadableSubmission(
        f"the archive holds more than {MAX_MEMBERS:,} members; leave out virtual environments, data and logs",
        waits=True,
    )

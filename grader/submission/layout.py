"""Where in a folder or archive the two parts lie, and what else is there that deserves a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader.submission.model import GIVEN_FILES, NAMED_FILES, PARTS
from grader.submission.names import is_clutter
from grader.text import printable

MAX_WARNINGS = 5  # of a kind: a line each, and one line about the rest

FLAT = "handed in as single files, without part1/ and part2/"
NO_PARTS = (
    "there is neither part1/ nor part2/ in it; a submission is a folder, or an archive of a folder, "
    "that holds part1/ and part2/"
)


def is_part(name: str) -> bool:
    """Whether this is the name of a part."""
    return name in PARTS


def misspelt_parts(names: Iterable[str]) -> list[str]:
    """Warnings about folders such as `Part1`: close, but not what the assignment asks for."""
    present = set(names)
    found = []
    for name in sorted(present):
        part = name.lower().replace(" ", "").replace("_", "").replace("-", "")
        if part in PARTS and part not in present:
            found.append(f"{printable(name)} was not read: the folder has to be called {part}")
    return first_few(found, "folders")


def unread_modules(files: Iterable[str]) -> list[str]:
    """Warnings about Python files in a part that are none of the assignment's, and were not read."""
    extra = [
        file
        for file in sorted(set(files))
        if file.endswith(".py")
        and not is_clutter(file.rpartition("/")[2])
        and file not in NAMED_FILES
        and file not in GIVEN_FILES
    ]
    return strangers(extra)


def strangers(files: Sequence[str]) -> list[str]:
    """Warnings about files that are none of the assignment's, and were not read."""
    return first_few(
        [f"{printable(file)} is not one of the files of the assignment and was not read" for file in files],
        "files",
    )


def first_few(warnings: Sequence[str], kind: str) -> list[str]:
    """The first warnings of a kind, and how many more there are.

    Args:
        warnings: about one `kind` each.
        kind: what they are about, such as `files`.
    """
    few = list(warnings[:MAX_WARNINGS])
    if len(warnings) > MAX_WARNINGS:
        more = len(warnings) - MAX_WARNINGS
        few.append(f"{more} more {kind} are not of the assignment and were not read")
    return few

"""Which of several things that a student handed in together are the submission.

Archives that hold different files of the assignment are parts of it, and read together. Of versions the
latest counts. What holds none of the files, such as an archive of figures, takes nobody's place. Where the
one that counts lacks a file that another has, a person has to look: it may be a part or a version.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.submission.archive import names_in_archive
from grader.submission.folder import names_in_folder
from grader.submission.model import GIVEN_NAMES
from grader.submission.places import PLACES
from grader.text import listed

MOST_OPENED = 10  # of one student, to look what is in them; of more the latest


@dataclass(frozen=True)
class Choice:
    """What counts of what was handed in together.

    Attributes:
        counting: the archives or the folder to read; nothing where the single files count.
        earlier: versions that do not count.
        beside: what holds none of the assignment's files.
        review: why a person has to look at it first; empty where nobody has to.
    """

    counting: tuple[Path, ...]
    earlier: tuple[Path, ...] = ()
    beside: tuple[Path, ...] = ()
    review: str = ""


def choose_among(wholes: Sequence[Path], singles: Mapping[str, Path]) -> Choice:
    """Choose among archives, folders and single files.

    Args:
        wholes: archives and folders, the earliest first; one at least.
        singles: files that came with them, by the names that the student gave them.
    """
    flat = frozenset(PLACES.keys() & singles.keys())
    if len(wholes) == 1 and not flat:
        return Choice(tuple(wholes))
    held = {path: _names_in(path) for path in wholes[-MOST_OPENED:]}
    holding = [path for path, names in held.items() if names is None or names]
    if not holding:
        counting = [] if flat else list(wholes[-1:])
    else:
        counting = holding if _are_parts([held[path] for path in holding], holding) else holding[-1:]
    beside = tuple(path for path, names in held.items() if names == frozenset() and path not in counting)
    earlier = tuple(path for path in wholes if path not in counting and path not in beside)
    theirs = frozenset[str]().union(*(held[path] or () for path in counting))
    others = {path.name: names for path, names in held.items() if path not in counting and names}
    others |= {path.name: frozenset({name}) for name, path in singles.items() if name in flat}
    more = {other: names - theirs for other, names in others.items() if names - theirs} if counting else {}
    review = ""
    if more:
        review = (
            f"{listed(path.name for path in counting)} came last, but lacks what {listed(more)} holds "
            f"({listed(frozenset[str]().union(*more.values()))}): the course staff has to say which count"
        )
    return Choice(tuple(counting), earlier, beside, review)


def _are_parts(held: Sequence[frozenset[str] | None], paths: Sequence[Path]) -> bool:
    """Whether each of these archives holds files of the assignment that no other has: parts, not versions."""
    seen: set[str] = set()
    for path, names in zip(paths, held, strict=True):
        own = (names or frozenset()) - GIVEN_NAMES
        if not own or own & seen or os.path.isdir(path):
            return False
        seen |= own
    return len(paths) > 1


def _names_in(path: Path) -> frozenset[str] | None:
    """The names of the assignment's files in it; None where it cannot be opened."""
    return names_in_folder(path) if os.path.isdir(path) else names_in_archive(path)

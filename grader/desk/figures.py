"""The figures of a question: a student's, and those of the solutions to compare with."""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from grader.files import read_regular
from grader.gradebook.course import REPOSITORY
from grader.gradebook.handed_in import IMAGE_SUFFIXES, MAX_IMAGE_BYTES
from grader.report.by_eye import by_eye, is_expected, item_of

RESULTS = REPOSITORY / "docs" / "results"
_TABLE = Path(__file__).with_name("solution_figures.toml")
MOST_OTHERS = 8
_SUFFIXES = tuple(IMAGE_SUFFIXES)


@dataclass(frozen=True)
class Pair:
    """A figure that a question asks for.

    Attributes:
        shows: what is to be seen in it.
        theirs: the student's file in `figures/`; empty where there is none.
        ours: the solutions' file; empty where there is none.
    """

    shows: str
    theirs: str
    ours: str


@cache
def solution_figures() -> dict[str, str]:
    """The solutions' figures that there are, by the name that training gives a student's."""
    table: dict[str, str] = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return {theirs: ours for theirs, ours in table.items() if (RESULTS / ours).is_file()}


def pairs(question: str, folder: Path) -> tuple[Pair, ...]:
    """The figures of a question: first those that it asks for, then what else was handed in for it.

    Args:
        question: id of the item, such as `1.8.grids`.
        folder: a student's `figures/`.
    """
    return _pairs(question, _names(folder))


@lru_cache(maxsize=4_000)
def _pairs(question: str, handed_in: tuple[str, ...]) -> tuple[Pair, ...]:
    """The figures of a question among those of these names: most students have the same."""
    expected = next((one.figures for one in by_eye() if one.item.id == question), ())
    by_stem = {Path(name).stem.casefold(): name for name in handed_in}
    found = [
        Pair(figure.shows, by_stem.get(figure.stem.casefold(), ""), solution_figures().get(figure.file, ""))
        for figure in expected
    ]
    others = [
        name
        for name in handed_in
        if item_of(Path(name).stem) == question and not is_expected(Path(name).stem)
    ]
    return (*found, *(Pair(f"also handed in: {name}", name, "") for name in others[:MOST_OTHERS]))


def figures_digest(question: str, folder: Path) -> str:
    """What tells whether a student's figures of a question have changed; empty where there are none."""
    names = [pair.theirs for pair in pairs(question, folder) if pair.theirs]
    if not names:
        return ""
    hashed = hashlib.sha256()
    for name in names:
        hashed.update(name.encode() + b"\0" + _content_digest(f"{folder}/{name}"))
    return hashed.hexdigest()


def _names(folder: Path) -> tuple[str, ...]:
    """The names of pictures in a folder of a student's."""
    try:
        names = sorted(os.listdir(folder)) if not folder.is_symlink() else []
    except OSError:
        return ()
    return tuple(name for name in names if name.lower().endswith(_SUFFIXES) and not name.startswith("."))


_DIGESTS: dict[str, tuple[tuple[int, int], bytes]] = {}


def _content_digest(path: str) -> bytes:
    """SHA-256 of a file, read again only where it has changed."""
    try:
        status = os.stat(path)
        stamp = (status.st_mtime_ns, status.st_size)
        known = _DIGESTS.get(path)
        if known is None or known[0] != stamp:
            known = (stamp, hashlib.sha256(read_regular(Path(path), MAX_IMAGE_BYTES)).digest())
            _DIGESTS[path] = known
        return known[1]
    except OSError:
        return b"missing"

"""An archive within a submission: opened one level deep where the assignment lies nowhere else."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import BinaryIO

from grader.submission.leaves import Leaf, files_of, leaves_of, read_placed
from grader.submission.model import MAX_UNPACKED_BYTES, PARTS, Contents, UnreadableSubmission
from grader.submission.names import is_archive, may_be_archive
from grader.submission.opening import reading_archive, source_of
from grader.submission.places import Place, locate, spelled
from grader.submission.shown import Beside
from grader.submission.unpacking import FILE
from grader.text import listed, printable

MAX_OPENED = 4  # archives in one submission
MAX_HELD_BYTES = 64_000_000  # of them, together: they are held in memory

Opened = Callable[[], BinaryIO]  # the archive's bytes; raises `UnreadableSubmission`


def candidates(places: Iterable[Place]) -> list[Place]:
    """What may be an archive with the submission in it, those that are called so and lie high up first."""
    found = [place for place in places if may_be_archive(place[-1])]
    return sorted(found, key=lambda place: (not is_archive(place[-1]), len(place), place))


def read_nested(archives: Sequence[tuple[Place, Opened]], shown: Beside | None) -> Contents | None:
    """Read a submission that lies in one or several archives within what was handed in.

    Args:
        archives: where they lie, and what opens them.
        shown: what to read beside the code.

    Returns:
        What is in them; without files where none of the assignment's is. None where there are no archives.

    Raises:
        UnreadableSubmission: two of them fit equally well, or a file in them is refused.
    """
    leaves: list[Leaf] = []
    problems: list[str] = []
    opened: list[Place] = []
    for place, open_it in archives:
        shown_place = printable("/".join(place), 80)
        if len(opened) == MAX_OPENED:
            problems.append(f"{shown_place} was not opened: {MAX_OPENED} archives in it were")
            continue
        try:
            with reading_archive():
                file = open_it()
                source = source_of(file, place[-1], MAX_UNPACKED_BYTES // MAX_OPENED)
                leaves += leaves_of(source, place)
        except UnreadableSubmission as error:
            if is_archive(place[-1]):
                problems.append(f"{shown_place}, within what was handed in, was not opened: {error}")
            continue
        opened.append(place)
    if not opened and not problems:
        return None
    with reading_archive():
        placement = locate(files_of(leaves))
        if placement is None:
            deeper = [place for place in candidates(files_of(leaves)) if is_archive(place[-1])]
            if deeper:
                problems.append(
                    f"{listed(map('/'.join, deeper))}, an archive in an archive in it, was not opened"
                )
            holds = listed("/".join(place) for place in files_of(leaves)) or "nothing"
            within = f"; {listed(map('/'.join, opened))} holds {holds}" if opened else ""
            problems.insert(0, f"none of the assignment's files is in it{within}")
            return Contents(
                warnings=tuple(problems), review=problems[0] if len(problems) == 1 else problems[-1]
            )
        contents = read_placed(leaves, placement, shown)
    used = {
        place for place in opened if any(file[: len(place)] == place for file in placement.files.values())
    }
    warnings = [f"read from {listed('/'.join(place) for place in used)}, within what was handed in"]
    if unused := [place for place in opened if place not in used]:
        warnings.append(f"{listed('/'.join(place) for place in unused)} was not read")
    return replace(contents, warnings=(*warnings, *contents.warnings, *problems))


def with_unopened(contents: Contents, files: Iterable[Place]) -> Contents:
    """Name the archives beside the parts, which are not opened; where a part is missing, a person looks."""
    archives = ["/".join(place) for place in files if len(place) <= 2 and _is_meant_to_be_opened(place[-1])]
    if not archives:
        return contents
    told = f"{listed(archives)} was not opened, since part1/ or part2/ or their files lie beside it"
    missing = [part for part in PARTS if not any(name.startswith(part) for name in contents.files)]
    review = contents.review or (f"{missing[0]} is missing, and {told}" if missing else "")
    return replace(contents, warnings=(*contents.warnings, told), review=review)


def _is_meant_to_be_opened(name: str) -> bool:
    """Whether this is called like an archive, or like a part, which is then no folder."""
    return (is_archive(name) and not _is_compressed_file(name)) or bool(spelled(name))


def _is_compressed_file(name: str) -> bool:
    """Whether this is a single file, such as a data set's, by its name."""
    return name.lower().endswith((".gz", ".bz2", ".xz", ".zst")) and ".tar." not in name.lower()


class Holder:
    """Holds archives in memory, up to a cap."""

    def __init__(self) -> None:
        self._left = MAX_HELD_BYTES

    @property
    def limit(self) -> int:
        """How many bytes the next one may have."""
        return self._left

    def hold(self, content: bytes) -> BinaryIO:
        """An archive of up to one byte more than the limit.

        Raises:
            UnreadableSubmission: it is that long.
        """
        if len(content) > self._left:
            raise UnreadableSubmission(
                f"archives in it may have {MAX_HELD_BYTES:,} bytes together; hand in the folder itself",
                waits=True,
            )
        self._left -= len(content)
        return io.BytesIO(content)


def within(leaves: Sequence[Leaf]) -> list[tuple[Place, Opened]]:
    """The archives in an archive."""
    holder = Holder()
    at = {leaf.place: leaf for leaf in leaves if leaf.member.kind == FILE}

    def opener(leaf: Leaf) -> Opened:
        def open_it() -> BinaryIO:
            for _, read in leaf.source.each({leaf.place[-1]: leaf.member}):
                return holder.hold(read(holder.limit + 1))
            raise AssertionError("each yields what is wanted")

        return open_it

    return [(place, opener(at[place])) for place in candidates(files_of(leaves)) if place in at]

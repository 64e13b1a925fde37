"""Read a submission that is an archive: what is wanted of it only, in memory, nothing unpacked to disk.

No number in an archive is believed: sizes are counted while bytes come out, never taken from a header.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from grader.files import open_plainly
from grader.submission.leaves import files_of, leaves_of, nothing_found, read_placed, without_files
from grader.submission.model import MAX_ARCHIVE_BYTES, Contents, UnreadableSubmission
from grader.submission.nested import read_nested, with_unopened, within
from grader.submission.opening import reading_archive, source_of
from grader.submission.places import locate, names_among
from grader.submission.shown import Beside
from grader.submission.unpacking import FILE, Source, too_large
from grader.text import printable


def read_archive(path: Path, shown: Beside | None = None) -> Contents:
    """Read the named files of the submission in a zip, tar or compressed tar.

    What kind it is, its first bytes decide: a renamed archive is still read.

    Args:
        path: the archive.
        shown: what to read beside the code.

    Raises:
        UnreadableSubmission: it is damaged, unsafe, encrypted or over a cap, of a kind that cannot be read,
            or two places in it fit equally well.
        OSError: the system does not let us read it.
    """
    with _opened(path, path.name) as source:
        leaves = leaves_of(source)
        files = files_of(leaves)
        placement = locate(files)
        if placement is not None:
            return with_unopened(read_placed(leaves, placement, shown), files)
        fallback = without_files(leaf.place for leaf in leaves)
        contents = read_placed(leaves, fallback, shown)
        nested = read_nested(within(leaves), shown)
        if nested is not None:
            return nested
        return nothing_found(contents, fallback, files)


def unpacked(
    path: Path, place: Callable[[str], str | None], most: int, in_all: int
) -> Iterator[tuple[str, bytes]]:
    """The files of an archive that have a place, one after the other; of those with the same place the last.

    Args:
        path: the archive.
        place: where the file of a name belongs; None where nowhere.
        most: the most bytes that a file may have.
        in_all: the most bytes that all of them may have.

    Raises:
        UnreadableSubmission: it is damaged, encrypted or over a cap.
        OSError: the system does not let us read it.
    """
    with _opened(path) as source:
        placed = ((place(member.name), member) for member in source.members() if member.kind == FILE)
        wanted = {where: member for where, member in placed if where is not None}
        left = in_all
        for where, read in source.each(wanted):
            content = read(min(most, left) + 1)
            if len(content) > most:
                raise too_large(printable(where), most)
            left -= len(content)
            if left < 0:
                raise UnreadableSubmission(f"its files are larger than {in_all:,} bytes, all together")
            yield where, content


def names_in_archive(path: Path) -> frozenset[str] | None:
    """The names of the assignment's files in an archive; None where that cannot be told."""
    try:
        with _opened(path) as source:
            return names_among(files_of(leaves_of(source)))
    except (UnreadableSubmission, OSError):
        return None


@contextmanager
def opened_file(path: Path) -> Iterator[BinaryIO]:
    """A plain file that may be an archive.

    Raises:
        UnreadableSubmission: it is none, or over the cap.
        OSError: the system does not let us read it.
    """
    with open_plainly(path) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableSubmission("it is neither a folder nor a file")
        if status.st_size > MAX_ARCHIVE_BYTES:
            raise UnreadableSubmission(
                f"the archive is larger than {MAX_ARCHIVE_BYTES:,} bytes; leave out data and checkpoints",
                waits=True,
            )
        yield file


@contextmanager
def _opened(path: Path, name: str = "") -> Iterator[Source]:
    """An archive to read; what goes wrong meanwhile is the archive's fault or the system's."""
    with opened_file(path) as file, reading_archive():
        yield source_of(file, name)

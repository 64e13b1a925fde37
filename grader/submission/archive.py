"""Read a submission that is an archive: what is wanted of it only, in memory, nothing unpacked to disk.

No number in an archive is believed: sizes are counted while bytes come out, never taken from a header.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from grader.submission.layout import (
    NO_PARTS,
    choose_wrapper,
    is_part,
    misspelt_parts,
    too_deep,
    unread_modules,
)
from grader.submission.model import (
    MAX_ARCHIVE_BYTES,
    MAX_FILE_BYTES,
    NAMED_FILES,
    PARTS,
    Contents,
    UnreadableSubmission,
)
from grader.submission.names import is_clutter, printable
from grader.submission.shown import Budget, is_shown
from grader.submission.tape import TarSource
from grader.submission.unpacking import FILE, FOLDER, Member, Source, read_some, read_wanted, too_large
from grader.submission.zipped import ZipSource

_DISK_ERRORS = frozenset({errno.EIO, errno.EACCES, errno.EPERM, errno.ENOMEM, errno.EMFILE, errno.ESTALE})


def read_archive(path: Path, shown: bool = False) -> Contents:
    """Read the named files of the submission in a zip, tar or compressed tar.

    What kind it is, its first bytes decide: a renamed archive is still read.

    Args:
        path: the archive.
        shown: read the figures and notebooks, too.

    Raises:
        UnreadableSubmission: it is damaged, unsafe, encrypted or over a cap, or the parts lie too deep.
        OSError: the system does not let us read it.
    """
    with _opened(path) as source:
        return _read(source, shown)


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


@contextmanager
def _opened(path: Path) -> Iterator[Source]:
    """An archive to read; what goes wrong meanwhile is the archive's fault or the system's."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableSubmission("it is neither a folder nor a file")
        if status.st_size > MAX_ARCHIVE_BYTES:
            raise UnreadableSubmission(
                f"the archive is larger than {MAX_ARCHIVE_BYTES:,} bytes; leave out data and checkpoints"
            )
        try:
            yield _source(file)
        except (UnreadableSubmission, MemoryError):
            raise
        except OSError as error:
            if error.errno in _DISK_ERRORS:
                raise
            raise _damaged(error) from error
        except Exception as error:  # a hostile archive may break the readers of the standard library anywhere
            raise _damaged(error) from error


def _damaged(error: Exception) -> UnreadableSubmission:
    reason = printable(str(error).strip(), 120)
    return UnreadableSubmission(
        "the archive is damaged or cut off and cannot be read" + (f" ({reason})" if reason else "")
    )


def _source(file: BinaryIO) -> Source:
    """The reader that the file's first bytes ask for."""
    start = file.read(512)
    file.seek(0)
    if not start:
        raise UnreadableSubmission("the file is empty (0 bytes)")
    if start.startswith(b"PK"):
        return ZipSource(file)
    if start.startswith(b"\x1f\x8b"):
        return TarSource(file, compressed=True)
    if len(start) == 512 and start[257:262] == b"ustar":
        return TarSource(file, compressed=False)
    raise UnreadableSubmission("it is neither a zip nor a tar nor a tar.gz archive; hand in one of these")


def _read(source: Source, shown: bool) -> Contents:
    members = [(_components(member.name), member) for member in source.members()]
    root = _root([parts for parts, _ in members])
    wanted: dict[str, Member] = {}
    figures: dict[str, Member] = {}
    warnings = misspelt_parts(part for parts, _ in members for part in parts[len(root) : len(root) + 1])
    modules: list[str] = []
    repeated: list[str] = []
    for parts, member in members:
        if parts[: len(root)] != root:
            continue
        inside = parts[len(root) :]
        name = "/".join(inside)
        if name in PARTS or name == "":
            _require(member, FOLDER, "/".join(parts))
        elif name in NAMED_FILES:
            if name in wanted:
                repeated.append(name)
            wanted[name] = member
        elif len(inside) == 2 and is_part(inside[0]) and member.kind != FOLDER:
            modules.append(name)
        elif shown and member.kind == FILE and is_shown(inside):
            figures[name] = member
    warnings += [
        f"{name} is in the archive more than once; the last one counts" for name in dict.fromkeys(repeated)
    ]
    for name, member in wanted.items():
        _require(member, FILE, name)
    if not any(is_part(part) for parts, _ in members for part in parts[len(root) : len(root) + 1]):
        return Contents({}, (*warnings, NO_PARTS))
    contents = read_wanted(source, wanted, MAX_FILE_BYTES)
    warnings += [*unread_modules(modules), *source.remarks]
    budget = Budget()
    few = {name: figures[name] for name in budget.few(figures)}
    read = read_some(source, few, budget) if few else {}
    return Contents(contents, (*warnings, *budget.remarks), read)


def _components(name: str) -> tuple[str, ...]:
    """A member's name as path components.

    Raises:
        UnreadableSubmission: the name leads out of the archive.
    """
    path = name.replace("\\", "/")  # some tools on Windows write these
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    drive = bool(parts) and len(parts[0]) == 2 and parts[0][1] == ":" and parts[0][0].isalpha()
    if path.startswith("/") or ".." in parts or drive:
        raise UnreadableSubmission(
            f"the archive holds an unsafe name, {printable(name)}, that leads out of it"
        )
    return parts


def _root(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The folder in the archive that holds the parts: the top or one wrapping folder."""
    if any(parts and is_part(parts[0]) for parts in paths):
        return ()
    wrapper = choose_wrapper(
        {parts[0] for parts in paths if len(parts) > 1 and is_part(parts[1]) and not is_clutter(parts[0])}
    )
    if wrapper is not None:
        return (wrapper,)
    for parts in paths:
        for depth, part in enumerate(parts):
            if is_clutter(part):
                break
            if is_part(part):
                raise too_deep("/".join(parts[: depth + 1]))
    return ()


def _require(member: Member, kind: str, shown: str) -> None:
    if member.kind != kind:
        raise UnreadableSubmission(
            f"{printable(shown)} in the archive is a {member.kind}; hand in the {kind} itself"
        )

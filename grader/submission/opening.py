"""Open an archive by what its first bytes say it is."""

from __future__ import annotations

import errno
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from grader.submission import kinds
from grader.submission.decompress import bunzip, unxz
from grader.submission.gunzip import Gunzip
from grader.submission.model import UnreadableSubmission
from grader.submission.names import is_archive
from grader.submission.places import Place
from grader.submission.tar import Decompress, TarSource
from grader.submission.unpacking import Source
from grader.submission.zipped import ZipSource
from grader.text import printable

_DISK_ERRORS = frozenset({errno.EIO, errno.EACCES, errno.EPERM, errno.ENOMEM, errno.EMFILE, errno.ESTALE})
_DECOMPRESS = {kinds.GZIP: Gunzip, kinds.BZIP2: bunzip, kinds.XZ: unxz}
_MODE = re.compile(rb"[0-7 ]{6,7}[\0 ]{1,2}")  # where a tar has it: a damaged one is still a tar
ACCEPTED = "hand in a zip, tar or tar.gz"


@contextmanager
def reading_archive() -> Iterator[None]:
    """What goes wrong while an archive is read is the archive's fault or the system's."""
    try:
        yield
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
        "the archive is damaged or cut off and cannot be read" + (f" ({reason})" if reason else ""),
        waits=True,
    )


def source_of(file: BinaryIO, name: str = "", most: int | None = None) -> Source:
    """The reader that the file's first bytes ask for.

    Args:
        file: the archive, at its start.
        name: what it is called, which decides nothing but what is said of a file that is no archive.
        most: how many bytes a tar may unpack to, in place of the usual cap.

    Raises:
        UnreadableSubmission: it is empty or of no kind that can be read. The latter waits for a person.
        Exception: of the readers of the standard library, where it is damaged.
    """
    start = file.read(kinds.HEAD)
    file.seek(0)
    if not start:
        raise UnreadableSubmission("the file is empty (0 bytes)")
    kind = kinds.kind_of(start)
    if kind == kinds.TAR:
        return TarSource(file, None, most)
    if kind in _DECOMPRESS:
        _require_tar(file, _DECOMPRESS[kind])
        return TarSource(file, _DECOMPRESS[kind], most)
    if start.startswith(b"PK"):
        return ZipSource(file)
    if kind in kinds.FOREIGN:
        raise UnreadableSubmission(f"this kind of archive, {kind}, is not accepted; {ACCEPTED}", waits=True)
    if kind == kinds.PDF:
        raise UnreadableSubmission(f"it is a PDF and no archive; {ACCEPTED}", waits=True)
    if is_archive(name) and not name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz")):
        raise UnreadableSubmission(f"this kind of archive is not accepted; {ACCEPTED}", waits=True)
    # A login page that was saved in place of the file, or code under an archive's name.
    raise UnreadableSubmission(
        "it is neither a zip nor a tar nor a tar.gz archive; hand in one of these", waits=True
    )


def _require_tar(file: BinaryIO, decompress: Decompress) -> None:
    """Tell a compressed tar from any other file that was compressed."""
    head = io.BufferedReader(decompress(file)).read(kinds.HEAD)
    file.seek(0)
    kind = kinds.kind_of(head)
    if kind != kinds.TAR and head.strip(b"\0") and not _MODE.fullmatch(head[100:108]):
        what = f", {kind}," if kind else ""
        raise UnreadableSubmission(f"it is one compressed file{what} and no archive; {ACCEPTED}", waits=True)


def components(name: str) -> Place:
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

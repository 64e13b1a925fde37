"""Write files so that a reader sees all of the new one or all of the old; read them without following links.

Links matter wherever a student chose what lies there: with the rights of the staff, one reads the solutions.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file next to its place, bring it to the disk, and move it there in one step.

    Raises:
        OSError: it cannot be written. Nothing is left behind then.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o666 & ~_umask())  # `mkstemp` lets only its owner read
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def open_plainly(name: str | Path, parent: int | None = None) -> BinaryIO:
    """Open a file for reading that is no link, and never wait for a pipe. It may still be of any other kind.

    Args:
        name: its path, or its name in an open folder.
        parent: the descriptor of the open folder.

    Raises:
        OSError: it is a link, or cannot be opened.
    """
    return open(os.open(name, _READ, dir_fd=parent), "rb")


def read_regular(path: Path, limit: int) -> bytes:
    """The bytes of a regular file, never of what a link points to.

    Raises:
        OSError: it is a link, no regular file, too large, or cannot be read.
    """
    with open_plainly(path) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is no regular file", str(path))
        if status.st_size > limit:
            raise OSError(errno.EFBIG, f"is larger than {limit:,} bytes", str(path))
        return file.read(limit)

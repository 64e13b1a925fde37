"""Decompress bzip2 and xz in bounded memory, as `gunzip` does for gzip.

Python's `bz2.BZ2File` and `lzma.LZMAFile` go through empty streams one after the other without an end, and
the second lets a file choose how much memory it takes.
"""

from __future__ import annotations

import bz2
import lzma
from typing import BinaryIO

from grader.submission.gunzip import CHUNK, Streams

_XZ_MEMORY = 128 << 20  # `xz -9` asks for 65 MiB


class Decompressed(Streams):
    """What is in a file of bzip2 or xz, front to back.

    Raises:
        OSError, lzma.LZMAError: what is read is damaged, or takes too much memory.
        EOFError: it is cut off.
        UnreadableSubmission: it consists of too many streams.
    """

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill the buffer, or the beginning of it; nothing comes only at the end."""
        while not self._stream.eof or self._start_next():
            packed = b""
            if self._stream.needs_input:
                packed, self._packed = self._packed or self._file.read(CHUNK), b""
                if not packed:
                    raise EOFError("the end is missing")
            piece = self._stream.decompress(packed, len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
        return 0


def bunzip(file: BinaryIO) -> Decompressed:
    """What is in a bzip2 file."""
    return Decompressed(file, bz2.BZ2Decompressor)


def unxz(file: BinaryIO) -> Decompressed:
    """What is in an xz file."""
    return Decompressed(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY))

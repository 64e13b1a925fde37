"""Decompress bzip2 and xz in bounded memory, as `gunzip` does for gzip.

Python's `bz2.BZ2File` and `lzma.LZMAFile` go through empty streams one after the other without an end, and
the second lets a file choose how much memory it takes.
"""

from __future__ import annotations

import bz2
import io
import lzma
from collections.abc import Callable
from typing import BinaryIO, Protocol

from grader.submission.gunzip import MAX_STREAMS
from grader.submission.model import UnreadableSubmission

_CHUNK = 1 << 16
_XZ_MEMORY = 128 << 20  # `xz -9` asks for 65 MiB


class _Decompressor(Protocol):
    """What `bz2` and `lzma` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Decompressed(io.RawIOBase):
    """What is in a compressed file, front to back.

    Raises:
        OSError, lzma.LZMAError: what is read is damaged, or takes too much memory.
        EOFError: it is cut off.
        UnreadableSubmission: it consists of too many streams.
    """

    def __init__(self, file: BinaryIO, start: Callable[[], _Decompressor]) -> None:
        self._file = file
        self._start = start
        self._stream = start()
        self._packed = b""
        self._streams = 1

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill the buffer, or the beginning of it; nothing comes only at the end."""
        while not self._stream.eof or self._start_next():
            packed = b""
            if self._stream.needs_input:
                packed, self._packed = self._packed or self._file.read(_CHUNK), b""
                if not packed:
                    raise EOFError("the end is missing")
            piece = self._stream.decompress(packed, len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
        return 0

    def _start_next(self) -> bool:
        """Begin with the next stream, if there is one; zeros may lie between and behind them."""
        packed = self._stream.unused_data.lstrip(b"\0")
        while not packed:
            piece = self._file.read(_CHUNK)
            if not piece:
                return False
            packed = piece.lstrip(b"\0")
        self._streams += 1
        if self._streams > MAX_STREAMS:
            raise UnreadableSubmission(
                f"it is compressed in more than {MAX_STREAMS:,} pieces; make the archive anew, in one go"
            )
        self._packed = packed
        self._stream = self._start()
        return True


def bunzip(file: BinaryIO) -> Decompressed:
    """What is in a bzip2 file."""
    return Decompressed(file, bz2.BZ2Decompressor)


def unxz(file: BinaryIO) -> Decompressed:
    """What is in an xz file."""
    return Decompressed(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY))

"""Decompress gzip in bounded memory and in time that grows with what comes out.

Python's `gzip` goes through the file name in a header byte by byte, and through empty streams one after the
other in Python; a submission may have 200 MB of either.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from grader.submission.model import UnreadableSubmission

CHUNK = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS
MAX_STREAMS = 1_000  # one after the other; usual tools write one


class Streams(io.RawIOBase):
    """A file of compressed streams one after the other, read front to back.

    Args:
        file: what is compressed.
        start: makes a decompressor for one stream; each has `eof` and `unused_data`.
    """

    def __init__(self, file: BinaryIO, start: Callable[[], Any]) -> None:
        self._file = file
        self._packed = b""
        self._start = start
        self._stream = start()
        self._streams = 1

    def readable(self) -> bool:
        return True

    def _start_next(self) -> bool:
        """Begin with the next stream, if there is one; zeros may lie between and behind them."""
        packed = self._stream.unused_data.lstrip(b"\0")
        while not packed:
            piece = self._file.read(CHUNK)
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


class Gunzip(Streams):
    """What is in a gzip file, front to back.

    Raises:
        zlib.error: what is read is no gzip, or a checksum is wrong.
        EOFError: it is cut off.
        UnreadableSubmission: it consists of too many streams.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, lambda: zlib.decompressobj(_GZIP))

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill the buffer, or the beginning of it; nothing comes only at the end."""
        while not self._stream.eof or self._start_next():
            packed = self._packed or self._file.read(CHUNK)
            piece = self._stream.decompress(packed, len(buffer))
            self._packed = self._stream.unconsumed_tail
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
            if not packed and not self._stream.eof:
                raise EOFError("the end is missing")
        return 0

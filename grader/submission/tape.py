"""Read members of a tar archive, compressed or not, in memory and front to back."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from grader.submission.model import MAX_MEMBERS, MAX_UNPACKED_BYTES, UnreadableSubmission
from grader.submission.shown import Budget
from grader.submission.unpacking import DEVICE, FILE, FOLDER, LINK, Member, too_large, too_many

_CHUNK = 1 << 16
# `tarfile` reads a member's extended header in one piece, and as long as the archive says it is.
_LONGEST_READ = 1 << 21


class _ForwardReader(io.RawIOBase):
    """A stream that only goes forward, counts what it hands over, and stops at the cap."""

    def __init__(self, stream: io.BufferedIOBase | BinaryIO) -> None:
        self._stream = stream
        self._position = 0
        self.last = b""  # the last piece read: at the end of a sound archive, a block of zeros

    def read(self, size: int = -1, /) -> bytes:
        if size is None or size < 0 or size > _LONGEST_READ:
            raise tarfile.ReadError("a header in it is too long")
        pieces = []
        missing = size
        while missing and (piece := self._stream.read(min(missing, _CHUNK))):
            pieces.append(piece)
            missing -= len(piece)
        self._advance(size - missing)
        self.last = b"".join(pieces)
        return self.last

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET or offset < self._position:
            raise tarfile.ReadError("a header in it points backwards")
        while self._position < offset:
            piece = self._stream.read(min(offset - self._position, _CHUNK))
            if not piece:
                break
            self._advance(len(piece))
        return self._position

    def tell(self) -> int:
        return self._position

    def drain(self) -> None:
        """Read to the end, where a compressed stream's checksum is compared."""
        while piece := self._stream.read(_CHUNK):
            self._advance(len(piece))

    def _advance(self, size: int) -> None:
        self._position += size
        if self._position > MAX_UNPACKED_BYTES:
            raise UnreadableSubmission(
                f"the archive unpacks to more than {MAX_UNPACKED_BYTES:,} bytes; "
                "leave out data and checkpoints"
            )


class TarSource:
    """An open tar archive. Listing and reading each go through it once, front to back."""

    def __init__(self, file: BinaryIO, compressed: bool) -> None:
        self._file = file
        self._compressed = compressed
        self.remarks: tuple[str, ...] = ()

    @contextmanager
    def _pass(
        self,
    ) -> Iterator[tuple[_ForwardReader, Iterator[tuple[int, tarfile.TarInfo, tarfile.TarFile]]]]:
        self._file.seek(0)
        stream = gzip.GzipFile(fileobj=self._file) if self._compressed else self._file
        reader = _ForwardReader(stream)
        with tarfile.open(fileobj=reader, mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
            yield reader, _entries(archive)

    def members(self) -> list[Member]:
        found = []
        with self._pass() as (reader, entries):
            for index, info, _ in entries:
                found.append(Member(index, info.name, _kind(info)))
            if reader.last.strip(b"\0"):  # `tarfile` takes a broken header for the end
                raise tarfile.ReadError("unexpected end of data")
            if not reader.last:
                self.remarks = ("the archive has no end mark and may be cut off",)
            reader.drain()
        return found

    def read(self, wanted: Mapping[str, Member], limit: int) -> dict[str, bytes]:
        names = {member.index: name for name, member in wanted.items()}
        contents: dict[str, bytes] = {}
        with self._pass() as (_, entries):
            for index, info, archive in entries:
                if index not in names:
                    continue
                stream = archive.extractfile(info)
                content = b"" if stream is None else stream.read(limit + 1)
                if len(content) > limit:
                    raise too_large(names[index], limit)
                contents[names[index]] = content
                if len(contents) == len(names):
                    break
        return contents

    def read_some(self, wanted: Mapping[str, Member], budget: Budget) -> dict[str, bytes]:
        names = {member.index: name for name, member in wanted.items()}
        contents: dict[str, bytes] = {}
        with self._pass() as (_, entries):
            for index, info, archive in entries:
                if index not in names:
                    continue
                name = names.pop(index)
                stream = archive.extractfile(info)
                content = b"" if stream is None else stream.read(budget.limit + 1)
                if budget.take(name, content):
                    contents[name] = content
                if not names:
                    break
        return contents


def _entries(archive: tarfile.TarFile) -> Iterator[tuple[int, tarfile.TarInfo, tarfile.TarFile]]:
    for index in range(MAX_MEMBERS + 1):
        info = archive.next()
        if info is None:
            return
        if index == MAX_MEMBERS:
            raise too_many()
        yield index, info, archive


def _kind(info: tarfile.TarInfo) -> str:
    if info.isreg():
        return FILE
    if info.isdir():
        return FOLDER
    return LINK if info.issym() or info.islnk() else DEVICE

"""Read members of a tar archive, compressed or not, in memory and front to back."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from grader.submission.model import (
    MAX_HEADER_BYTES,
    MAX_HEADERS_BYTES,
    MAX_MEMBERS,
    MAX_UNPACKED_BYTES,
    UnreadableSubmission,
)
from grader.submission.tar_header import BLOCK, LONG_NAME, RECORDS, Header, number, read_header, records
from grader.submission.unpacking import SPARSE, DamagedArchive, Member, Read, checked_path, too_many

_CHUNK = 1 << 16
Decompress = Callable[[BinaryIO], io.RawIOBase]
_MAX_EXTENSIONS = 8  # headers that tell about one member; usual tools write up to three


class _ForwardReader:
    """A stream that only goes forward, counts what it hands over, and stops at the cap."""

    def __init__(self, stream: BinaryIO | io.BufferedReader, most: int) -> None:
        self._stream = stream
        self._most = most
        self.position = 0

    def read(self, size: int) -> bytes:
        """So many bytes, or all that are left."""
        piece = self._stream.read(size)
        self.position += len(piece)
        if self.position > self._most:
            raise UnreadableSubmission(
                f"the archive unpacks to more than {self._most:,} bytes; leave out data and checkpoints",
                waits=True,
            )
        return piece

    def exactly(self, size: int) -> bytes:
        """So many bytes, in one piece."""
        piece = self.read(size)
        if len(piece) < size:
            raise DamagedArchive("its end is missing")
        return piece

    def skip_to(self, position: int) -> None:
        """Go forward."""
        while self.position < position:
            if not self.read(min(position - self.position, _CHUNK)):
                raise DamagedArchive("its end is missing")

    def drain(self) -> None:
        """Read to the end, where a compressed stream's checksum is compared."""
        while self.read(_CHUNK):
            pass


@dataclass(frozen=True)
class _Stored:
    """A member, and where its bytes lie in the unpacked archive."""

    name: str
    kind: str
    start: int
    size: int


class TarSource:
    """An open tar archive. Listing and reading each go through it once, front to back.

    Args:
        file: the archive.
        decompress: what is in a compressed one; None where it is not compressed.
        most: how many bytes it may unpack to.
    """

    def __init__(self, file: BinaryIO, decompress: Decompress | None = None, most: int | None = None) -> None:
        self._file = file
        self._decompress = decompress
        self._most = MAX_UNPACKED_BYTES if most is None else most
        self._stored: list[_Stored] = []
        self.remarks: tuple[str, ...] = ()

    def members(self) -> list[Member]:
        reader = self._from_the_start()
        self._stored = []
        for stored in self._headers(reader):
            if len(self._stored) == MAX_MEMBERS:
                raise too_many()
            self._stored.append(stored)
            reader.skip_to(stored.start + stored.size + _padding(stored.size))
        reader.drain()
        return [Member(index, stored.name, stored.kind) for index, stored in enumerate(self._stored)]

    def each(self, wanted: Mapping[str, Member]) -> Iterator[tuple[str, Read]]:
        reader = self._from_the_start()
        for name, member in sorted(wanted.items(), key=lambda item: item[1].index):
            stored = self._stored[member.index]
            reader.skip_to(stored.start)
            yield name, partial(self._read, reader, stored)

    def _read(self, reader: _ForwardReader, stored: _Stored, most: int) -> bytes:
        return reader.exactly(min(stored.size, most))

    def _from_the_start(self) -> _ForwardReader:
        self._file.seek(0)
        if self._decompress is None:
            return _ForwardReader(self._file, self._most)
        return _ForwardReader(io.BufferedReader(self._decompress(self._file), _CHUNK), self._most)

    def _headers(self, reader: _ForwardReader) -> Iterator[_Stored]:
        """The members, with the reader at the bytes of each."""
        headers = _Headers(reader)
        while (stored := headers.next_member()) is not None:
            yield stored
        if headers.without_end:
            self.remarks = ("the archive has no end mark and may be cut off",)


class _Headers:
    """Goes from header to header, with a cap on what they may hold."""

    def __init__(self, reader: _ForwardReader) -> None:
        self._reader = reader
        self._left = MAX_HEADERS_BYTES
        self.without_end = False

    def next_member(self) -> _Stored | None:
        """The next member, or None at the end."""
        name: bytes | None = None
        said: dict[bytes, bytes] = {}
        header = self._next_header()
        for _ in range(_MAX_EXTENSIONS):
            if header is None or not header.extends:
                break
            body = self._extension(header)
            if header.type in LONG_NAME:
                name = body.partition(b"\0")[0]
            elif header.type in RECORDS:
                said = records(body)
            header = self._next_header()
            if header is None:
                raise DamagedArchive("its end is missing")
        if header is None:
            return None
        if header.extends:
            raise DamagedArchive(f"more than {_MAX_EXTENSIONS} headers in it tell about one member")
        if header.continued:
            self._skip_map()
        name = said.get(b"path", header.name if name is None else name)
        is_sparse = any(key.startswith(b"GNU.sparse.") for key in said)
        name = said.get(b"GNU.sparse.name", name)
        return _Stored(
            name=checked_path(name.decode("utf-8", "surrogateescape")),
            kind=SPARSE if is_sparse else header.kind(name),
            start=self._reader.position,
            size=header.stored(number(said[b"size"]) if b"size" in said else header.size),
        )

    def _next_header(self) -> Header | None:
        block = self._reader.read(BLOCK)
        if block.count(0) == BLOCK:
            return None
        if not block:
            self.without_end = True
            return None
        if len(block) < BLOCK:
            raise DamagedArchive("its end is missing")
        return read_header(block)

    def _extension(self, header: Header) -> bytes:
        """What a header tells about the next member."""
        if header.size > MAX_HEADER_BYTES:
            raise _too_long()
        self._spend(header.size)
        return self._reader.exactly(header.size + _padding(header.size))[: header.size]

    def _skip_map(self) -> None:
        """Pass over where the holes of a sparse file are, in the older kind of such files."""
        continued = True
        while continued:
            self._spend(BLOCK)
            continued = self._reader.exactly(BLOCK)[504] != 0

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _too_long()


def _padding(size: int) -> int:
    return -size % BLOCK


def _too_long() -> UnreadableSubmission:
    return UnreadableSubmission(
        "a header in it is too long; make the archive anew, as a zip, or without extended attributes"
    )

"""Read members of a zip archive in memory."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from typing import BinaryIO

from grader.submission.model import MAX_DIRECTORY_BYTES, MAX_MEMBERS, UnreadableSubmission
from grader.submission.unpacking import (
    DEVICE,
    FILE,
    FOLDER,
    LINK,
    DamagedArchive,
    Member,
    Read,
    checked_path,
    too_many,
)

# Both unpack in bounded memory. LZMA does not: its header may ask for a dictionary of 4 GB.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_SPANNED = b"PK\7\x08"  # may stand before the first member of an archive that was to have several volumes


class _BoundedFile(io.RawIOBase):
    """A file that refuses to hand over more than the cap in one piece.

    `zipfile` reads the whole table of contents at once, and as long as the archive says it is.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        file.seek(0)

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._size - self._file.tell() if size is None or size < 0 else size
        if wanted > MAX_DIRECTORY_BYTES:
            raise too_many()
        return self._file.read(wanted)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


class ZipSource:
    """An open zip archive."""

    remarks: tuple[str, ...] = ()

    def __init__(self, file: BinaryIO) -> None:
        self._archive = zipfile.ZipFile(_BoundedFile(file))
        self._infos = self._archive.infolist()
        if len(self._infos) > MAX_MEMBERS:
            raise too_many()
        # `zipfile` looks for the table of contents from the end, and allows anything before its files.
        # In an archive that was cut off within an archive that it holds, it finds the table of the inner one.
        start = min((info.header_offset for info in self._infos), default=self._archive.start_dir)
        if start not in (0, len(_SPANNED)):
            raise DamagedArchive("it begins before the first file in its table of contents")

    def members(self) -> list[Member]:
        return [
            Member(index, checked_path(info.filename), _kind(info)) for index, info in enumerate(self._infos)
        ]

    def each(self, wanted: Mapping[str, Member]) -> Iterator[tuple[str, Read]]:
        for name, member in wanted.items():
            yield name, partial(self._read, name, self._infos[member.index])

    def _read(self, name: str, info: zipfile.ZipInfo, most: int) -> bytes:
        if info.flag_bits & _ENCRYPTED:
            raise UnreadableSubmission(
                f"{name} in the archive is encrypted; hand in an archive without a password", waits=True
            )
        if info.compress_type not in _METHODS:
            raise UnreadableSubmission(
                f"{name} is compressed in an unusual way; make the archive with deflate, the usual method",
                waits=True,
            )
        with self._archive.open(info) as stream:
            return stream.read(most)


def _kind(info: zipfile.ZipInfo) -> str:
    # The upper half holds the file mode where a Unix tool wrote the archive, else nothing.
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return LINK
    if kind == stat.S_IFDIR or info.is_dir():
        return FOLDER
    return FILE if kind in (0, stat.S_IFREG) else DEVICE

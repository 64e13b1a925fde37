"""What a file is, told by its first bytes and by nothing else: names are what students make them."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from grader.files import open_plainly
from grader.submission.names import is_archive
from grader.submission.tar_header import BLOCK, read_header
from grader.submission.unpacking import DamagedArchive

ZIP, TAR, GZIP, BZIP2, XZ = "zip", "tar", "gzip", "bzip2", "xz"
READABLE = frozenset({ZIP, TAR, GZIP, BZIP2, XZ})
SEVEN_ZIP, RAR, ZSTANDARD, COMPRESS = "7z", "rar", "Zstandard", "compress (.Z)"
LZMA, LZIP, LZ4, CABINET = "lzma", "lzip", "lz4", "cabinet"
FOREIGN = frozenset(  # archives that nothing here reads
    {SEVEN_ZIP, RAR, ZSTANDARD, COMPRESS, LZMA, LZIP, LZ4, CABINET}
)
PDF, OFFICE, ARRAYS = "PDF", "office document", "file of tensors or arrays"

HEAD = BLOCK  # how many bytes tell

_STARTS = (
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),  # without a member
    (b"PK\x07\x08", ZIP),  # of several volumes
    (b"\x1f\x8b", GZIP),
    (b"BZh", BZIP2),
    (b"\xfd7zXZ\x00", XZ),
    (b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    (b"Rar!\x1a\x07", RAR),
    (b"\x28\xb5\x2f\xfd", ZSTANDARD),
    (b"\x1f\x9d", COMPRESS),
    (b"\x5d\0\0", LZMA),
    (b"LZIP", LZIP),
    (b"\x04\x22\x4d\x18", LZ4),
    (b"MSCF\0\0\0\0", CABINET),
    (b"%PDF-", PDF),
)


# Documents and tensors are zips, too: the first member tells them.
_OFFICE = re.compile(rb"(?:\[Content_Types\]\.xml|_rels/|docProps/|word/|xl/|ppt/|mimetype)")
_ARRAYS = re.compile(rb"(?:[^/]{1,100}/data\.pkl|[^/]{1,100}\.npy)")


def kind_of(head: bytes) -> str:
    """What a file with these first bytes is; empty for anything that is none of the kinds above.

    Args:
        head: its first `HEAD` bytes, or all of them.
    """
    for start, kind in _STARTS:
        if head.startswith(start):
            return _kind_of_zip(head) if kind == ZIP else kind
    return TAR if _is_tar(head) else ""


def kind_of_file(path: Path) -> str:
    """What a plain file is; empty for what is no plain file, or cannot be read. Follows no link."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):  # opening a device can have effects
            return ""
        with open_plainly(path) as file:
            return kind_of(file.read(HEAD)) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else ""
    except OSError:
        return ""


def is_archive_kind(kind: str) -> bool:
    """Whether this is a kind of archive, also of one that nothing here reads."""
    return kind in READABLE or kind in FOREIGN


def is_archive_file(path: Path, name: str = "") -> bool:
    """Whether a file is an archive, also of a kind that is not accepted: by its name or by its content.

    Args:
        path: where it lies.
        name: what the student called it, where that is not the path's own name.
    """
    return is_archive(name or path.name) or is_archive_kind(kind_of_file(path))


def _kind_of_zip(head: bytes) -> str:
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if _OFFICE.match(first):
        return OFFICE
    return ARRAYS if _ARRAYS.fullmatch(first) else ZIP


def _is_tar(head: bytes) -> bool:
    if len(head) < BLOCK:
        return False
    if head[257:262] == b"ustar":
        return True
    # The oldest kind has no mark, but a name and a checksum.
    try:
        return head[0] != 0 and bool(read_header(head[:BLOCK]).name)
    except (DamagedArchive, ValueError, IndexError):
        return False

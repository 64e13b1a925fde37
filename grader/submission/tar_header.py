"""The headers of a tar archive: what they say about a member's name, kind and size, in ustar, GNU and pax.

Python's `tarfile` goes further: it reads an extended header of digits in time that grows with the square of
its length, and the map of a sparse file into memory, however long that is. Here time and memory are in
proportion to the bytes of the header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.submission.unpacking import (
    DEVICE,
    FILE,
    FOLDER,
    LINK,
    SPARSE,
    DamagedArchive,
)

BLOCK = 512

LONG_NAME, LONG_LINK = b"L", b"K"
RECORDS, GLOBAL_RECORDS = b"xX", b"g"
EXTENSIONS = LONG_NAME + LONG_LINK + RECORDS + GLOBAL_RECORDS  # not members: they tell about the next one
_OLD_FILE, _FOLDER = b"\0", b"5"
_KINDS = {
    _OLD_FILE: FILE,
    b"0": FILE,
    b"7": FILE,
    b"S": SPARSE,
    b"1": LINK,
    b"2": LINK,
    b"3": DEVICE,
    b"4": DEVICE,
    _FOLDER: FOLDER,
    b"6": DEVICE,
}
_WITHOUT_DATA = b"123456"  # whatever size their headers claim

_OCTAL = re.compile(rb" *([0-7]*)[ \0]*", re.DOTALL)
_LONGEST_NUMBER = 20  # digits


@dataclass(frozen=True)
class Header:
    """What a header says.

    Attributes:
        name: of the member, as far as there is room for it.
        size: of what follows, in bytes.
        type: one byte; see `EXTENSIONS` and `kind`.
        continued: whether another block of the map of a sparse file follows.
    """

    name: bytes
    size: int
    type: bytes
    continued: bool

    @property
    def extends(self) -> bool:
        """Whether this is no member, but tells about the next one."""
        return self.type in EXTENSIONS

    def kind(self, name: bytes) -> str:
        """What the member is, by the name that it has in the end."""
        if self.type == _OLD_FILE and name.endswith(b"/"):
            return FOLDER
        return _KINDS.get(self.type, DEVICE)

    def stored(self, size: int) -> int:
        """How many bytes of it lie in the archive, where it is said to be so long."""
        return 0 if self.type in _WITHOUT_DATA else size


def read_header(block: bytes) -> Header:
    """Read the header in a block.

    Raises:
        DamagedArchive: its checksum is wrong, or a number is none.
    """
    rest = block[:148] + block[156:]
    total = sum(rest) + 8 * ord(" ")
    if _number(block[148:156]) not in (total, total - 256 * sum(byte > 127 for byte in rest)):  # old, signed
        raise DamagedArchive("a header in it is broken")
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else b""
    kind = block[156:157]
    return Header(
        name=prefix + b"/" + name if prefix else name,
        size=_number(block[124:136]),
        type=kind,
        continued=kind == b"S" and block[482] != 0,
    )


def records(body: bytes) -> dict[bytes, bytes]:
    """The records of a pax header: each a length in digits, a blank, `key=value`, a line's end.

    Raises:
        DamagedArchive: one of them is no record.
    """
    found = {}
    position, end = 0, len(body.rstrip(b"\0"))
    while position < end:
        start = body.find(b" ", position, position + _LONGEST_NUMBER) + 1
        digits = body[position : start - 1] if start else b""
        after = position + int(digits) if digits.isdigit() else 0
        equals = body.find(b"=", start, after)
        if equals < 0 or not body.startswith(b"\n", after - 1):
            raise DamagedArchive("an extended header in it is broken")
        found[body[start:equals]] = body[equals + 1 : after - 1]
        position = after
    return found


def number(digits: bytes) -> int:
    """A number in a record.

    Raises:
        DamagedArchive: it is none, or has too many digits.
    """
    if not digits.isdigit() or len(digits) > _LONGEST_NUMBER:
        raise DamagedArchive("an extended header in it is broken")
    return int(digits)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """A number in octal digits or, where its first bit is set, in binary."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    match = _OCTAL.fullmatch(field.partition(b"\0")[0])
    if match is None:  # among them what is negative
        raise DamagedArchive("a header in it is broken")
    return int(match[1] or b"0", 8)

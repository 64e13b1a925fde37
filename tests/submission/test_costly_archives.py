"""Archives made to cost the reader time or memory: small to upload, and read or refused within a second."""

from __future__ import annotations

import gzip
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.submission import FIGURES, read_submission
from grader.submission.model import MAX_MEMBERS

SECONDS = 2  # of CPU time: each takes less than one; what they were made for took 20 or more
BYTES = 60_000_000
UTILS = "part1/utils.py"


def header(name: str, size: int = 0, kind: bytes = b"0") -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def with_body(name: str, kind: bytes, body: bytes) -> bytes:
    return header(name, len(body), kind) + body + bytes(-len(body) % 512)


def pax(body: bytes) -> bytes:
    return with_body("x", b"x", body)


def record(key: str, value: str) -> bytes:
    rest = f" {key}={value}\n"
    length = len(rest) + 1
    while len(f"{length}{rest}") != length:
        length += 1
    return f"{length}{rest}".encode()


def long_name(name: bytes) -> bytes:
    return with_body("././@LongLink", b"L", name + b"\0")


def digits_in_one_header() -> bytes:
    return pax(b"1" * 80_000) + header(UTILS)


def digits_in_every_header() -> bytes:
    return (pax(b"1" * 8_000) + header(UTILS)) * 1_000


def short_records_in_every_header() -> bytes:
    return (pax(b"6 a=b\n" * 2_000) + header("x")) * (MAX_MEMBERS - 1)


def global_headers() -> bytes:
    """Were they remembered, they would be for all members that follow."""
    filled = [b"".join(record(f"{part}{k}", "") for k in range(400)) for part in range(20)]
    return b"".join(with_body("g", b"g", body) for body in filled) * 50 + header(UTILS)


def headers_without_a_member() -> bytes:
    return pax(b"") * 300_000


def sparse_map() -> bytes:
    about = {"major": "1", "minor": "0", "name": UTILS, "realsize": "10"}
    entries = 5_000_000
    return pax(b"".join(record(f"GNU.sparse.{key}", value) for key, value in about.items())) + with_body(
        "part1/x", b"0", str(entries).encode() + b"\n" + b"0\n" * entries * 2
    )


def sparse_headers() -> bytes:
    """The older kind: a header that is continued, block after block."""
    block = bytearray(header(UTILS, 0, b"S"))
    block[482] = 1
    block[148:156] = b"%06o\0 " % (256 + sum(block[:148]) + sum(block[156:]))
    return bytes(block) + (bytes(504) + b"\1" + bytes(7)) * 200_000


def long_names() -> bytes:
    return (long_name(b"a/" * 1_048_000) + header("y")) * 20


def names_of_4_kb() -> bytes:
    return (long_name(b"a" * 4_000) + header("y")) * (MAX_MEMBERS - 1)


def deep_names() -> bytes:
    return (long_name(b"w/.g/" + b"part1/" * 600) + header("y")) * 1_000


def one_deep_name() -> bytes:
    return long_name(b"w/.g/" + b"part1/" * 40_000) + header("y")


TARS = [
    digits_in_one_header,
    digits_in_every_header,
    global_headers,
    headers_without_a_member,
    sparse_map,
    sparse_headers,
    long_names,
    names_of_4_kb,
    deep_names,
    one_deep_name,
]


def cheap(path: Path, memory: bool = True) -> str:
    """Read a submission for little, twice: for time and, since that takes time to measure, for memory.

    Args:
        path: the submission.
        memory: whether to measure memory.

    Returns:
        Why it could not be read.
    """
    start = time.process_time()
    submission = read_submission(path, shown=FIGURES)
    seconds = time.process_time() - start
    assert seconds < SECONDS
    assert submission.fault in ("", "student")
    assert len(submission.warnings) < 20
    if not memory:
        return submission.error
    tracemalloc.start()
    try:
        read_submission(path, shown=FIGURES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < BYTES
    return submission.error


@pytest.mark.parametrize("attack", TARS)
def test_a_tar_costs_little(tmp_path, attack: Callable[[], bytes]):
    path = tmp_path / "s1.tar.gz"
    path.write_bytes(gzip.compress(attack() + bytes(1024), 6))
    assert path.stat().st_size < 1_500_000
    cheap(path)


def test_many_short_records(tmp_path):
    path = tmp_path / "s1.tar.gz"
    path.write_bytes(gzip.compress(short_records_in_every_header(), 6))
    assert "a header in it is too long" in cheap(path, memory=False)


def test_many_gzip_streams_one_after_the_other(tmp_path):
    path = tmp_path / "s1.tar.gz"
    path.write_bytes(gzip.compress(header(UTILS) + bytes(1024)) + gzip.compress(b"") * 500_000)
    assert "compressed in more than 1,000 pieces" in cheap(path)


def test_a_long_name_in_a_gzip_header(tmp_path):
    path = tmp_path / "s1.tar.gz"
    packed = gzip.compress(header(UTILS) + bytes(1024))
    path.write_bytes(packed[:3] + b"\x08" + packed[4:10] + b"a" * 20_000_000 + b"\0" + packed[10:])
    assert cheap(path) == ""


def test_deep_names_in_a_zip(tmp_path):
    path = tmp_path / "s1.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(58):
            archive.writestr("w/.g/" + "part1/" * 10_900 + str(number), "")
    assert "a name that is too long" in cheap(path)


def test_names_just_within_the_bounds(tmp_path):
    path = tmp_path / "s1.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(MAX_MEMBERS - 1):
            archive.writestr("/".join([".g", *["part1"] * 58, str(number)]), "")
    cheap(path)


@pytest.mark.parametrize("depth", [65, 500])
def test_a_name_of_too_many_folders(tmp_path, depth):
    path = tmp_path / "s1.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/" * depth + "x.py", "")
    assert "a name of more than 64 folders" in read_submission(path).error


def test_a_member_that_is_there_thousands_of_times(tmp_path):
    path = tmp_path / "s1.tar.gz"
    path.write_bytes(gzip.compress(header(UTILS) * (MAX_MEMBERS - 1) + bytes(1024)))
    assert cheap(path) == ""
    assert read_submission(path).warnings == (
        f"{UTILS} is in the archive more than once; the last one counts",
    )

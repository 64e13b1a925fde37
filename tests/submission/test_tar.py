"""Tars as the usual tools write them, and headers that break the rules."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from grader.submission import FIGURES, read_submission

from .test_costly_archives import header, long_name, pax, record
from .wrapping import refused, write_folder

UTILS = "part1/utils.py"
LONG = "figures/" + "a long name, /" * 12 + "plot.png"


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def member(name: str, content: bytes = b"", kind: bytes = b"0") -> bytes:
    return header(name, len(content), kind) + content + bytes(-len(content) % 512)


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no tar on this machine")
@pytest.mark.parametrize("style", ["v7", "oldgnu", "gnu", "ustar", "pax"])
@pytest.mark.parametrize("name", ["s1.tar", "s1.tar.gz"])
def test_what_gnu_tar_writes(tmp_path, files, style, name):
    """With long names where the format has room for them, links, and a file with holes."""
    folder = write_folder(tmp_path / "s1", files | {"report.ipynb": b"{}"})
    if style not in ("v7", "ustar"):
        write_folder(folder, {LONG: b"x", "part1/checkpoints/" + "é" * 60 + "/" + "x" * 120: b"x"})
        (folder / "figures" / "link").symlink_to("x" * 200)
        with (folder / "last.ckpt").open("wb") as file:
            for place in range(0, 40_000_000, 1_000_000):  # more pieces than one header has room for
                file.seek(place)
                file.write(b"x")
    packed = ["-z"] if name.endswith("gz") else []
    holes = ["-S"] if style not in ("v7", "ustar") else []
    command = ["tar", "-c", *packed, *holes, f"--format={style}", "-f", str(tmp_path / name), "s1"]
    subprocess.run(command, cwd=tmp_path, check=True)
    submission = read_submission(tmp_path / name, shown=FIGURES)
    assert (submission.files, submission.error, submission.warnings) == (files, "", ())
    assert submission.shown == {"report.ipynb": b"{}"}


@pytest.mark.parametrize("style", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_python_writes(tmp_path, files, style):
    folder = write_folder(tmp_path / "s1", files | {"figures/" + "a" * 90 + "/" + "b" * 90 + ".png": b"x"})
    with tarfile.open(tmp_path / "s1.tar.gz", "w:gz", format=style) as archive:
        archive.add(folder, "s1")
    submission = read_submission(tmp_path / "s1.tar.gz", shown=FIGURES)
    assert submission.files == files
    assert list(submission.shown.values()) == [b"x"]


def test_what_a_mac_writes(tmp_path, files):
    """AppleDouble files beside the files, times and attributes in pax headers, of files and of folders."""
    about = {
        "mtime": "1700000000.123456789",
        "LIBARCHIVE.creationtime": "1700000000",
        "LIBARCHIVE.xattr.com.apple.provenance": "AQIAnfg7zFrKbAU",
        "SCHILY.xattr.com.apple.provenance": "\1\2\0;Z\n=l\5",
        "LIBARCHIVE.xattr.com.apple.metadata:kMDItemWhereFroms": "Yn" * 2_000,
    }
    content = pax(b"".join(record(*entry) for entry in about.items())) + member("s1/", kind=b"5")
    for name, text in files.items():
        place, _, last = name.rpartition("/")
        content += member(f"s1/{place}/._{last}", bytes(163))
        content += pax(b"".join(record(*entry) for entry in [*about.items(), ("path", f"s1/{name}")]))
        content += member("cut", text)
    submission = read_submission(write(tmp_path / "s1.tar.gz", content + bytes(1024)))
    assert (submission.files, submission.warnings) == (files, ())


def test_what_git_archive_writes(tmp_path, files):
    commit = record("comment", "0123456789" * 4)
    content = header("pax_global_header", len(commit), b"g") + commit + bytes(512 - len(commit))
    for name, text in files.items():
        content += member(f"s1/{name}", text)
    assert read_submission(write(tmp_path / "s1.tar", content + bytes(1024))).files == files


def test_a_pax_header_may_say_how_long_a_file_is(tmp_path):
    content = pax(record("size", "3")) + header(UTILS) + b"abc" + bytes(509) + member("part1/after", b"x")
    submission = read_submission(write(tmp_path / "s1.tar", content + bytes(1024)))
    assert submission.files == {UTILS: b"abc"}
    assert submission.warnings == ()


def test_a_size_in_binary(tmp_path):
    block = bytearray(header(UTILS))
    block[124:136] = b"\x80" + bytes(10) + b"\3"
    block[148:156] = b"%06o\0 " % (256 + sum(block[:148]) + sum(block[156:]))
    submission = read_submission(write(tmp_path / "s1.tar", bytes(block) + b"abc" + bytes(509 + 1024)))
    assert submission.files == {UTILS: b"abc"}


def test_streams_one_after_the_other_are_one(tmp_path, files):
    """Some tools compress in pieces, and some fill up with zeros."""
    whole = b"".join(member(name, text) for name, text in files.items()) + bytes(1024)
    pieces = [gzip.compress(whole[place : place + 700]) for place in range(0, len(whole), 700)]
    (tmp_path / "s1.tar.gz").write_bytes(b"".join(pieces) + bytes(70_000))
    assert read_submission(tmp_path / "s1.tar.gz").files == files


def test_a_name_that_counts_is_a_sparse_file(tmp_path):
    about = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": UTILS}
    content = pax(b"".join(record(*entry) for entry in about.items())) + member("part1/x", b"0\n")
    refused(
        read_submission(write(tmp_path / "s1.tar", content + bytes(1024))),
        f"{UTILS} in the archive is a sparse file; hand in the file itself",
    )


BROKEN = {
    "no record": pax(b"1" * 500) + member(UTILS),
    "a record without an end": pax(b"10 a=b\n") + member(UTILS),
    "a record of no length": pax(b"0 a=b\n") + member(UTILS),
    "a record that lacks a value": pax(b"5 ab\n") + member(UTILS),
    "a size that is none": pax(record("size", "-3")) + member(UTILS),
    "a size of many digits": pax(record("size", "1" * 5000)) + member(UTILS),
    "a size beyond the end": header(UTILS, 5_000),
    "nothing behind a long name": long_name(b"part1/utils.py"),
    "only extended headers": pax(record("path", UTILS)) * 9 + member(UTILS),
    "a wrong checksum": member(UTILS).replace(b"ustar", b"mstar"),
    "garbage behind a member": member(UTILS) + b"x" * 512,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_tar_is_refused(tmp_path, content):
    refused(read_submission(write(tmp_path / "s1.tar.gz", content + bytes(1024))), "damaged or cut off")


def test_a_header_that_says_it_is_huge(tmp_path):
    path = write(tmp_path / "s1.tar.gz", header("x", 8**10, b"x") + bytes(2048))
    refused(read_submission(path), "a header in it is too long")


def test_python_reads_the_same(tmp_path, files):
    """Whatever is read here is what `tarfile` would have unpacked."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, text in (files | {LONG: b"x" * 5000, "naïve/é.py": b""}).items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(text), 0.5
            archive.addfile(info, io.BytesIO(text))
    with tarfile.open(fileobj=io.BytesIO(content.getvalue())) as archive:
        expected = {info.name: archive.extractfile(info).read() for info in archive}
    from grader.submission.tar import TarSource
    from grader.submission.unpacking import read_wanted

    source = TarSource(io.BytesIO(content.getvalue()))
    assert read_wanted(source, {each.name: each for each in source.members()}, 10**6) == expected

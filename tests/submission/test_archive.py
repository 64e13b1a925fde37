"""Submissions that are archives, honest and otherwise."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import time
import tracemalloc
import zipfile

import pytest

from grader.submission import read_submission
from grader.submission.model import MAX_FILE_BYTES, MAX_MEMBERS, Submission

from .wrapping import refused, write_tar, write_zip

WRITERS = [("s1.zip", write_zip), ("s1.tar", write_tar), ("s1.tar.gz", write_tar), ("s1.tgz", write_tar)]
each_kind = pytest.mark.parametrize(("name", "write"), WRITERS, ids=[name for name, _ in WRITERS])


@each_kind
def test_the_named_files_are_read(tmp_path, files, name, write):
    extra = {"report.ipynb": b"{}", "figures/a.png": b"x" * 2_000_000, "part1/__pycache__/utils.pyc": b""}
    assert read_submission(write(tmp_path / name, {**files, **extra})) == Submission("s1", files)
    assert os.listdir(tmp_path) == [name]


@each_kind
@pytest.mark.parametrize("prefix", ["./", "my answer/", "./s1/"])
def test_one_wrapping_folder_is_accepted(tmp_path, files, name, write, prefix):
    members = {prefix + file: content for file, content in files.items()}
    members["__MACOSX/part1/._utils.py"] = b"clutter"
    assert read_submission(write(tmp_path / name, members)).files == files


@each_kind
def test_parts_below_two_wrapping_folders_are_read(tmp_path, files, name, write):
    submission = read_submission(write(tmp_path / name, {f"a/b/{file}": x for file, x in files.items()}))
    assert submission.files == files
    assert submission.warnings == ("a/b/part1 was read as part1", "a/b/part2 was read as part2")


@each_kind
def test_parts_in_several_folders_are_ambiguous(tmp_path, name, write):
    submission = read_submission(write(tmp_path / name, {"a/part1/utils.py": b"", "b/part1/utils.py": b""}))
    refused(submission, "several folders", "a, b")
    assert submission.review == submission.error


@each_kind
def test_an_archive_without_parts(tmp_path, name, write):
    submission = read_submission(write(tmp_path / name, {"essay.txt": b""}))
    assert (submission.files, submission.error) == ({}, "")
    assert "neither part1/ nor part2/" in submission.warnings[0]


@each_kind
def test_foreign_modules_get_a_warning(tmp_path, files, name, write):
    submission = read_submission(
        write(tmp_path / name, {**files, "part1/blocks.py": b"", "part1/mnist.py": b""})
    )
    assert submission.warnings == (
        "part1/blocks.py is not one of the files of the assignment and was not read",
    )


@each_kind
@pytest.mark.parametrize(
    "unsafe", ["../evil.py", "part1/../../evil.py", "/etc/evil.py", "..\\evil.py", "C:/evil.py"]
)
def test_an_unsafe_name_refuses_the_archive(tmp_path, files, name, write, unsafe):
    (tmp_path / "in").mkdir()
    submission = read_submission(write(tmp_path / "in" / name, {**files, unsafe: b"x"}))
    refused(submission, "unsafe name", unsafe)
    assert os.listdir(tmp_path) == ["in"]


@each_kind
def test_a_file_over_the_cap(tmp_path, files, name, write):
    files["part1/utils.py"] = b"#" * (MAX_FILE_BYTES + 1)
    refused(read_submission(write(tmp_path / name, files)), "part1/utils.py is larger than 1,000,000 bytes")


@each_kind
def test_a_bomb_is_refused_in_little_memory_and_time(tmp_path, files, name, write):
    files["part1/utils.py"] = bytes(150_000_000)
    path = write(tmp_path / name, files)
    tracemalloc.start()
    start = time.perf_counter()
    refused(read_submission(path), "part1/utils.py is larger than")
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000
    assert seconds < 10


def test_a_zip_that_lies_about_a_size(tmp_path, files):
    """The table of contents says 10 bytes; many more come out."""
    files["part1/utils.py"] = bytes(3_000_000)
    data = write_zip(tmp_path / "s1.zip", files).read_bytes()
    (tmp_path / "s1.zip").write_bytes(data.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 10)))
    submission = read_submission(tmp_path / "s1.zip")
    refused(submission, "damaged")


def test_a_tar_that_unpacks_to_more_than_the_cap(tmp_path, files, monkeypatch):
    monkeypatch.setattr("grader.submission.tar.MAX_UNPACKED_BYTES", 1_000_000)
    path = write_tar(tmp_path / "s1.tar.gz", {"figures/noise": bytes(2_000_000), **files})
    refused(read_submission(path), "unpacks to more than 1,000,000 bytes")


def test_an_archive_over_the_cap_on_disk(tmp_path, files, monkeypatch):
    monkeypatch.setattr("grader.submission.archive.MAX_ARCHIVE_BYTES", 100)
    refused(read_submission(write_zip(tmp_path / "s1.zip", files)), "larger than 100 bytes")


def test_a_tar_with_a_huge_extended_header(tmp_path):
    info = tarfile.TarInfo("part1/utils.py")
    info.pax_headers = {"comment": "x" * 5_000_000}
    path = tmp_path / "s1.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    refused(read_submission(path), "header in it is too long")


@each_kind
def test_too_many_members(tmp_path, files, name, write):
    members = {f"data/{number}": b"" for number in range(MAX_MEMBERS)}
    refused(read_submission(write(tmp_path / name, {**files, **members})), "more than 10,000 members")


def test_a_zip_with_a_huge_table_of_contents(tmp_path, files, monkeypatch):
    monkeypatch.setattr("grader.submission.zipped.MAX_DIRECTORY_BYTES", 100_000)
    members = {f"{number:05}{'x' * 200}": b"" for number in range(500)}
    refused(read_submission(write_zip(tmp_path / "s1.zip", {**files, **members})), "more than 10,000 members")


def link(name: str, kind: bytes, target: str = "../../secret.py") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("name", ["part1/utils.py", "part1"])
def test_a_tar_with_a_link_on_the_way_to_a_named_file(tmp_path, kind, name):
    path = write_tar(tmp_path / "s1.tar", {"part2/models.py": b""}, link(name, kind))
    refused(read_submission(path), f"{name} in the archive is a link")


def test_a_tar_with_a_device(tmp_path):
    path = write_tar(tmp_path / "s1.tar", {}, link("part1/utils.py", tarfile.CHRTYPE, ""))
    refused(read_submission(path), "part1/utils.py in the archive is a device")


def test_a_link_elsewhere_in_a_tar_is_harmless(tmp_path, files):
    path = write_tar(tmp_path / "s1.tar", files, link("logs/last.ckpt", tarfile.SYMTYPE, "epoch=3.ckpt"))
    assert read_submission(path).files == files


def test_a_zip_with_a_link(tmp_path):
    path = tmp_path / "s1.zip"
    info = zipfile.ZipInfo("part1/utils.py")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused(read_submission(path), "part1/utils.py in the archive is a link")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize(("name", "write"), WRITERS[:3])
def test_a_cut_off_archive(tmp_path, files, name, write, share):
    noise = {"figures/noise.png": os.urandom(50_000)}
    path = write(tmp_path / name, {**files, **noise})
    if name.endswith(".tar"):  # without the zeros that fill up the last record
        path.write_bytes(path.read_bytes().rstrip(b"\0"))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refused(read_submission(path), "damaged or cut off")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_that_is_cut_off_within_a_zip_in_it(tmp_path, files, method):
    """Python finds the inner table of contents, and would read an old copy for the submission."""
    old = write_zip(tmp_path / "old.zip", dict.fromkeys(files, b"old")).read_bytes()
    path = write_zip(tmp_path / "s1.zip", {"old.zip": old, **files}, method)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"PK", len(old) + 37) + 40])
    refused(read_submission(path), "damaged or cut off")


def test_a_zip_in_one_of_several_volumes(tmp_path, files):
    content = write_zip(tmp_path / "s1.zip", files).read_bytes()
    (tmp_path / "s2.zip").write_bytes(b"PK\7\x08" + content)
    assert read_submission(tmp_path / "s2.zip").files == files


def test_a_zip_without_a_member(tmp_path):
    submission = read_submission(write_zip(tmp_path / "s1.zip", {}))
    assert (submission.files, submission.error) == ({}, "")


def test_a_tar_that_ends_between_two_members_gets_a_warning(tmp_path, files):
    path = write_tar(tmp_path / "s1.tar", files)
    path.write_bytes(path.read_bytes()[: 1024 * len(files)])  # a header and a block each, no end mark
    submission = read_submission(path)
    assert submission.files == files
    assert submission.warnings == ("the archive has no end mark and may be cut off",)


def test_a_flipped_byte_in_a_compressed_tar(tmp_path, files):
    path = write_tar(tmp_path / "s1.tar.gz", {**files, "figures/noise.png": os.urandom(50_000)})
    data = bytearray(path.read_bytes())
    data[30_000] ^= 0xFF
    path.write_bytes(data)
    refused(read_submission(path), "damaged")


def test_garbage(tmp_path):
    for number, data in enumerate([b"", b"PK", b"PK\x05\x06", b"\x1f\x8b", b"garbage", os.urandom(5000)]):
        path = tmp_path / f"s{number}.zip"
        path.write_bytes(data)
        assert read_submission(path).fault == "student", data[:10]


def test_an_encrypted_zip(tmp_path, files):
    path = write_zip(tmp_path / "s1.zip", files)
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        position = data.find(signature)
        while position >= 0:
            data[position + offset] |= 1
            position = data.find(signature, position + 1)
    path.write_bytes(data)
    one = read_submission(path)
    refused(one, "is encrypted; hand in an archive without a password")
    assert one.review == one.error


def test_a_zip_with_an_unusual_method(tmp_path, files):
    path = write_zip(tmp_path / "s1.zip", files, zipfile.ZIP_LZMA)
    one = read_submission(path)
    refused(one, "compressed in an unusual way")
    assert one.review == one.error


def test_a_foreign_archive(tmp_path):
    (tmp_path / "s1.rar").write_bytes(b"Rar!\x1a\x07\x01\x00")
    refused(read_submission(tmp_path / "s1.rar"), "not accepted; hand in a zip, tar or tar.gz")


def test_the_contents_decide_not_the_suffix(tmp_path, files):
    path = write_tar(tmp_path / "s1.tar.gz", files).rename(tmp_path / "s1.zip")
    assert read_submission(path).files == files


def test_backslashes_of_some_windows_tools(tmp_path, files):
    path = write_zip(tmp_path / "s1.zip", {name.replace("/", "\\"): x for name, x in files.items()})
    assert read_submission(path).files == files


def test_names_that_are_not_utf8(tmp_path, files):
    odd = "figures/caf\udce9.png"
    assert read_submission(write_tar(tmp_path / "s1.tar", {**files, odd: b""})).files == files
    submission = read_submission(write_tar(tmp_path / "s2.tar", {**files, "part1/caf\udce9.py": b""}))
    assert submission.warnings[0].startswith("part1/caf\\xe9.py is not one of the files")


def test_a_file_that_is_there_twice(tmp_path):
    path = tmp_path / "s1.tar"
    with tarfile.open(path, "w") as archive:
        for content in (b"old", b"new"):
            info = tarfile.TarInfo("part1/utils.py")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    submission = read_submission(path)
    assert submission.files == {"part1/utils.py": b"new"}
    assert submission.warnings == ("part1/utils.py is in the archive more than once; the last one counts",)


@pytest.mark.timeout(10)
def test_a_named_pipe_called_like_an_archive(tmp_path):
    os.mkfifo(tmp_path / "s1.zip")
    refused(read_submission(tmp_path / "s1.zip"), "neither a folder nor a file")


def test_a_compressed_file_that_is_no_tar(tmp_path):
    (tmp_path / "s1.tgz").write_bytes(gzip.compress(b"hello" * 1000))
    one = read_submission(tmp_path / "s1.tgz")
    refused(one, "it is one compressed file and no archive")
    assert one.review

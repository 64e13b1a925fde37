"""What a thing in a cohort is, its content says: whatever students, browsers and the grader call it."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from grader.errors import GraderUsageError
from grader.submission import find_submissions, read_found
from grader.submission.kinds import ARRAYS, FOREIGN, OFFICE, PDF, READABLE, kind_of
from grader.submission.model import Submission

from .wrapping import write_folder, write_tar, write_zip

RUN = json.dumps({"seed": 7, "suite": "sha256:0", "environment": "sha256:0", "complete": True}).encode()
TABLE = b"submission,points,max_points\nada,1,22.5\n"
RESULT = json.dumps({"submission": "ada", "seed": 7, "items": []}).encode()


def read(cohort: Path) -> dict[str, Submission]:
    return {one.name: read_found(one) for one in find_submissions([cohort]).submissions}


def left_out(cohort: Path) -> dict[str, str]:
    return {one.path.name: one.reason for one in find_submissions([cohort]).left_out}


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("bob", "bob"),
        ("carla.zipx", "carla"),
        ("dora.zip.txt", "dora"),
        ("hal.docx", "hal"),
        ("mia.jar", "mia"),
        ("ivy.zip.crdownload", "ivy"),
        ("kim.zip.part", "kim"),
        ("leo.bin", "leo"),
        ("jane.doe", "jane.doe"),
        ("v1.2", "v1.2"),
        ("nina.rar", "nina"),
        ("ole.7z", "ole"),
        ("ann.pdf", "ann.pdf"),
        ("eva.tar.zip", "eva"),
    ],
)
def test_a_zip_is_read_whatever_it_is_called(tmp_path, files, name, student):
    write_zip(write_folder(tmp_path / "cohort", {}) / name, files)
    (one,) = read(tmp_path / "cohort").values()
    assert (one.name, one.files, one.error, one.review) == (student, files, "", "")
    assert left_out(tmp_path / "cohort") == {}
    assert [found.name for found in find_submissions([tmp_path / "cohort" / name]).submissions] == [student]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize(
    "name", ["bob", "bob.tbz", "bob.tgz", "bob.tar.bz2", "bob.tar.xz", "bob.txz", "bob.zip"]
)
def test_every_tar_is_read_whatever_it_is_called(tmp_path, files, mode, name):
    path = write_folder(tmp_path / "cohort", {}) / name
    with tarfile.open(path, mode) as archive:
        archive.add(write_folder(tmp_path / "src", files), "src")
    one = read(tmp_path / "cohort")["bob"]
    assert (one.files, one.error) == (files, "")


@pytest.mark.parametrize(
    ("name", "content", "student"),
    [
        ("jan.zst", b"x", "jan"),
        ("jan.tar.zst", b"\x28\xb5\x2f\xfd", "jan"),
        ("jan", b"7z\xbc\xaf\x27\x1c", "jan"),
        ("jan.zip", b"Rar!\x1a\x07\x01\x00", "jan"),
        ("jan.7z", b"7z\xbc\xaf\x27\x1c", "jan"),
        ("jan.tar.Z", b"\x1f\x9d\x90x", "jan"),
        ("jan", b"\x1f\x9d\x90x", "jan"),
        ("jan.tar.lzma", b"\x5d\x00\x00\x80\x00" + b"\xff" * 8 + b"\x00x", "jan"),
        ("jan.tlz", b"LZIP\x01x", "jan"),
        ("jan.tar.lz4", b"\x04\x22\x4d\x18x", "jan"),
        ("jan.cab", b"MSCF\0\0\0\0", "jan"),
        ("jan.sitx", b"StuffIt", "jan"),
        ("jan.dmg", b"x", "jan"),
        ("jan.arj", b"x", "jan"),
    ],
)
def test_an_archive_that_nothing_here_reads_has_a_row_that_waits(tmp_path, name, content, student):
    one = read(write_folder(tmp_path / "cohort", {name: content}))[student]
    assert one.files == {}
    assert "is not accepted; hand in a zip, tar or tar.gz" in one.review
    assert one.review == one.error


@pytest.mark.parametrize("name", ["eve.tbz", "eve"])
def test_a_damaged_archive_has_a_row_that_waits(tmp_path, name):
    one = read(write_folder(tmp_path / "cohort", {name: b"BZh9" + b"x" * 99}))["eve"]
    assert "damaged" in one.error
    assert one.review == one.error


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html><title>Sign in</title>", b"def KLD(mean, log_std): ...\n", b"\x91" * 600]
)
@pytest.mark.parametrize("name", ["eve.zip", "eve.tar", "eve.tar.gz", "eve.tgz", "eve/answer.zip"])
def test_what_is_no_archive_under_the_name_of_one_has_a_row_that_waits(tmp_path, name, content):
    one = read(write_folder(tmp_path / "cohort", {name: content}))["eve"]
    assert "neither a zip nor a tar nor a tar.gz" in one.error
    assert one.review == one.error


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("content", [b"# utils\n" * 200, b"x", b"{}", b"%PDF-1.4", b"PK\x03\x04"])
@pytest.mark.parametrize("name", ["eve.gz", "eve.tar.gz", "eve"])
def test_one_compressed_file_is_no_damaged_archive(tmp_path, name, content, pack):
    one = read(write_folder(tmp_path / "cohort", {name: pack(content)}))["eve"]
    assert "damaged" not in one.error
    assert "one compressed file" in one.review


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_a_compressed_tar_is_unpacked_up_to_a_cap(tmp_path, files, pack, monkeypatch):
    tar = write_tar(tmp_path / "s1.tar", files | {"figures/noise": bytes(3_000_000)}).read_bytes()
    path = write_folder(tmp_path / "cohort", {"s1.tar.xz": pack(tar)}) / "s1.tar.xz"
    assert read(tmp_path / "cohort")["s1"].files == files
    monkeypatch.setattr("grader.submission.tar.MAX_UNPACKED_BYTES", 2_000_000)
    assert "unpacks to more than 2,000,000 bytes" in read(tmp_path / "cohort")["s1"].error
    monkeypatch.undo()
    path.write_bytes(pack(tar)[:-20])
    assert "damaged or cut off" in read(tmp_path / "cohort")["s1"].error
    path.write_bytes(pack(b"") * 2_000)
    assert "more than 1,000 pieces" in read(tmp_path / "cohort")["s1"].error
    path.write_bytes(pack(tar[:10_000]) + pack(tar[10_000:]) + bytes(100))
    assert read(tmp_path / "cohort")["s1"].files == files


def test_an_xz_that_asks_for_much_memory_is_refused(tmp_path):
    big = lzma.compress(b"x" * 1000, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}])
    one = read(write_folder(tmp_path / "cohort", {"s1.tar.xz": big}))["s1"]
    assert "Memory usage limit" in one.error


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gus.pdf", b"%PDF-1.4", "PDF; "),
        ("gus", b"%PDF-1.7", "PDF; "),
        ("utils2.py", b"", ""),
        ("report.ipynb", b"{}", ""),
        ("notes.txt", b"x", ""),
        ("essay.docx", b"no zip", ""),
        ("README.md", b"", ""),
        ("empty", b"", ""),
        (".bob.zip", b"PK\3\4", "its name is a hidden one"),
    ],
)
def test_a_stray_file_is_named(tmp_path, files, name, content, told):
    write_folder(tmp_path / "cohort", {name: content})
    write_folder(tmp_path / "cohort" / "ada", files)
    found = find_submissions([tmp_path / "cohort"])
    assert [one.name for one in found.submissions] == ["ada"]
    assert left_out(tmp_path / "cohort")[name].startswith(told or "a submission is a folder or an archive")
    assert any(f"/{name}: skipped, " in line for line in found.warnings)


def test_documents_and_tensors_are_zips_and_no_submissions(tmp_path, files):
    cohort = write_folder(tmp_path / "cohort", {})
    write_zip(cohort / "essay.docx", {"[Content_Types].xml": b"<x/>", "word/document.xml": b""})
    write_zip(cohort / "grades.xlsx", {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b""})
    write_zip(cohort / "essay.odt", {"mimetype": b"application/vnd.oasis"}, zipfile.ZIP_STORED)
    write_zip(cohort / "last.ckpt", {"archive/data.pkl": b""})
    write_zip(cohort / "codes.npz", {"codes.npy": b""})
    write_zip(cohort / "ada", files)
    assert list(read(cohort)) == ["ada"]
    reasons = left_out(cohort)
    assert {name for name, reason in reasons.items() if reason.startswith(OFFICE)} == {
        "essay.docx",
        "essay.odt",
        "grades.xlsx",
    }
    assert {name for name, reason in reasons.items() if reason.startswith(ARRAYS)} == {
        "last.ckpt",
        "codes.npz",
    }


def test_clutter_stays_silent(tmp_path, files):
    clutter = (".DS_Store", "Thumbs.db", "thumbs.db", "desktop.ini", "._ada", "~$essay.docx", ".git/config")
    write_folder(tmp_path / "cohort", dict.fromkeys((*clutter, "__MACOSX/._x", "__pycache__/a.pyc"), b""))
    write_folder(tmp_path / "cohort" / "ada", files)
    assert find_submissions([tmp_path / "cohort"]).warnings == ()


def test_pipes_and_links_are_named(tmp_path, files):
    cohort = write_folder(tmp_path / "cohort", {})
    write_folder(cohort / "ada", files)
    write_zip(tmp_path / "elsewhere", files)
    os.mkfifo(cohort / "pipe")
    (cohort / "gone").symlink_to("nowhere")
    (cohort / "away").symlink_to(tmp_path / "elsewhere")
    assert left_out(cohort) == {
        "away": "a symbolic link",
        "gone": "a link that leads nowhere",
        "pipe": "neither a file nor a folder; a submission is a folder or an archive",
    }


BESIDE = {
    "index.html": b"<html></html>",
    "run.json": b'{"seed": 42, "epochs": 80}',
    "marks.csv": b"epoch,loss\n1,0.5\n",
    "similar.json": b"{}",
    "notes.html": b"",
    "results.json": b"{}",
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("wrapper", ["", "a3/", "a3/deep/"])
def test_a_file_called_like_one_of_the_graders_does_not_cost_a_student_the_marks(
    tmp_path, files, name, wrapper
):
    content = {f"{wrapper}{file}": text for file, text in files.items()} | {name: BESIDE[name]}
    write_folder(tmp_path / "cohort" / "ada", content)
    write_folder(tmp_path / "cohort" / "zoe", {})
    assert read(tmp_path / "cohort")["ada"].files == files
    (tmp_path / "cohort" / "zoe").rmdir()
    assert read(tmp_path / "cohort")["ada"].files == files  # also alone, as for Gradescope


@pytest.mark.parametrize("name", ["run.json", "marks.csv"])
def test_even_the_graders_own_file_does_not_hide_a_submission(tmp_path, files, name):
    own = {"run.json": RUN, "marks.csv": TABLE}[name]
    write_folder(
        tmp_path / "cohort" / "ada", {f"a3/{file}": text for file, text in files.items()} | {name: own}
    )
    assert read(tmp_path / "cohort")["ada"].files == files


@pytest.mark.parametrize("student", ["figures", "checkpoints", "lightning_logs", "lost+found"])
@pytest.mark.parametrize(
    "inside", ["part1/utils.py", "a3/part1/utils.py", "Part 1/utils.py", "handin.zip", "handin"]
)
def test_a_student_may_be_called_like_a_folder_of_tools(tmp_path, files, student, inside):
    content = {inside: b"x"}
    if inside.startswith("handin"):
        content = {inside: write_zip(tmp_path / "x", {"part1/utils.py": b"x"}).read_bytes()}
    write_folder(tmp_path / "cohort" / "ada", files)
    write_folder(tmp_path / "cohort" / student, content)
    assert read(tmp_path / "cohort")[student].files == {"part1/utils.py": b"x"}


@pytest.mark.parametrize("name", ["figures", "checkpoints", "lightning_logs"])
def test_a_folder_of_tools_without_a_submission_is_named(tmp_path, files, name):
    write_folder(tmp_path / "cohort" / "ada", files)
    write_folder(tmp_path / "cohort" / name, {"a.png": b"", "version_0/metrics.csv": b""})
    assert list(read(tmp_path / "cohort")) == ["ada"]
    assert left_out(tmp_path / "cohort")[name].startswith("a folder of this name")


@pytest.mark.parametrize(
    "content",
    [
        {"run.json": RUN},
        {"marks.csv": TABLE, "ada/results.json": b"{"},
        {"ada/results.json": RESULT, "ada/feedback.html": b"", "ada/figures/x.png": b""},
    ],
    ids=lambda content: next(iter(content)),
)
def test_what_the_grader_wrote_is_told_from_its_content(tmp_path, files, content):
    write_folder(tmp_path / "cohort" / "ada", files)
    write_folder(tmp_path / "cohort" / "marks of october", content)
    assert list(read(tmp_path / "cohort")) == ["ada"]
    assert left_out(tmp_path / "cohort") == {"marks of october": "it holds results of the grader"}


def test_five_flat_files_that_the_user_names(tmp_path, files):
    flat = {name.rpartition("/")[2]: text for name, text in files.items()}
    folder = write_folder(tmp_path / "ada", flat | {"figures/a.png": b""})
    (found,) = find_submissions([folder]).submissions
    assert (found.name, read_found(found).files) == ("ada", files)


def test_stray_files_do_not_turn_a_cohort_into_one_submission(tmp_path, files):
    flat = {name.rpartition("/")[2]: text for name, text in files.items()}
    for number, strays in enumerate((flat, {"utils.py": b""})):
        cohort = write_folder(tmp_path / str(number), strays)
        write_folder(cohort / "ada", files)
        write_zip(cohort / "bob.zip", files)
        assert list(read(cohort)) == ["ada", "bob"]
        assert left_out(cohort).keys() == strays.keys()


def test_students_beside_a_part_are_named(tmp_path, files):
    cohort = write_folder(tmp_path / "cohort", {"part1/utils.py": b""})
    for name in ("ada", "bob"):
        write_folder(cohort / name, files)
    (warning,) = find_submissions([cohort]).warnings
    assert "taken for one submission" in warning
    assert "ada, bob" in warning


def test_a_refusal_names_what_is_there(tmp_path):
    write_folder(tmp_path / "cohort", {"gus.pdf": b"%PDF-", "notes.txt": b""})
    with pytest.raises(
        GraderUsageError, match=r"no submissions in it, but gus\.pdf, notes\.txt; give a folder"
    ):
        find_submissions([tmp_path / "cohort"])


def test_archives_without_a_suffix_in_a_download(tmp_path, files):
    cohort = write_folder(tmp_path / "download", {"doejane_1_2_report.pdf": b"%PDF-"})
    write_zip(cohort / "doejane_1_3_answer", files)
    write_folder(cohort, {"roejo_4_5_report.pdf": b"%PDF-"})
    found = find_submissions([cohort])
    submissions = {one.name: read_found(one) for one in found.submissions}
    assert submissions["doejane_1"].files == files
    assert submissions["roejo_4"].warnings[0] == "none of its files is one of the assignment's: report.pdf"
    assert found.warnings == (
        "doejane_1: doejane_1_3_answer counts; beside it, and not read: doejane_1_2_report.pdf",
    )


@pytest.mark.parametrize("head", ["Jane Doe_13_assignsubmission_file_", "ada"])
def test_an_archive_for_each_part_in_a_students_folder(tmp_path, files, head):
    folder = write_folder(tmp_path / "download" / head, {})
    for part in ("part1", "part2"):
        write_zip(
            folder / f"{part}.zip", {name: text for name, text in files.items() if name.startswith(part)}
        )
    (one,) = read(tmp_path / "download").values()
    assert one.files == files


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", ""),
        (b"PK", ""),
        (b"PKzip is a program", ""),
        (b"BZ", ""),
        (b"%PDF-1.4", PDF),
        (bytes(512), ""),
        (b"x" * 512, ""),
        ((b"import torch\n" * 60)[:512], ""),
    ],
)
def test_first_bytes_of_no_archive(head, kind):
    assert kind_of(head) == kind
    assert kind not in READABLE | FOREIGN

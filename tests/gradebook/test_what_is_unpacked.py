"""What `nbgrader zip_collect` takes out of what was downloaded: nothing is left there without a word."""

from __future__ import annotations

import io
import logging
import tarfile
import zipfile
from pathlib import Path

import pytest

from grader.gradebook.downloads import DownloadExtractor
from grader.gradebook.handed_in import UNREADABLE


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    """The extractor keeps notes in the course, which is the current folder here."""
    (tmp_path / "course").mkdir()
    monkeypatch.chdir(tmp_path / "course")


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def extracted(tmp_path: Path) -> dict[str, bytes]:
    """What comes out of `archive/`, as paths of files."""
    out = tmp_path / "out"
    DownloadExtractor(log=logging.getLogger("downloads")).extract(str(tmp_path / "archive"), str(out))
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "place"),
    [("fay.zip", "fay"), ("lovelaceada_901_66002_a3.zip", "lovelaceada_901_66002_a3.zip")],
)
@pytest.mark.parametrize("inner", ["handin.zip", "a3/handin.zip", "handin.tar.gz"])
def test_an_archive_in_an_archive_is_unpacked_too(tmp_path, name, place, inner):
    """As `make grade` opens it; left in the archive, the student had handed in nothing."""
    files = {"part1/utils.py": b"pass", "report.ipynb": b"{}"}
    content = tarred(files) if inner.endswith(".gz") else zipped(files)
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / name).write_bytes(zipped({inner: content, "cover.txt": b"see within"}))
    expected = {f"{place}/{inner}/{file}": content for file, content in files.items()}
    assert extracted(tmp_path) == expected | {f"{place}/cover.txt": b"see within"}


def test_one_archive_for_each_part_within_an_archive(tmp_path):
    inner = {"part1.zip": zipped({"utils.py": b"1"}), "part2.zip": zipped({"utils.py": b"2"})}
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "ada.zip").write_bytes(zipped(inner))
    assert extracted(tmp_path) == {"ada/part1.zip/utils.py": b"1", "ada/part2.zip/utils.py": b"2"}


def test_archives_beside_the_code_are_named(tmp_path, caplog):
    content = zipped(
        {"part1/utils.py": b"pass", "old.zip": zipped({"part1/utils.py": b"old"}), "a.mp3": b"1"}
    )
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "ada.zip").write_bytes(content)
    assert extracted(tmp_path) == {"ada/part1/utils.py": b"pass"}
    assert caplog.messages == ["ada.zip: left out of it: a.mp3, old.zip"]


def test_an_archive_within_that_cannot_be_read_is_named(tmp_path, caplog):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "ada.zip").write_bytes(zipped({"a3.rar": b"Rar!\x1a\x07\x01\x00"}))
    (tmp_path / "archive" / "bob.zip").write_bytes(
        zipped({"a3.zip": zipped({"b.zip": zipped({"utils.py": b""})})})
    )
    expected = {f"{name}/{UNREADABLE}" for name in ("ada", "bob")}
    assert set(extracted(tmp_path)) == expected | {"ada/a3.rar"}  # which may hold the report
    assert "a3.rar in ada.zip: cannot be unpacked: this kind of archive, rar, is not accepted" in caplog.text
    assert "ada.zip: left out of it: a3.rar" in caplog.messages
    assert "a3.zip: left out of it: b.zip" in caplog.messages


@pytest.mark.parametrize("content", [tarred({"part1/utils.py": b"pass"}, "w"), b"7z\xbc\xaf\x27\x1c"])
@pytest.mark.parametrize("name", ["gus", "gus.bin"])
def test_what_is_an_archive_its_content_says(tmp_path, name, content):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / name).write_bytes(content)
    assert list(extracted(tmp_path)) == [f"{name}/{UNREADABLE if content[0] == 55 else 'part1/utils.py'}"]


def test_a_report_in_plain_text_is_unpacked(tmp_path):
    """It is shown like any other, and was thrown away without a word; notes beside the hand-ins are none."""
    archives = tmp_path / "archive"
    (archives / "Ada L_901_assignsubmission_file_").mkdir(parents=True)
    (archives / "Ada L_901_assignsubmission_file_" / "answers.txt").write_bytes(b"1.1: draw z")
    (archives / "bob.zip").write_bytes(zipped({"answers.txt": b"1.1", "timestamp.txt": b"2000-01-01"}))
    (archives / "notes.txt").write_bytes(b"the instructor's")
    files = {name: content for name, content in extracted(tmp_path).items() if not name.endswith(UNREADABLE)}
    assert files == {
        "Ada L_901_assignsubmission_file_/answers.txt": b"1.1: draw z",
        "bob/answers.txt": b"1.1",
    }


def test_the_page_of_brightspace_is_no_submission(tmp_path):
    (tmp_path / "archive").mkdir()
    name = "13394-80551 - Ada L - Mar 29, 2027 1205 PM - a3.zip"
    (tmp_path / "archive" / name).write_bytes(zipped({"part1/utils.py": b"pass"}))
    (tmp_path / "archive" / "index.html").write_bytes(b"<html>")
    assert list(extracted(tmp_path)) == [f"{name}/part1/utils.py"]


def test_a_link_among_the_downloads_is_named(tmp_path, caplog):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "hal.zip").symlink_to("elsewhere.zip")
    assert extracted(tmp_path) == {}
    assert caplog.messages == ["hal.zip: a symbolic link, skipped"]


CODE = dict.fromkeys(("part1/utils.py", "part1/train_pl.py", "part2/models.py"), b"pass")
PLATFORMS = {
    "Canvas": "lovelaceada_901_6600{number}_{name}",
    "Brightspace": "13394-80551 - Ada L - Mar 29, 2027 1205 PM - {name}",
    "Moodle": "Ada L_901_assignsubmission_file_/{name}",
    "a folder": "ada/{name}",
}


def handed_in_together(tmp_path: Path, platform: str, uploads: dict[str, bytes]) -> dict[str, bytes]:
    """What comes out of one student's uploads, without the folder that says whose it is."""
    for number, (name, content) in enumerate(uploads.items()):
        path = tmp_path / "archive" / PLATFORMS[platform].format(number=number, name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return {name.partition("/")[2]: content for name, content in extracted(tmp_path).items()}


def in_subfolder(folder: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("order", [1, -1])
def test_code_and_report_in_an_archive_each(tmp_path, platform, order):
    """Of two archives the last one alone was unpacked: the code was lost, or 17 answers."""
    uploads = [("code.zip", zipped(CODE)), ("report.zip", zipped({"report.ipynb": b"{}"}))]
    files = handed_in_together(tmp_path, platform, dict(uploads[::order]))
    assert {name.rpartition("/")[2] for name in files} >= {"utils.py", "models.py", "report.ipynb"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_archive_for_each_part(tmp_path, platform):
    parts = {
        f"{part}.zip": zipped({name: text for name, text in CODE.items() if name.startswith(part)})
        for part in ("part1", "part2")
    }
    files = handed_in_together(tmp_path, platform, parts)
    assert {name.rpartition("/")[2] for name in files} == {"utils.py", "train_pl.py", "models.py"}


@pytest.mark.parametrize("platform", ["Canvas", "Brightspace", "Moodle"])
def test_of_versions_the_latest_is_unpacked_and_the_other_is_named(tmp_path, caplog, platform):
    late = dict.fromkeys(CODE, b"late")
    files = handed_in_together(tmp_path, platform, {"a3.zip": zipped(CODE), "a4.zip": zipped(late)})
    assert files == late
    assert "a3.zip" in caplog.text


def test_code_in_an_archive_beside_the_report_in_an_archive(tmp_path):
    content = {"a3.zip": zipped(CODE), "report.ipynb": b"{}"}
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "ada.zip").write_bytes(zipped(content))
    expected = in_subfolder("ada/a3.zip", CODE) | {"ada/report.ipynb": b"{}"}
    assert extracted(tmp_path) == expected


def test_the_report_in_an_archive_beside_the_code_in_an_archive(tmp_path):
    (tmp_path / "archive").mkdir()
    content = CODE | {"report.zip": zipped({"report.ipynb": b"{}"})}
    (tmp_path / "archive" / "ada.zip").write_bytes(zipped(content))
    expected = in_subfolder("ada", CODE) | {"ada/report.zip/report.ipynb": b"{}"}
    assert extracted(tmp_path) == expected


def test_an_archive_without_an_ending_in_an_archive(tmp_path):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "ada.zip").write_bytes(zipped({"a3/handin": zipped(CODE), "Makefile": b"all:"}))
    assert extracted(tmp_path) == in_subfolder("ada/a3/handin", CODE)


HIDDEN = (
    ".answers.md",
    ".ipynb_checkpoints/report-checkpoint.ipynb",
    "a3/.hidden/report.pdf",
    ".report.ipynb",
)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", [*HIDDEN, "README", "scan.svg", "answers.json", "antwoorden"])
def test_what_may_hold_answers_is_unpacked_under_any_name(tmp_path, platform, name):
    content = CODE | {name: b"{}", "._report.md": b"Mac", ".git/report.md": b"1", ".part1/utils.py": b"old"}
    assert handed_in_together(tmp_path, platform, {"a3.zip": zipped(content)}) == CODE | {name: b"{}"}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_hidden_in_a_folder_is_taken_too(tmp_path, name):
    for inner, content in (CODE | {name: b"{}", ".part1/utils.py": b"old"}).items():
        path = tmp_path / "archive" / "ada" / inner
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert extracted(tmp_path) == in_subfolder("ada", CODE | {name: b"{}"})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("report.rar", b"Rar!\x1a\x07\x01\x00"),
        ("a3/report.zip", zipped({"report.ipynb": b"{}" * 99})[:-40]),
        ("old.zip", zipped(CODE | {"report.ipynb": b"{}"})),
        ("report.pdf.gz", b"\x1f\x8b1"),
    ],
)
def test_an_archive_beside_the_code_that_may_hold_the_report_is_kept(tmp_path, name, content):
    """Left in the download, the answers in it were 0 without a person."""
    files = CODE | {"report.ipynb": b"{}", name: content}
    assert handed_in_together(tmp_path, "a folder", {"a3.zip": zipped(files)}) == files


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.zip", zipped({"train-images-idx3-ubyte.gz": b"1"})),
        ("train-images-idx3-ubyte.gz", b"\x1f\x8b1"),
        ("lightning_logs.rar", b"Rar!\x1a\x07\x01\x00"),
        ("old.zip", zipped(CODE)),
    ],
)
def test_an_archive_that_holds_plainly_no_report_stays_in_the_download(tmp_path, name, content):
    files = handed_in_together(tmp_path, "a folder", {"a3.zip": zipped(CODE | {name: content})})
    assert files == CODE

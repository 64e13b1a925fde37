"""An archive for each part, whatever they are called: both are read; of versions of one the latest counts."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from grader.submission import find_submissions, read_found, read_submission

from .wrapping import write_folder


def pack(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("folder", ["ada", "Ada L_901_assignsubmission_file_"])
@pytest.mark.parametrize("inside", ["", "src/"])
def test_an_archive_for_each_part_under_any_name(tmp_path, files, folder, inside):
    for part, name in (("part1", "deel een.zip"), ("part2", "deel twee.zip")):
        theirs = {inside + file.split("/")[1]: text for file, text in files.items() if file.startswith(part)}
        pack(tmp_path / "cohort" / folder / name, theirs)
    found = find_submissions([tmp_path / "cohort"])
    (one,) = map(read_found, found.submissions)
    assert one.files == files
    assert found.warnings == ()
    assert one.warnings[0] == "read from deel een.zip, deel twee.zip, within what was handed in"


def test_of_versions_the_latest_counts(tmp_path, files):
    pack(tmp_path / "cohort" / "ada" / "a3.zip", files)
    pack(tmp_path / "cohort" / "ada" / "a3 new.zip", files | {"part1/utils.py": b"new"})
    found = find_submissions([tmp_path / "cohort"])
    assert any("holds several archives; the latest counts" in line for line in found.warnings)


def test_an_archive_that_cannot_be_opened_within_is_told_without_a_gap(tmp_path):
    folder = write_folder(tmp_path / "ada", {"notes.md": b"", "h.rar": b"Rar!\x1a\x07\x01\x00"})
    pack(tmp_path / "bob.zip", {"h.rar": b"Rar!\x1a\x07\x01\x00"})
    for path in (folder, tmp_path / "bob.zip"):
        one = read_submission(path)
        assert "none of the assignment's files is in it" in one.warnings
        assert "h.rar" in one.review

"""Where the assignment lies in what was handed in: among others, in other spellings, flat, in an archive."""

from __future__ import annotations

import io
import tarfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.submission import FIGURES, NAMED_FILES, Submission, read_submission
from grader.submission.model import MAX_MEMBERS

from .wrapping import write_folder, write_tar, write_zip

# Other practicals of the same course, with files of the same names.
OTHERS = {
    "lab1/train.py": b"other",
    "lab1/models.py": b"other",
    "lab1/utils.py": b"other",
    "lab1/part1/train_mlp.py": b"other",
    "lab2/part1/utils.py": b"other",
    "lab2/part2/train.py": b"other",
    "lab2/part2/models.py": b"other",
    "lab2/part2/utils.py": b"other",
    "README.md": b"",
    ".git/part1/utils.py": b"other",
    "venv/lib/python3.11/site-packages/pkg/cnn_encoder_decoder.py": b"other",
}


def zipped(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def wrapped(folder: Path, files: Mapping[str, bytes]) -> list[Submission]:
    """The same hand-in as a folder, a zip and a tar."""
    paths = [
        write_folder(folder / "s1", files),
        write_zip(folder / "s2.zip", files),
        write_tar(folder / "s3.tar.gz", files),
    ]
    return [read_submission(path, shown=FIGURES) for path in paths]


def moved(files: Mapping[str, bytes], part1: str, part2: str) -> dict[str, bytes]:
    """The files with other folders for the parts; an empty one puts them where it lies."""
    places = {"part1": part1, "part2": part2}
    found = {}
    for name, content in files.items():
        part, _, file = name.partition("/")
        found[f"{places[part]}/{file}".lstrip("/")] = content
    return found


@pytest.mark.parametrize(
    ("part1", "part2"),
    [
        ("lab3/part1", "lab3/part2"),
        ("Lab Assignment 3/Part 1", "Lab Assignment 3/Part 2"),
        ("practical3/part_1", "practical3/part_2"),
        ("dl-2026/assignments/a3/Part1", "dl-2026/assignments/a3/Part2"),
        ("a/b/c/d/PART-1", "a/b/c/d/PART-2"),
        ("lab3/part1", "lab3/Part 2"),
        ("lab3", "lab3"),
        ("lab3/vae", "lab3/aae"),
        ("a3_part1/part1", "a3_part2/part2"),
        ("part1/part1", "part2/part2"),
        ("part1", "Part2"),
        ("code", "code"),
    ],
)
def test_the_folder_with_the_names_of_this_assignment_is_the_one(tmp_path, files, part1, part2):
    alone = part1.split("/")[-1] in ("vae",) or part1.startswith(("a3_part1", "part1/part1"))
    for others in [{}] if alone else [{}, OTHERS]:
        for one in wrapped(tmp_path / str(len(others)), moved(files, part1, part2) | others):
            assert (one.files, one.error, one.review) == (files, "", ""), one.name
            usual = (part1, part2) == ("lab3/part1", "lab3/part2") and not others
            assert bool(one.warnings) != usual, "nothing is read from an unusual place without a word"


def test_other_practicals_beside_the_parts_are_named(tmp_path, files):
    for one in wrapped(tmp_path, moved(files, "lab3/part1", "lab3/part2") | OTHERS):
        assert one.files == files
        assert one.warnings == ("only one of several folders with such files was read, lab3; not lab1, lab2",)


def test_the_usual_places_are_no_reason_for_a_word(tmp_path, files):
    for one in wrapped(tmp_path, {f"anything/{name}": content for name, content in files.items()}):
        assert (one.files, one.warnings) == (files, ())


@pytest.mark.parametrize(
    "copies",
    [
        {"old": {}, "new": {}},
        {"a3": {}, "a3 (copy)": {}},
        {"a3/submitted": {}, "backup/2026/a3": {}},
        {"lab3": {"part1": "", "part2": ""}, "final": {}},
    ],
    ids=lambda copies: ",".join(copies),
)
def test_where_two_places_fit_equally_nothing_is_guessed(tmp_path, files, copies):
    content = {}
    for folder, places in copies.items():
        inside = moved(files, places.get("part1", "part1"), places.get("part2", "part2"))
        content |= {f"{folder}/{name}": text for name, text in inside.items()}
    for one in wrapped(tmp_path, content):
        assert one.files == {}
        assert one.review == one.error
        assert "several folders" in one.error
        assert all(folder in one.error for folder in copies), one.error


def test_two_spellings_of_one_part_wait_for_a_person(tmp_path, files):
    content = {f"Part 1/{name[6:]}": text for name, text in files.items() if name.startswith("part1")}
    content |= {f"part_1/{name[6:]}": text for name, text in files.items() if name.startswith("part1")}
    for one in wrapped(tmp_path, content):
        assert one.files == {}
        assert "Part 1, part_1" in one.review


def test_the_right_spelling_wins_over_another(tmp_path, files):
    content = files | {"Part 1/utils.py": b"old", "Part 1/train_pl.py": b"old"}
    for one in wrapped(tmp_path, {f"w/{name}": text for name, text in content.items()}):
        assert one.files == files


def test_an_old_copy_within_the_submission_does_not_count(tmp_path, files):
    content = files | {f"old/{name}": b"old" for name in files}
    for one in wrapped(tmp_path, content):
        assert (one.files, one.review) == (files, "")


def test_an_incomplete_submission_beside_a_complete_copy_waits(tmp_path, files):
    some = {name: text for name, text in files.items() if name.startswith("part1")}
    for one in wrapped(tmp_path, some | {f"old/{name}": b"old" for name in files}):
        assert one.files == {}
        assert "several folders" in one.review


def test_a_part_of_another_practical_is_not_taken_for_the_missing_one(tmp_path, files):
    some = {f"lab3/{name}": text for name, text in files.items() if name.startswith("part1")}
    for one in wrapped(tmp_path, some | OTHERS):
        assert one.files == {name: text for name, text in files.items() if name.startswith("part1")}


FLAT = "handed in as single files, without part1/ and part2/"
GIVEN_UTILS = b'import torch\n\nclass TensorBoardLogger:\n    """Given."""\n'


def test_five_flat_files_are_placed_by_their_names(tmp_path, files):
    for one in wrapped(
        tmp_path, moved(files, "", "") | {"plot.png": b"p", "report.ipynb": b"{}", "x.py": b""}
    ):
        assert one.files == files
        assert one.warnings == (FLAT, "x.py is not one of the files of the assignment and was not read")
        assert one.shown == {"figures/plot.png": b"p", "report.ipynb": b"{}"}


def test_some_flat_files_are_placed_too(tmp_path, files):
    some = {"part1/train_pl.py": b"1", "part2/models.py": b"2"}
    for one in wrapped(tmp_path, moved(some, "", "")):
        assert (one.files, one.warnings) == (some, (FLAT,))


@pytest.mark.parametrize("own", [b"def KLD(mean, log_std): ...\n", b""])
def test_the_given_utils_is_not_taken_for_part_1s(tmp_path, files, own):
    content = moved(files, "", "") | {"utils.py": GIVEN_UTILS + own}
    for one in wrapped(tmp_path, content):
        assert ("part1/utils.py" in one.files) == bool(own)
        assert any("is the given part2/utils.py" in line for line in one.warnings) != bool(own)


def test_in_its_part_a_utils_is_read_whatever_is_in_it(tmp_path, files):
    for one in wrapped(tmp_path, files | {"part1/utils.py": GIVEN_UTILS}):
        assert one.files["part1/utils.py"] == GIVEN_UTILS


INNER = "within what was handed in"


@pytest.mark.parametrize("name", ["handin.zip", "a3/handin.zip", "a3/deep/handin", "a3/my.zip.txt"])
@pytest.mark.parametrize("prefix", ["", "wrapped/", "a/b/"])
def test_an_archive_within_is_opened(tmp_path, files, name, prefix):
    inner = zipped({prefix + file: text for file, text in files.items()} | {f"{prefix}report.ipynb": b"{}"})
    for one in wrapped(tmp_path, {name: inner, "notes.txt": b""}):
        assert (one.files, one.review) == (files, "")
        assert one.warnings[0] == f"read from {name}, {INNER}"
        assert one.shown == {"report.ipynb": b"{}"}


def test_an_archive_for_each_part(tmp_path, files):
    halves = {
        f"{part}.zip": zipped(
            {
                f"{part}/{name[6:]}" if part == "part1" else name[6:]: text
                for name, text in files.items()
                if name.startswith(part)
            }
        )
        for part in ("part1", "part2")
    }
    for one in wrapped(tmp_path, halves):
        assert one.files == files
        assert one.warnings[0] == f"read from part1.zip, part2.zip, {INNER}"


def test_two_archives_within_that_fit_equally_wait(tmp_path, files):
    for one in wrapped(tmp_path, {"x/a.zip": zipped(files), "x/b.zip": zipped(files)}):
        assert one.files == {}
        assert "x/a.zip, x/b.zip" in one.review


def test_of_two_archives_within_the_one_with_the_assignment_is_read(tmp_path, files):
    for one in wrapped(tmp_path, {"x/lab2.zip": zipped({"train.py": b""}), "x/lab3.zip": zipped(files)}):
        assert one.files == files
        assert "x/lab2.zip was not read" in one.warnings


def test_an_archive_beside_the_parts_is_named_and_not_opened(tmp_path, files):
    for one in wrapped(tmp_path, files | {"old.zip": zipped({"part1/utils.py": b"old"})}):
        assert one.files == files
        assert one.warnings == (
            "old.zip was not opened, since part1/ or part2/ or their files lie beside it",
        )
        assert one.review == ""


def test_a_part_that_may_be_in_an_archive_waits(tmp_path, files):
    some = {name: text for name, text in files.items() if name.startswith("part1")}
    for one in wrapped(tmp_path, some | {"part2.zip": zipped({"models.py": b"x"})}):
        assert one.files == some
        assert one.review.startswith("part2 is missing, and part2.zip was not opened")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04 broken", "damaged"),
        (b"Rar!\x1a\x07\x00", "this kind of archive, rar, is not accepted"),
        (zipped({"x/../../part1/utils.py": b""}), "unsafe name"),
    ],
)
def test_an_archive_within_that_cannot_be_read_waits(tmp_path, content, told):
    for one in wrapped(tmp_path, {"a3/handin.zip": content}):
        assert (one.files, one.error) == ({}, "")
        assert "a3/handin.zip" in one.review
        assert any(told in line for line in one.warnings)


def test_there_is_one_level_and_the_next_is_named(tmp_path, files):
    for one in wrapped(tmp_path, {"outer.zip": zipped({"inner.zip": zipped(files)})}):
        assert one.files == {}
        assert "outer.zip/inner.zip" in one.review


def test_archives_within_have_the_same_caps(tmp_path, files, monkeypatch):
    monkeypatch.setattr("grader.submission.nested.MAX_HELD_BYTES", 5_000)
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("part1/utils.py", bytes(10_000))
    for one in wrapped(tmp_path / "large", {"a/handin.zip": stored.getvalue()}):
        assert one.files == {}
        assert "5,000 bytes" in " ".join(one.warnings)
        assert one.review
    monkeypatch.undo()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("part1/utils.py", bytes(150_000_000))
    start = time.process_time()
    for one in wrapped(tmp_path / "bomb", {"a/handin.zip": bomb.getvalue()}):
        assert one.files == {}
        assert "part1/utils.py is larger than 1,000,000 bytes" in one.error
    assert time.process_time() - start < 10


def test_a_link_in_an_archive_within_is_refused(tmp_path):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        info = tarfile.TarInfo("part1/utils.py")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    for one in wrapped(tmp_path, {"a/handin.tar": content.getvalue()}):
        assert one.files == {}
        assert "part1/utils.py in the archive is a link" in one.error


def test_an_archive_within_that_is_a_link_is_not_followed(tmp_path, files):
    write_zip(tmp_path / "elsewhere.zip", files)
    write_folder(tmp_path / "s1" / "a3", {})
    (tmp_path / "s1" / "a3" / "handin.zip").symlink_to(tmp_path / "elsewhere.zip")
    one = read_submission(tmp_path / "s1")
    assert one.files == {}
    assert "symbolic link" in " ".join(one.warnings)
    assert "a3/handin.zip" in one.review


@pytest.mark.parametrize(
    ("content", "waits"),
    [
        ({}, False),
        ({"report.ipynb": b"{}", "figures/a.png": b""}, False),
        ({"report.ipynb": b"{}", "timestamp.txt": b"2027", "submission_secret.txt": b""}, False),
        ({"part1/mnist.py": b""}, False),
        ({"12345_Report final.ipynb": b"{}"}, False),
        ({"VAE in Colab.ipynb": b"{}"}, True),
        ({"part1/part1.ipynb": b"{}"}, True),
        ({"essay.docx": b"x"}, True),
        ({"vae.py": b"class VAE: ..."}, True),
        ({"part1/vae.py": b"class VAE: ..."}, True),
    ],
    ids=str,
)
def test_what_was_found_is_named_where_none_of_the_files_is_there(tmp_path, content, waits):
    for one in wrapped(tmp_path, content):
        assert (one.files, one.error) == ({}, "")
        assert bool(one.review) == waits
        if waits:
            assert next(iter(content)) in one.review


def test_folders_without_end_are_looked_through_up_to_a_cap(tmp_path, files, monkeypatch):
    monkeypatch.setattr("grader.submission.folder.MAX_MEMBERS", 20)
    folder = write_folder(tmp_path / "s1", {f"w/data{n}/{k}.txt": b"" for n in range(15) for k in range(19)})
    one = read_submission(folder)
    assert "none of the assignment's files is in the part of it that was looked through" in one.review
    write_folder(folder / "a3", files)
    write_folder(folder / "a3", {f"images/{k}.png": b"" for k in range(30)})
    (folder / "a3" / "part2" / "train.py").unlink()
    assert read_submission(folder).files == {n: text for n, text in files.items() if n != "part2/train.py"}
    write_folder(folder / "a3", files)
    write_folder(folder / "a3", files)
    assert read_submission(folder).files == files


def test_thousands_of_folders_that_fit_cost_little(tmp_path):
    names = {f"{number}/part1/train_pl.py": b"" for number in range(MAX_MEMBERS // 2)}
    names |= {f"{number}/utils.py": b"" for number in range(MAX_MEMBERS // 2 - 1)}
    path = write_zip(tmp_path / "s1.zip", names)
    start = time.process_time()
    one = read_submission(path)
    assert time.process_time() - start < 2
    assert one.review
    assert len(one.review) < 500


def test_every_file_has_one_place():
    from grader.submission.places import NAMES

    assert sum(map(len, NAMES.values())) == len(NAMED_FILES)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "utils (1).py",
            "utils(2).py",
            "utils-1.py",
            "utils copy.py",
            "Utils.py",
            "UTILS.PY",
            "utils.py.txt",
        ),
        *("Copy of utils.py", "utils - Copy.py", "utils_1.py", "utils.py.download", " utils.py", "utils .py"),
        *("utils.py~", "utils.pyc", "utils.ipynb", "utils.txt", "utils Kopie.py"),
    ],
)
@pytest.mark.parametrize("flat", [False, True])
def test_what_may_be_a_missing_file_under_another_name_waits(tmp_path, files, name, flat):
    del files["part1/utils.py"]
    other = {f"part1/{name}": b"mine"}
    tree = {file.rpartition("/")[2] if flat else file: text for file, text in (files | other).items()}
    for one in wrapped(tmp_path, tree):
        assert one.files == files
        assert name in one.review
        assert "part1/utils.py" in one.review


@pytest.mark.parametrize("name", ["utils (1).py", "helpers.py", "Utils.py", "utils.pyc"])
def test_a_copy_beside_the_file_does_not_wait(tmp_path, files, name):
    for one in wrapped(tmp_path, files | {f"part1/{name}": b""}):
        assert one.files == files
        assert not one.review


def test_no_other_file_is_taken_for_a_missing_one(tmp_path, files):
    del files["part1/utils.py"]
    for one in wrapped(tmp_path, files | {"part1/my_utils.py": b"", "notes/utilities.py": b""}):
        assert one.files == files
        assert not one.review


@pytest.mark.parametrize("names", [("part1", "part2"), ("Part 1", "part2")])
def test_archives_that_are_called_like_the_parts_are_opened(tmp_path, files, names):
    tree = {
        name: zipped({file: text for file, text in files.items() if file.startswith(part)})
        for name, part in zip(names, ("part1", "part2"), strict=True)
    }
    one = read_submission(write_folder(tmp_path / "ada", tree))
    assert one.files == files or "is a file; hand in the folder itself" in one.review

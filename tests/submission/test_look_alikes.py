"""A missing file that may be there under another name, by its name or by what it defines."""

from __future__ import annotations

import pytest

from grader.submission import FIGURES, find_submissions, read_submission
from grader.submission.look_alikes import meant_name
from grader.submission.read import read_found

from .wrapping import write_folder, write_tar, write_zip

KLD = b"import torch\n\n\ndef KLD(mean, log_std):\n    return mean\n"
GIVEN = b"class TensorBoardLogger:\n    pass\n"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("utils (1).py", "utils.py"),
        ("utils-1-1.py", "utils.py"),
        ("utils1.py", "utils.py"),
        ("utils (kopia).py", "utils.py"),
        ("utils \u2013 Kopie.py", "utils.py"),
        ("utils的副本.py", "utils.py"),
        ("utils 복사본.py", "utils.py"),
        ("\u200butils.py", "utils.py"),
        ("\uff55tils.py", "utils.py"),
        ("part1_utils.py", "utils.py"),
        ("utils_part1.py", "utils.py"),
        ("Copy of utils.py", "utils.py"),
        ("utils.py.txt.txt", "utils.py"),
        ("utils.py.save", "utils.py"),
        ("utils.docx", "utils.py"),
        ("utils.html", "utils.py"),
        ("utils", "utils.py"),
        ("utlis.py", "utils.py"),
        ("util.py", "utils.py"),
        ("model.py", "models.py"),
        ("train-pl.py", "train_pl.py"),
        ("CNN Encoder Decoder.ipynb", "cnn_encoder_decoder.py"),
        ("utils.py", ""),
        ("part2_utils.py", ""),
        ("utils_part2.py", ""),
        ("my_utils.py", ""),
        ("utilities.py", ""),
        ("train.png", ""),
        ("train.csv", ""),
        ("main.py", ""),
        ("report.ipynb", ""),
        ("part1.py", ""),
    ],
)
def test_names(name, meant):
    assert meant_name(name) == meant


def wrapped(tmp_path, files):
    """The same hand-in as a folder, a zip, a tar, and as single files where it has no folders."""
    paths = [
        write_folder(tmp_path / "s1", files),
        write_zip(tmp_path / "s2.zip", files),
        write_tar(tmp_path / "s3.tar.gz", files),
    ]
    found = [read_submission(path, shown=FIGURES) for path in paths]
    if not any("/" in name for name in files):
        cohort = write_folder(tmp_path / "moodle" / "Jane Doe_7_assignsubmission_file_", files).parent
        found += [read_found(one) for one in find_submissions([cohort]).submissions]
    return found


@pytest.mark.parametrize("flat", [True, False], ids=["flat", "in the parts"])
@pytest.mark.parametrize("name", ["utils_final.py", "my_utils.py", "losses.py", "1042_utils.py", "all.ipynb"])
def test_a_file_that_defines_what_is_missing_waits(tmp_path, files, flat, name):
    del files["part1/utils.py"]
    tree = files | {f"part1/{name}": KLD}
    if flat:
        tree = {place.rpartition("/")[2]: content for place, content in tree.items()}
    for one in wrapped(tmp_path, tree):
        assert one.files == files
        assert "part1/utils.py is missing" in one.review
        assert f"{name} may be it" in one.review


@pytest.mark.parametrize("name", ["my_utils.py", "utils/old.py", "part2/helpers.py", "notes.txt"])
def test_what_defines_nothing_of_it_does_not(tmp_path, files, name):
    del files["part1/utils.py"]
    for one in wrapped(tmp_path, files | {name: b"def plot(KLD): return utils.KLD\n"}):
        assert not one.review


def test_what_another_file_of_the_submission_defines_is_there(tmp_path, files):
    del files["part1/utils.py"]
    for one in wrapped(tmp_path, files | {"part1/train_pl.py": KLD, "part2/backup.py": KLD}):
        assert not one.review


@pytest.mark.parametrize("name", ["utils (1).py", "utils1.py", "part1_utils.py", "losses.py"])
def test_the_given_utils_hides_no_look_alike(tmp_path, files, name):
    del files["part1/utils.py"]
    flat = {place.rpartition("/")[2]: content for place, content in files.items()}
    for one in wrapped(tmp_path, flat | {"utils.py": GIVEN, name: KLD}):
        assert one.files == files
        assert f"{name} may be it" in one.review


@pytest.mark.parametrize("given_first", [True, False])
@pytest.mark.parametrize("prefix", ["doejane_12345_", "anon_Qq7r8_", "doejane_LATE_12345_"])
def test_of_two_utils_uploaded_one_by_one_the_students_own_counts(tmp_path, files, prefix, given_first):
    files["part1/utils.py"] = KLD
    first, second = (GIVEN, KLD) if given_first else (KLD, GIVEN)
    names = {place.rpartition("/")[2]: content for place, content in files.items()}
    names |= {"utils.py": first, "utils-1.py": second}
    cohort = write_folder(
        tmp_path / "down", {f"{prefix}{55000 + at}_{n}": c for at, (n, c) in enumerate(names.items())}
    )
    (found,) = find_submissions([cohort]).submissions
    one = read_found(found)
    assert one.files == files
    assert not one.review
    assert any("is the given part2/utils.py" in line for line in one.warnings)
    assert not any("handed in several times" in line for line in one.warnings)


@pytest.mark.parametrize("name", ["part1", "abe/part1"])
def test_a_part_that_is_a_file_in_an_archive_waits(tmp_path, name):
    inner = write_zip(tmp_path / "inner.zip", {"utils.py": KLD}).read_bytes()
    for one in (
        read_submission(write_zip(tmp_path / "xia.zip", {name: inner, "part2/models.py": b""})),
        read_submission(write_tar(tmp_path / "xia.tar", {name: inner, "part2/models.py": b""})),
    ):
        assert "part1 in the archive is a file" in one.review or f"{name} was not opened" in one.review

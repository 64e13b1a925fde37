"""Which paths stand for which submissions."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from grader.errors import GraderUsageError
from grader.submission import find_submissions, read_found, read_submission

from .wrapping import write_folder, write_zip


def names(*paths: Path, output: Path | None = None) -> list[str]:
    return [found.name for found in find_submissions(paths, output).submissions]


def test_a_folder_with_parts_is_a_submission(tmp_path, files):
    assert names(write_folder(tmp_path / "s1", files)) == ["s1"]


def test_one_part_is_enough(tmp_path):
    assert names(write_folder(tmp_path / "s1", {"part2/models.py": b""})) == ["s1"]


def test_a_misspelt_part_is_still_a_submission(tmp_path):
    assert names(write_folder(tmp_path / "s1", {"Part1/utils.py": b""})) == ["s1"]


def test_a_folder_of_one_submission_is_a_cohort_of_one(tmp_path, files):
    write_folder(tmp_path / "cohort" / "s1", files)
    assert names(tmp_path / "cohort") == ["s1"]


def test_a_cohort_of_folders_and_archives(tmp_path, files):
    cohort = tmp_path / "cohort"
    write_folder(cohort / "folder", files)
    write_folder(cohort / "wrapped" / "inner", files)
    write_folder(cohort / "empty", {})
    write_zip(cohort / "zipped.zip", files)
    (cohort / "tape.tar.gz").write_bytes(b"broken")
    (cohort / "foreign.rar").write_bytes(b"Rar!")
    assert names(cohort) == ["empty", "folder", "foreign", "tape", "wrapped", "zipped"]


def test_clutter_is_skipped_and_a_stray_file_named(tmp_path, files):
    cohort = tmp_path / "cohort"
    write_folder(cohort / "s1", files)
    write_folder(
        cohort,
        {
            "__MACOSX/._s1": b"",
            ".DS_Store": b"",
            ".hidden/part1/utils.py": b"",
            "README.md": b"",
            "utils2.py": b"",
        },
    )
    found = find_submissions([cohort])
    assert [submission.name for submission in found.submissions] == ["s1"]
    assert [one.path.name for one in found.left_out] == [".hidden", "README.md", "utils2.py"]
    assert found.warnings == tuple(map(str, found.left_out))
    assert found.warnings[-1].endswith("utils2.py: skipped, a submission is a folder or an archive")


def test_several_paths(tmp_path, files):
    first = write_folder(tmp_path / "s1", files)
    second = write_zip(tmp_path / "s2.zip", files)
    assert names(first, second) == ["s1", "s2"]


def test_a_missing_path(tmp_path):
    with pytest.raises(GraderUsageError, match=r"nowhere: there is no such file or folder"):
        names(tmp_path / "nowhere")


def test_an_empty_cohort(tmp_path):
    write_folder(tmp_path / "cohort", {"README.md": b""})
    with pytest.raises(GraderUsageError, match="cohort: no submissions in it"):
        names(tmp_path / "cohort")


def test_one_part_given_instead_of_the_submission(tmp_path, files):
    write_folder(tmp_path / "s1", files)
    with pytest.raises(GraderUsageError, match="looks like one part"):
        names(tmp_path / "s1" / "part1")


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "utils.py").write_bytes(b"")
    with pytest.raises(GraderUsageError, match=r"utils\.py: is neither a folder nor an archive"):
        names(tmp_path / "utils.py")


def test_two_submissions_of_the_same_name(tmp_path, files):
    write_folder(tmp_path / "cohort" / "s1", files)
    write_zip(tmp_path / "cohort" / "s1.zip", files)
    write_folder(tmp_path / "cohort" / "s2", files)
    found = find_submissions([tmp_path / "cohort"])
    pair, other = found.submissions
    assert (pair.name, other.name, other.review) == ("s1", "s2", "")
    assert re.search(
        r"two submissions are called s1: .*/s1 and .*/s1\.zip; rename or remove one", pair.review
    )
    assert pair.review == "two submissions are called s1: cohort/s1 and cohort/s1.zip; rename or remove one"
    (warning,) = found.warnings
    assert f"{tmp_path}/cohort/s1 and {tmp_path}/cohort/s1.zip; rename or remove one: none of" in warning
    submission = read_found(pair)
    assert (submission.files, submission.error, submission.review) == ({}, pair.review, pair.review)


def test_submissions_of_one_name_from_several_cohorts_wait(tmp_path, files):
    paths = [write_folder(tmp_path / folder / "s1", files) for folder in ("a", "b", "c")]
    (found,) = find_submissions(paths).submissions
    assert found.review.startswith("3 submissions are called s1: ")
    assert {found.path, *found.others} == set(paths)


def test_a_submission_given_twice(tmp_path, files):
    path = write_folder(tmp_path / "s1", files)
    with pytest.raises(GraderUsageError, match="s1: given twice"):
        names(path, path)


@pytest.mark.parametrize("output", ["results", "results/run1"])
def test_the_output_folder_is_no_submission(tmp_path, files, output):
    cohort = tmp_path / "cohort"
    write_folder(cohort / "s1", files)
    (cohort / output).mkdir(parents=True)
    assert names(cohort, output=cohort / output) == ["s1"]


def test_results_of_an_earlier_run_are_no_submission(tmp_path, files):
    cohort = tmp_path / "cohort"
    write_folder(cohort / "s1", files)
    write_folder(cohort / "old", {"marks.csv": b"submission,points\n", "s1/results.json": b"{}"})
    assert names(cohort) == ["s1"]


def test_the_output_folder_cannot_be_a_path(tmp_path, files):
    write_folder(tmp_path / "cohort" / "s1", files)
    with pytest.raises(GraderUsageError, match="also the --output folder"):
        names(tmp_path / "cohort", output=tmp_path / "cohort")


def test_a_link_that_the_user_gives_is_followed_and_names_the_submission(tmp_path, files):
    write_folder(tmp_path / "target", files)
    (tmp_path / "s1").symlink_to(tmp_path / "target")
    (found,) = find_submissions([tmp_path / "s1"]).submissions
    assert found.name == "s1"
    assert read_submission(found.path, found.name).files == files


def test_a_link_in_a_cohort_is_a_submission_that_is_refused(tmp_path, files):
    write_folder(tmp_path / "elsewhere", files)
    cohort = write_folder(tmp_path / "cohort", {})
    (cohort / "s1").symlink_to(tmp_path / "elsewhere")
    (found,) = find_submissions([cohort]).submissions
    submission = read_submission(found.path, found.name)
    assert "s1: this is a symbolic link" in submission.error
    assert submission.files == {}


def test_names_that_are_not_utf8_become_distinct_safe_names(tmp_path):
    cohort = os.fsencode(tmp_path / "cohort")
    for raw in (b"caf\xe9", b"caf\xe8"):
        os.makedirs(os.path.join(cohort, raw, b"part1"))
    found = names(tmp_path / "cohort")
    assert len(set(found)) == 2
    assert all(name.startswith("caf_-") and name.isascii() for name in found)

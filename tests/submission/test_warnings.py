"""However much is wrong with a submission, a few lines say so."""

from __future__ import annotations

import itertools

import pytest

from grader.submission import read_submission
from grader.submission.layout import MAX_WARNINGS
from grader.submission.model import Found, Submission
from grader.submission.read import read_found

from .wrapping import write_folder, write_tar, write_zip

MISSPELT = ["".join(letters) + "-1" for letters in itertools.product("Pp", "Aa", "Rr", "Tt")]
STRANGERS = [f"part2/module{number:02}.py" for number in range(12)]
NOTES = [f"{name}/notes.txt" for name in MISSPELT]


def wrapped(tmp_path, names: list[str]) -> list[Submission]:
    content = dict.fromkeys([*names, "part2/models.py"], b"")
    paths = [
        write_folder(tmp_path / "s1", content),
        write_zip(tmp_path / "s1.zip", content),
        write_tar(tmp_path / "s1.tar.gz", content),
    ]
    return [read_submission(path) for path in paths]


@pytest.mark.parametrize(
    ("names", "kind"), [(NOTES, "folders"), (STRANGERS, "files")], ids=["misspelt", "strangers"]
)
def test_of_one_kind_there_are_a_few_and_the_rest_is_counted(tmp_path, names, kind):
    for submission in wrapped(tmp_path, names):
        *named, rest = submission.warnings
        assert len(named) == MAX_WARNINGS
        more = len(names) - MAX_WARNINGS
        assert rest == f"{more} more {kind} are not of the assignment and were not read"


def test_of_both_kinds_there_are_a_few_each(tmp_path):
    for submission in wrapped(tmp_path, NOTES + STRANGERS):
        assert len(submission.warnings) == 2 * (MAX_WARNINGS + 1)


def test_as_many_as_there_may_be_are_named_and_nothing_is_counted(tmp_path):
    for submission in wrapped(tmp_path, NOTES[:MAX_WARNINGS] + STRANGERS[:MAX_WARNINGS]):
        assert len(submission.warnings) == 2 * MAX_WARNINGS
        assert not any("more" in line for line in submission.warnings)


def test_single_files(tmp_path):
    folder = write_folder(tmp_path, dict.fromkeys([*STRANGERS, "part2/models.py"], b""))
    loose = tuple((path.name, path) for path in sorted((folder / "part2").iterdir()))
    submission = read_found(Found("s1", folder, loose))
    first, *named, rest = submission.warnings
    assert first == "handed in as single files, without part1/ and part2/"
    assert len(named) == MAX_WARNINGS
    assert rest == f"{len(STRANGERS) - MAX_WARNINGS} more files are not of the assignment and were not read"

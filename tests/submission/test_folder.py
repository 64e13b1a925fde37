"""Submissions that are folders, honest and otherwise."""

from __future__ import annotations

import os
import socket

import pytest

from grader.submission import read_submission
from grader.submission.model import GRADER, MAX_FILE_BYTES, Submission

from .wrapping import refused, write_folder


def test_the_named_files_are_read_as_they_are(tmp_path, files):
    files["part1/utils.py"] = b"\xef\xbb\xbfx = 1\r\n\xff"
    submission = read_submission(write_folder(tmp_path / "s1", files))
    assert submission == Submission("s1", files)


def test_one_wrapping_folder_is_accepted(tmp_path, files):
    write_folder(tmp_path / "s1" / "my answer", files)
    write_folder(
        tmp_path / "s1", {"__MACOSX/part1/utils.py": b"", ".git/part1/utils.py": b"", "notes/a.txt": b""}
    )
    assert read_submission(tmp_path / "s1").files == files


def test_parts_below_two_wrapping_folders_are_read(tmp_path, files):
    write_folder(tmp_path / "s1" / "a" / "b", files)
    submission = read_submission(tmp_path / "s1")
    assert submission.files == files
    assert submission.warnings == ("a/b/part1 was read as part1", "a/b/part2 was read as part2")


def test_two_wrapping_folders_side_by_side_are_ambiguous(tmp_path, files):
    write_folder(tmp_path / "s1" / "old", files)
    write_folder(tmp_path / "s1" / "new", files)
    submission = read_submission(tmp_path / "s1")
    refused(submission, "several folders", "new, old")
    assert submission.review == submission.error


def test_an_empty_submission_is_read_with_everything_missing(tmp_path):
    submission = read_submission(write_folder(tmp_path / "s1", {}))
    assert submission.files == {}
    assert submission.error == ""
    assert "neither part1/ nor part2/" in submission.warnings[0]


def test_a_missing_part_is_just_missing(tmp_path, files):
    some = {name: content for name, content in files.items() if name.startswith("part1")}
    assert read_submission(write_folder(tmp_path / "s1", some)) == Submission("s1", some)


def test_a_misspelt_part_is_read_with_a_warning(tmp_path):
    submission = read_submission(
        write_folder(tmp_path / "s1", {"Part1/utils.py": b"y", "part2/models.py": b"x"})
    )
    assert submission.files == {"part1/utils.py": b"y", "part2/models.py": b"x"}
    assert submission.warnings == ("Part1 was read as part1",)


def test_a_misspelt_part_without_a_file_of_the_assignment_gets_a_warning(tmp_path):
    submission = read_submission(
        write_folder(tmp_path / "s1", {"Part1/notes.txt": b"", "part2/models.py": b"x"})
    )
    assert submission.files == {"part2/models.py": b"x"}
    assert submission.warnings == ("Part1 was not read: the folder has to be called part1",)


def test_only_foreign_modules_get_a_warning(tmp_path, files):
    given = {
        "part1/mnist.py": b"",
        "part2/utils.py": b"",
        "part2/unittests.py": b"",
        "part1/__init__.py": b"",
    }
    others = {
        "part1/blocks.py": b"",
        "part1/notes.txt": b"",
        "part1/._utils.py": b"",
        "report.ipynb": b"",
        "x.py": b"",
    }
    submission = read_submission(write_folder(tmp_path / "s1", {**files, **given, **others}))
    assert submission.files == files
    assert submission.warnings == (
        "part1/blocks.py is not one of the files of the assignment and was not read",
    )


def test_a_file_over_the_cap(tmp_path, files):
    files["part2/models.py"] = b"#" * (MAX_FILE_BYTES + 1)
    refused(
        read_submission(write_folder(tmp_path / "s1", files)),
        "part2/models.py is larger than 1,000,000 bytes",
    )


def test_a_file_at_the_cap(tmp_path, files):
    files["part2/models.py"] = b"#" * MAX_FILE_BYTES
    assert read_submission(write_folder(tmp_path / "s1", files)).files == files


def test_a_linked_file(tmp_path, files):
    secret = tmp_path / "secret.py"
    secret.write_bytes(b"secret")
    del files["part1/utils.py"]
    write_folder(tmp_path / "s1", files)
    (tmp_path / "s1" / "part1" / "utils.py").symlink_to(secret)
    refused(read_submission(tmp_path / "s1"), "part1/utils.py is a symbolic link")


def test_a_linked_part(tmp_path, files):
    write_folder(tmp_path / "elsewhere", files)
    write_folder(tmp_path / "s1", {"part2/models.py": b""})
    (tmp_path / "s1" / "part1").symlink_to(tmp_path / "elsewhere" / "part1")
    refused(read_submission(tmp_path / "s1"), "part1 is a symbolic link")


def test_a_linked_wrapping_folder(tmp_path, files):
    write_folder(tmp_path / "elsewhere", files)
    write_folder(tmp_path / "s1", {})
    (tmp_path / "s1" / "inner").symlink_to(tmp_path / "elsewhere")
    refused(read_submission(tmp_path / "s1"), "inner is a symbolic link")


def test_a_link_that_is_put_in_place_during_the_reading(tmp_path, files, monkeypatch):
    """The look before opening is for the message; the opening itself is what refuses."""
    (tmp_path / "secret.py").write_bytes(b"secret")
    path = write_folder(tmp_path / "s1", files) / "part1" / "utils.py"
    look = os.stat

    def look_then_swap(where, **options):
        status = look(where, **options)
        if where == "utils.py":
            path.unlink()
            path.symlink_to(tmp_path / "secret.py")
        return status

    monkeypatch.setattr("grader.submission.folder.os.stat", look_then_swap)
    submission = read_submission(tmp_path / "s1")
    monkeypatch.undo()
    refused(submission, "utils.py")


def test_a_link_elsewhere_is_harmless(tmp_path, files):
    write_folder(tmp_path / "s1", files)
    (tmp_path / "s1" / "figures").symlink_to("/")
    (tmp_path / "s1" / "part1" / "data").symlink_to("/")
    assert read_submission(tmp_path / "s1") == Submission("s1", files)


@pytest.mark.timeout(10)
def test_a_named_pipe_does_not_hang(tmp_path):
    write_folder(tmp_path / "s1" / "part1", {})
    os.mkfifo(tmp_path / "s1" / "part1" / "utils.py")
    refused(read_submission(tmp_path / "s1"), "part1/utils.py is a named pipe")


def test_a_socket(tmp_path, monkeypatch):
    write_folder(tmp_path / "s1" / "part1", {})
    monkeypatch.chdir(tmp_path / "s1" / "part1")  # a socket's path has to be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("utils.py")
        refused(read_submission(tmp_path / "s1"), "part1/utils.py is a socket")


def test_a_folder_in_place_of_a_file_and_a_file_in_place_of_a_folder(tmp_path):
    write_folder(tmp_path / "s1" / "part1" / "utils.py", {})
    refused(read_submission(tmp_path / "s1"), "part1/utils.py is a folder; hand in the file itself")
    write_folder(tmp_path / "s2", {"part1": b""})
    refused(read_submission(tmp_path / "s2"), "part1 is a file; hand in the folder itself")


def test_no_permission_is_the_graders_fault(tmp_path, files, monkeypatch):
    write_folder(tmp_path / "s1", files)
    really_open = os.open

    def deny(path, *arguments, **options):
        if path == "models.py":
            raise PermissionError(13, "Permission denied", "models.py")
        return really_open(path, *arguments, **options)

    monkeypatch.setattr("grader.submission.folder.os.open", deny)
    submission = read_submission(tmp_path / "s1")
    assert submission.fault == GRADER
    assert "s1: the grader cannot read models.py: Permission denied" in submission.error


def test_a_submission_that_is_gone_is_the_graders_fault(tmp_path):
    assert read_submission(tmp_path / "s1").fault == GRADER

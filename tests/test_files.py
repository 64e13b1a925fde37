"""The ground floor's files: written whole or not at all, and read without following links."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from grader.files import open_plainly, read_regular, write_atomically


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grader.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert os.listdir(tmp_path) == ["file"]
    assert path.read_bytes() == b"old"


def test_a_written_file_is_as_readable_as_any_other(tmp_path):
    write_atomically(tmp_path / "file", b"")
    (tmp_path / "other").write_bytes(b"")
    modes = {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("file", "other")}
    assert len(modes) == 1


def test_a_link_is_never_read(tmp_path):
    (tmp_path / "secret").write_bytes(b"solutions")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="levels of symbolic links") as error:
        open_plainly(tmp_path / "link")
    assert error.value.errno == errno.ELOOP
    with pytest.raises(OSError, match="levels of symbolic links"):
        read_regular(tmp_path / "link", 100)


@pytest.mark.timeout(20)
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is no regular file"):
        read_regular(tmp_path / "pipe", 100)


def test_a_file_is_read_up_to_its_limit_and_not_beyond(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert read_regular(tmp_path / "file", 5) == b"12345"
    with pytest.raises(OSError, match="is larger than 4 bytes"):
        read_regular(tmp_path / "file", 4)


def test_a_file_is_opened_by_its_name_in_an_open_folder(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with open_plainly("file", folder) as file:
            assert file.read() == b"12345"
    finally:
        os.close(folder)

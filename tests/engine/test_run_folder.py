"""The keys of a run on a cluster lie where nobody else can read them, and go with the run."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from grader.engine.run_folder import PREFIX, RunFolder
from grader.errors import GraderFault


def test_keys_are_this_accounts_alone_and_go_with_the_run(tmp_path):
    before = os.umask(0)
    try:
        folder = RunFolder(tmp_path / "cache" / "grader")
        security = folder.security()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    keys = list(folder.path.glob("*.pem"))
    assert len(keys) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert security.require_encryption
    worker = security.get_tls_config_for_role("worker")
    assert {worker["key"], worker["cert"], worker["ca_file"]} == {str(path) for path in keys}
    folder.close()
    assert not folder.path.exists()


def test_two_runs_have_other_keys(tmp_path):
    first, second = RunFolder(tmp_path), RunFolder(tmp_path)
    for folder in (first, second):
        folder.security()
    assert (first.path / "key.pem").read_text() != (second.path / "key.pem").read_text()
    first.close()
    assert second.path.exists(), "another run's folder is in use"
    second.close()


def test_logs_that_somebody_is_to_read_stay_without_the_keys(tmp_path):
    folder = RunFolder(tmp_path)
    folder.security()
    (folder.logs / "job.err").write_text("no such file")
    folder.close(keep_logs=True)
    assert (folder.logs / "job.err").exists()
    assert not list(folder.path.glob("*.pem"))


def test_what_a_killed_run_has_left_is_removed_by_the_next(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from grader.engine.run_folder import RunFolder; "
        "RunFolder(Path(sys.argv[1])).security(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    (left,) = tmp_path.glob(f"{PREFIX}*")
    assert (left / "key.pem").exists()
    RunFolder(tmp_path).close()
    assert not left.exists()


def test_a_disk_that_keeps_nothing_private_is_refused(tmp_path, monkeypatch):
    def open_to_all(prefix: str, dir: object) -> str:
        path = tmp_path / "open"
        path.mkdir()
        path.chmod(0o755)
        return str(path)

    monkeypatch.setattr("grader.engine.run_folder.tempfile.mkdtemp", open_to_all)
    with pytest.raises(GraderFault, match=r"can be read by others.*shared-temp-directory"):
        RunFolder(tmp_path)
    assert not (tmp_path / "open").exists()


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GraderFault, match=r"keys of the run cannot be kept in .*file.*shared-temp-directory"):
        RunFolder(tmp_path / "file" / "below")


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(GraderFault, match="pip install cryptography"):
        folder.security()
    folder.close()

"""Whether a box holds is tried before the work, in a fraction of a second."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.machine import trial
from grader.machine.trial import Refused, try_box

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def bubblewrap(tmp_path, monkeypatch):
    """Pretend a bubblewrap that does this."""

    def write(script: str) -> None:
        path = tmp_path / "bwrap"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return write


def test_here_it_holds_and_takes_no_second():
    started = time.monotonic()
    assert try_box() is None
    assert time.monotonic() - started < 2


def test_torch_is_not_imported_for_it():
    code = "import sys; from grader.machine.trial import try_box; try_box(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0


def test_a_missing_bubblewrap_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    refused = try_box()
    assert refused is not None
    assert refused.step == trial.MISSING


def test_what_bubblewrap_says_is_kept(bubblewrap):
    bubblewrap("echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1")
    assert try_box() == Refused(trial.BUBBLEWRAP, "bwrap: setting up uid map: Permission denied")


def test_one_that_says_nothing_is_told_by_its_status(bubblewrap):
    bubblewrap("exit 3")
    refused = try_box()
    assert refused is not None
    assert refused.said.endswith("bwrap ended with status 3")


REAL = shutil.which("bwrap")
# bubblewrap in a user namespace that holds all accounts and allows no other one below it.
WITHOUT_NAMESPACES = """exec {python} -c '
import ctypes, os, sys
ready, told = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    ctypes.CDLL(None).unshare(0x10000000)
    os.write(ready[1], b"x")
    os.read(told[0], 1)
    open("/proc/sys/user/max_user_namespaces", "w").write("0")
    os.execv(sys.argv[1], sys.argv[1:])
os.read(ready[0], 1)
for kind in ("uid", "gid"):
    open("/proc/%d/%s_map" % (pid, kind), "w").write("0 0 65536")
os.write(told[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
' {bubblewrap} "$@"
"""


def refused_within_bubblewrap() -> Refused:
    """What is refused, where bubblewrap itself starts in such a namespace: 0.12 in a container does not."""
    refused = try_box()
    assert refused is not None
    if refused.step == trial.BUBBLEWRAP:
        pytest.skip(f"bubblewrap itself is refused in a user namespace here: {refused.said}")
    return refused


@pytest.mark.skipif(os.getuid() != 0, reason="only root can map all accounts into a namespace")
def test_a_session_that_gets_no_namespaces_is_told_by_its_step(bubblewrap):
    # As under AppArmor's profile bwrap-userns-restrict: bubblewrap starts, and what is in it may make none.
    bubblewrap(WITHOUT_NAMESPACES.format(python=sys.executable, bubblewrap=REAL))
    refused = refused_within_bubblewrap()
    assert refused.step == trial.NAMESPACES
    assert "user namespaces" in refused.said


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes nobody")
def test_root_of_a_namespace_without_nobody_is_told_by_its_step(bubblewrap):
    bubblewrap(f'exec unshare --user --map-root-user {REAL} "$@"')
    refused = refused_within_bubblewrap()
    assert refused.step == trial.NOBODY


def test_a_bubblewrap_that_hangs_is_given_up(bubblewrap, monkeypatch):
    monkeypatch.setattr(trial, "BOX_TRIAL_SECONDS", 0.3)
    bubblewrap("exec sleep 30")
    assert try_box() == Refused(trial.TIME, "no answer within 0 s")


def test_too_little_address_space_is_told_with_what_there_is(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (5 * 10**9, 5 * 10**9))
    assert try_box() == Refused(trial.ADDRESS_SPACE, str(5 * 10**9))

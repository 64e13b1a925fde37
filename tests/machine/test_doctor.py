"""`python -m grader doctor` on this machine, and on broken ones: each is named with its remedy, at once."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.cli import main
from grader.machine import doctor
from grader.machine.doctor import examine_machine
from grader.machine.finding import FAULT, FINE, NOTE, Finding

REPOSITORY = Path(__file__).parents[2]
SECONDS = 2.0


def worked() -> float:
    """The CPU time of this process and of those that it has waited for: the clock's depends on the others."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.fixture
def faults(tmp_path) -> Callable[..., list[Finding]]:
    """The faults of a pretended system, found quickly."""

    def look(**files: str) -> list[Finding]:
        about = {
            "proc/self/ns/user": "",
            "proc/self/status": "CapEff:\t000001ffffffffff\n",
            "proc/self/cgroup": "0::/\n",
            "proc/sys/kernel/osrelease": "6.8.0-generic\n",
        }
        for name, content in (about | files).items():
            path = tmp_path / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        started = worked()
        found = list(examine_machine(tmp_path / "root"))
        assert worked() - started < SECONDS
        return [finding for finding in found if finding.kind == FAULT]

    return look


@pytest.fixture
def bubblewrap(tmp_path, monkeypatch):
    """A bubblewrap that is refused with these words."""

    def write(words: str) -> None:
        (tmp_path / "bin").mkdir()
        path = tmp_path / "bin" / "bwrap"
        path.write_text(f"#!/bin/sh\necho 'bwrap: {words}' >&2\nexit 1\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")

    return write


def test_this_machine_is_looked_at_within_two_seconds_and_without_torch():
    code = (
        "import sys; from grader.cli import main; status = main(['doctor']); "
        "heavy = {'torch', 'numpy', 'sklearn', 'pytest', 'nbgrader', 'distributed', 'dask'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else status)"
    )
    started = worked()
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert worked() - started < SECONDS
    for expected in ("ok: Python 3.", "ok: torch ", "ok: the sandbox starts and holds", "GB of memory"):
        assert expected in done.stdout
    assert "MNIST" in done.stdout
    assert "Slurm" in done.stdout
    assert "chromium" in done.stdout


def test_without_bubblewrap(faults, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    (fault,) = faults()
    assert "bubblewrap (bwrap) is not installed" in fault.text
    assert "apt install bubblewrap" in fault.text


def test_under_ubuntus_apparmor(faults, bubblewrap):
    bubblewrap("setting up uid map: Permission denied")
    (fault,) = faults(**{"proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"})
    assert "AppArmor lets no program make user namespaces" in fault.text
    assert "  userns," in fault.steps


def test_in_a_container_without_the_right(faults, bubblewrap):
    bubblewrap("Creating new namespace failed: Operation not permitted")
    (fault,) = faults(**{".dockerenv": ""})
    assert "a container that may not make namespaces" in fault.text
    assert "docker run --cap-add SYS_ADMIN" in fault.text


def test_where_namespaces_are_switched_off(faults, bubblewrap):
    bubblewrap("Creating new namespace failed: No space left on device")
    (fault,) = faults(**{"proc/sys/user/max_user_namespaces": "0\n"})
    assert "user.max_user_namespaces is 0" in fault.text
    assert "sysctl -w user.max_user_namespaces=15000" in fault.text


def test_on_wsl_1(faults, bubblewrap):
    bubblewrap("Creating new namespace failed: Invalid argument")
    (fault,) = faults(**{"proc/sys/kernel/osrelease": "4.4.0-19041-Microsoft\n"})
    assert "WSL 1" in fault.text
    assert "wsl --set-version" in fault.text


def test_with_too_little_address_space(faults, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (4 * 10**9, 4 * 10**9))
    (fault,) = faults()
    assert "ulimit -v allows 3906250 kB of address space, and marking needs 5859375" in fault.text
    assert "ulimit -v unlimited" in fault.text


def test_with_a_torch_that_is_not_torchvisions(faults, monkeypatch):
    monkeypatch.setattr(doctor, "version", lambda name: "2.0.1" if name == "torch" else version(name))
    (fault,) = faults()
    assert fault.text.startswith("torch 2.0.1 and torchvision ")
    assert "and the kit is for the pair 2." in fault.text
    assert fault.text.endswith("; run make setup")


def test_with_too_little_memory(faults):
    (fault,) = faults(**{"sys/fs/cgroup/memory.max": f"{10**9}\n"})
    assert "1.0 GB of memory are left by this process's control group" in fault.text
    assert "raise the limit of the container, service or job" in fault.text


def test_with_a_full_disk(faults, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: SimpleNamespace(free=10**8))
    (fault,) = faults()
    assert "has 0.1 GB of disk left; make room" in fault.text


def test_with_a_box_python_that_is_none(faults, monkeypatch):
    monkeypatch.setenv("BOX_PYTHON", "/nowhere/python")
    (fault,) = faults()
    assert "BOX_PYTHON=/nowhere/python: this is not a Python that can be run" in fault.text


def test_with_an_mnist_root_that_holds_none(faults, monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    (fault,) = faults()
    assert "there is no MNIST/raw" in fault.text


def test_less_address_space_than_the_boxs_own_limit_is_a_note(faults, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (7 * 10**9, 7 * 10**9))
    assert faults() == []
    notes = [finding.text for finding in examine_machine() if finding.kind == NOTE]
    assert any("ulimit -v leaves" in text for text in notes)


def test_faults_and_their_steps_are_printed_with_status_1(monkeypatch, capsys):
    found = [Finding(FINE, "one"), Finding(FAULT, "two; do three", ("sudo three", "  indented"))]
    monkeypatch.setattr(doctor, "examine_machine", lambda: found)
    assert main(["doctor"]) == 1
    assert capsys.readouterr().out == "ok: one\nFAULT: two; do three\n    sudo three\n      indented\n"


def test_other_versions_than_the_pinned_ones_are_a_note(tmp_path, monkeypatch):
    (tmp_path / "requirements.txt").write_text(
        "numpy==1.0 ; python_full_version > '3'\n    # via torch\nno-such-package==1\n"
        "other-system==3 ; sys_platform == 'win32'\n"
    )
    monkeypatch.setattr(doctor, "_REPOSITORY", tmp_path)
    texts = [finding.text for finding in doctor._packages()]
    assert texts[0] == "no-such-package is missing, of requirements.txt; run make setup"
    assert texts[1].startswith("numpy ")

"""Why no box can be had is told by the system's own settings, with the remedy; the systems are pretended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.machine import trial
from grader.machine.refusals import explained, remedy_for
from grader.machine.trial import Refused

UID_MAP = Refused(trial.BUBBLEWRAP, "bwrap: setting up uid map: Permission denied")
DENIED = Refused(trial.BUBBLEWRAP, "bwrap: No permissions to create a new namespace, likely because ...")
FULL = Refused(trial.BUBBLEWRAP, "bwrap: Creating new namespace failed: No space left on device")
NESTED = Refused(trial.SESSION, "IsolationError: mount /: Permission denied")
ALL_RIGHTS, DOCKERS = "CapEff:\t000001ffffffffff\n", "CapEff:\t00000000a80425fb\n"


@pytest.fixture
def system(tmp_path):
    """The settings of a pretended system."""

    def write(**files: str) -> Path:
        about = {
            "proc/self/ns/user": "",
            "proc/self/status": ALL_RIGHTS,
            "proc/sys/kernel/osrelease": "6.8.0-generic\n",
            "proc/sys/user/max_user_namespaces": "63000\n",
        }
        for name, content in (about | files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return write


APPARMOR = {"proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"}


def test_apparmor_of_ubuntu(system):
    said = explained(UID_MAP, system(**APPARMOR))
    assert said.startswith(
        "no sandbox for students' code: AppArmor lets no program make user namespaces without"
    )
    assert "(bwrap: setting up uid map: Permission denied)" in said
    assert "/etc/apparmor.d/bwrap" in said
    assert "kernel.apparmor_restrict_unprivileged_userns=0" in said
    assert "python -m grader doctor prints each step" in said
    steps = remedy_for(UID_MAP, system(**APPARMOR)).steps
    assert "  userns," in steps
    assert "profile bwrap /usr/bin/bwrap flags=(unconfined) {" in steps


def test_ubuntus_own_profile_which_forbids_nested_namespaces(system):
    found = remedy_for(NESTED, system(**APPARMOR, **{"etc/apparmor.d/bwrap-userns-restrict": ""}))
    assert "bwrap-userns-restrict allows no namespaces within" in found.reason
    assert found.steps[0].endswith("/etc/apparmor.d/disable/")


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_a_container_by_its_mark(system, mark):
    found = remedy_for(DENIED, system(**{mark: ""}))
    assert "a container that may not make namespaces" in found.reason
    assert "--security-opt seccomp=unconfined" in found.remedy


def test_a_container_by_its_control_group_comes_before_the_hosts_apparmor(system):
    found = remedy_for(DENIED, system(**APPARMOR, **{"proc/1/cgroup": "0::/kubepods/pod7\n"}))
    assert "container" in found.reason
    assert any("securityContext" in step for step in found.steps)


@pytest.mark.parametrize(("rights", "container"), [(DOCKERS, True), (ALL_RIGHTS, False)])
def test_a_root_that_may_not_mount_is_a_containers(system, monkeypatch, rights, container):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    found = remedy_for(DENIED, system(**{"proc/self/status": rights}))
    assert ("container" in found.reason) is container


@pytest.mark.parametrize(
    ("setting", "refused"), [("user/max_user_namespaces", FULL), ("kernel/unprivileged_userns_clone", DENIED)]
)
def test_a_setting_that_switches_namespaces_off(system, setting, refused):
    found = remedy_for(refused, system(**{f"proc/sys/{setting}": "0\n"}))
    name = setting.replace("/", ".")
    assert found.reason.endswith(f"{name} is 0")
    assert f"sysctl -w {name}=1" in found.remedy


def test_wsl_1(system):
    found = remedy_for(DENIED, system(**{"proc/sys/kernel/osrelease": "4.4.0-19041-Microsoft\n"}))
    assert "WSL 1" in found.reason
    assert "wsl --set-version" in found.remedy


def test_a_kernel_of_wsl_2_without_namespaces(system):
    root = system(**{"proc/sys/kernel/osrelease": "5.4.72-microsoft-standard-WSL2\n"})
    (root / "proc/self/ns/user").unlink()
    assert remedy_for(DENIED, root).remedy == "Update it, in PowerShell: wsl --update"


def test_a_bubblewrap_that_is_too_old(system):
    found = remedy_for(Refused(trial.BUBBLEWRAP, "bwrap: Unknown option --size"), system())
    assert "too old" in found.reason


def test_a_root_without_nobody(system):
    found = remedy_for(Refused(trial.NOBODY, "OSError: Invalid argument"), system())
    assert "no account nobody" in found.reason


def test_what_nobody_knows_is_told_in_the_kernels_words(system):
    said = explained(Refused(trial.SESSION, "IsolationError: mount /tmp: Input/output error"), system())
    assert "a reason that is not known here (IsolationError: mount /tmp: Input/output error)" in said


def test_every_message_is_one_line(system):
    root = system(**APPARMOR)
    steps = (trial.MISSING, trial.BUBBLEWRAP, trial.NOBODY, trial.NAMESPACES, trial.SESSION, trial.TIME)
    for refused in (*(Refused(step, "words\nof two lines") for step in steps), Refused("address space", "5")):
        assert "\n" not in explained(refused, root)

"""Why no box can be had on this machine, and what to do about it.

The words of bubblewrap and the kernel name a step that was refused, and seldom who refused it: the system's
own settings say that. Where several could be the reason, the one whose remedy the others need comes first.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from grader.machine.trial import (
    ADDRESS_SPACE,
    BUBBLEWRAP,
    LEAST_ADDRESS_SPACE,
    MISSING,
    NOBODY,
    TIME,
    Refused,
)
from grader.text import printable

_ROOT = Path("/")
_MOUNT = 21  # CAP_SYS_ADMIN, which root needs to make namespaces and to mount
PROFILE = """\
abi <abi/4.0>,
include <tunables/global>
profile bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
  include if exists <local/bwrap>
}"""


@dataclass(frozen=True)
class Remedy:
    """What keeps a box from being made, and how to mend it.

    Attributes:
        reason: who or what refuses it.
        remedy: what to do, in a few words.
        steps: the same as lines to type or to write, where that takes more.
    """

    reason: str
    remedy: str
    steps: tuple[str, ...] = ()


def explained(refused: Refused, root: Path = _ROOT) -> str:
    """One line: what was refused, why, and the remedy."""
    found = remedy_for(refused, root)
    said = "" if refused.step in (MISSING, ADDRESS_SPACE, TIME) else f" ({printable(refused.said, 200)})"
    more = "; python -m grader doctor prints each step" if found.steps else ""
    return f"no sandbox for students' code: {found.reason}{said}. {found.remedy}{more}"


def remedy_for(refused: Refused, root: Path = _ROOT) -> Remedy:
    """The likely reason of a refusal.

    Args:
        refused: what failed, and the words.
        root: the folder with proc/ and etc/ in it.
    """
    if refused.step == MISSING:
        return Remedy(
            "bubblewrap (bwrap) is not installed",
            "Install it (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap), or use "
            "--no-sandbox for code of your own",
        )
    if refused.step == ADDRESS_SPACE:
        return Remedy(
            f"ulimit -v allows {int(refused.said) // 1024} kB of address space, and marking needs "
            f"{LEAST_ADDRESS_SPACE // 1024}",
            "Run ulimit -v unlimited, or start from a shell without that limit",
        )
    if refused.step == TIME:
        return Remedy(
            f"bubblewrap gave {printable(refused.said, 200)}",
            "The machine is very busy, or a file system hangs: try again when it is not",
        )
    if refused.step == BUBBLEWRAP and "unknown option" in refused.said.lower():
        return Remedy(
            "this bubblewrap is too old",
            "Install a newer one: 0.8, of Debian 12 and Ubuntu 24.04, is known to do",
        )
    return _refused_by(_System(root), refused.step)


@dataclass(frozen=True)
class _System:
    """The settings that decide who may make namespaces."""

    root: Path

    def _read(self, path: str) -> str:
        try:
            return (self.root / path).read_text(errors="replace").strip()
        except OSError:
            return ""

    def is_off(self, setting: str) -> bool:
        return self._read(f"proc/sys/{setting}") == "0"

    @property
    def apparmor(self) -> bool:
        """Whether AppArmor lets only what has a profile make user namespaces, as on Ubuntu from 23.10 on."""
        return self._read("proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1"

    @property
    def stacked_profile(self) -> bool:
        """Whether Ubuntu's own profile for bwrap is there, which forbids namespaces within namespaces."""
        return (self.root / "etc/apparmor.d/bwrap-userns-restrict").exists()

    @property
    def kernel(self) -> str:
        return self._read("proc/sys/kernel/osrelease")

    @property
    def namespaces(self) -> bool:
        return (self.root / "proc/self/ns/user").exists()

    @property
    def container(self) -> bool:
        marks = (".dockerenv", "run/.containerenv", "run/systemd/container")
        groups = self._read("proc/1/cgroup") + self._read("proc/self/cgroup")
        return any((self.root / mark).exists() for mark in marks) or any(
            name in groups for name in ("docker", "kubepods", "libpod", "lxc", "containerd")
        )

    @property
    def weak_root(self) -> bool:
        """Whether this is a root without the right to mount, as in a container."""
        for line in self._read("proc/self/status").splitlines():
            if line.startswith("CapEff:"):
                return os.geteuid() == 0 and not int(line.split()[1], 16) >> _MOUNT & 1
        return False


def _refused_by(system: _System, step: str) -> Remedy:
    kernel = system.kernel
    if "Microsoft" in kernel and "WSL2" not in kernel:
        return Remedy(
            f"this is WSL 1 ({kernel}), whose kernel has no namespaces",
            "Move the distribution to WSL 2, in PowerShell: wsl --set-version NAME 2 (wsl --list names it)",
        )
    if not system.namespaces:
        wsl = "microsoft" in kernel.lower()
        return Remedy(
            f"this kernel ({kernel or platform.release()}) was built without user namespaces",
            "Update it, in PowerShell: wsl --update"
            if wsl
            else "Use a kernel that has them: CONFIG_USER_NS=y",
        )
    if system.container or system.weak_root:
        return _in_a_container(step)
    for setting, value in (("user/max_user_namespaces", "15000"), ("kernel/unprivileged_userns_clone", "1")):
        if system.is_off(setting):
            name = setting.replace("/", ".")
            return Remedy(
                f"user namespaces are switched off here: {name} is 0",
                f"As root: sysctl -w {name}={value}, and the same line in /etc/sysctl.d/ for the next start",
                (
                    f"sudo sysctl -w {name}={value}",
                    f"echo {name}={value} | sudo tee /etc/sysctl.d/60-namespaces.conf",
                ),
            )
    if system.apparmor:
        return _under_apparmor(system.stacked_profile)
    if step == NOBODY:
        return Remedy(
            "this root is one of a user namespace in which there is no account nobody",
            "Run the grader as an ordinary user, or give the namespace the accounts up to 65534",
        )
    return Remedy(
        "the kernel or bubblewrap refuses it, for a reason that is not known here",
        "python -m grader doctor shows what else is looked at; --no-sandbox marks code of your own",
    )


def _in_a_container(step: str) -> Remedy:
    nobody = " with the accounts up to 65534" if step == NOBODY else ""
    return Remedy(
        "this is a container that may not make namespaces or mount",
        f"Start it with these rights{nobody} (docker run --cap-add SYS_ADMIN --security-opt "
        "seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined), or "
        "run the grader outside of it",
        (
            "docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined \\",
            "  --security-opt apparmor=unconfined --security-opt systempaths=unconfined ...",
            "podman run --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt unmask=ALL ...",
            "Kubernetes, securityContext: capabilities.add: [SYS_ADMIN], seccompProfile.type: Unconfined, "
            "appArmorProfile.type: Unconfined, procMount: Unmasked",
        ),
    )


def _under_apparmor(stacked: bool) -> Remedy:
    reason = "AppArmor lets no program make user namespaces without a profile that allows it"
    instead: tuple[str, ...] = ()
    if stacked:
        reason = "AppArmor's profile bwrap-userns-restrict allows no namespaces within bubblewrap's"
        instead = (
            "sudo ln -s /etc/apparmor.d/bwrap-userns-restrict /etc/apparmor.d/disable/",
            "sudo apparmor_parser -R /etc/apparmor.d/bwrap-userns-restrict",
        )
    return Remedy(
        reason,
        "Give /usr/bin/bwrap an unconfined profile with userns, in /etc/apparmor.d/bwrap, or as root: "
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, which opens them to every program",
        (
            *instead,
            "sudo tee /etc/apparmor.d/bwrap <<'END'",
            *PROFILE.splitlines(),
            "END",
            "sudo apparmor_parser -r /etc/apparmor.d/bwrap",
        ),
    )

"""A machine of its own inside this one: accounts, homes and `/srv` that nobody else sees.

It is a namespace of mounts and of processes. In it `/etc` is a copy, so that accounts can be made; `/home`,
`/srv` and the folder of this checkout are empty; and what only root can enter, as `/root`, lets everyone
through to Python and to nothing else. When the process that holds it ends, however it ends, all of it is
gone, with all that ran there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
KIT = Path("/srv/kit")
PYTHON = Path(os.path.realpath(sys.prefix), "bin", "python")
PARTS = (
    "grader",
    "docs/handout",
    "solutions",
    "student",
    "tests/gradebook",
    "tests/report",
    "tests/machines",
    "tests/public",
)

_SET_UP = r"""
set -e
mount -t proc proc /proc
stage=$1 hidden=$2 kept=$3
mount -t tmpfs -o mode=755 machine "$stage"
cp -a /etc "$stage/etc"
mkdir "$stage/kept"
n=0
echo "$kept" | while read -r path; do
  n=$((n + 1)); mkdir "$stage/kept/$n"; mount --bind "$path" "$stage/kept/$n"
done
mount --bind "$stage/etc" /etc
echo "$hidden" | while read -r path; do mkdir -p "$path"; mount -t tmpfs -o mode=755 machine "$path"; done
n=0
echo "$kept" | while read -r path; do
  n=$((n + 1)); mkdir -p "$path"; mount --bind "$stage/kept/$n" "$path"
done
echo ready
exec cat >/dev/null
"""


_OWN = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child")


def missing() -> str:
    """Why no such machine can be made here; empty where it can."""
    if os.geteuid() != 0:
        return "only root can make accounts"
    for tool in ("unshare", "nsenter", "useradd", "groupadd", "setpriv"):
        if shutil.which(tool) is None:
            return f"there is no {tool} here"
    trial = [*_OWN, "mount", "-t", "tmpfs", "trial", "/srv"]
    if subprocess.run(trial, capture_output=True, check=False).returncode:
        return "root may not mount anything here"
    return ""


def _closed(path: Path) -> Path | None:
    """The first folder on the way to a path that only root can enter."""
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001), None)


class Machine:
    """A machine of its own; a context manager.

    Args:
        stage: an empty folder, which is empty again afterwards.
        also: what else of this machine is to be seen there.
    """

    def __init__(self, stage: Path, also: Iterable[Path] = ()) -> None:
        kept = {Path(os.path.realpath(path)) for path in (sys.base_prefix, sys.prefix, *also)}
        hidden = {Path("/home"), Path("/srv"), ROOT} | {
            folder for path in kept if (folder := _closed(path)) is not None
        }
        self._kept = sorted(path for path in kept if any(place in path.parents for place in hidden))
        self._hidden = sorted(hidden)
        self._stage = stage

    def __enter__(self) -> Machine:
        lists = ["\n".join(map(str, paths)) for paths in (self._hidden, self._kept)]
        self._process = subprocess.Popen(
            [*_OWN, "sh", "-c", _SET_UP, "sh", self._stage, *lists],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the machine could not be made, see above")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def path(self, inner: str | Path) -> Path:
        """Where root finds a path of the machine from outside."""
        return Path(f"/proc/{self._process.pid}/root{inner}")

    def root(self, *command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        """Run a command as root, which must succeed."""
        return self._run(command, check=True, **options)

    def command(self, *command: str | Path) -> list[str]:
        """What starts a command as root in the machine."""
        spaces = f"/proc/{self._process.pid}/ns"
        enter = ["nsenter", f"--mount={spaces}/mnt", f"--pid={spaces}/pid_for_children", "--"]
        return [*enter, *map(str, command)]

    def as_account(
        self, account: str, *command: str | Path, cwd: str | Path = "", umask: str = "022"
    ) -> list:
        """What starts a command as an account, in its home or another folder, as after its login."""
        home = f"/home/{account}"
        enter = f'umask {umask}; cd "$1" && shift && exec "$@"'
        return self.command(
            *("setpriv", f"--reuid={account}", f"--regid={account}", "--init-groups", "env", "-i"),
            *(f"HOME={home}", f"USER={account}", f"LOGNAME={account}", "LANG=C.UTF-8"),
            *("PATH=/usr/local/bin:/usr/bin:/bin", f"PYTHONPATH={KIT}:{KIT / 'tests'}"),
            *("PYTHONDONTWRITEBYTECODE=1", "sh", "-c", enter, "sh", cwd or home, *command),
        )

    def run(
        self, account: str, *command: str | Path, cwd: str | Path = "", umask: str = "022", text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as an account to its end.

        Args:
            account: one of the machine's.
            command: with its arguments.
            cwd: where; by default in the home.
            umask: of the login.
            text: what the command reads.
        """
        return self._run(command, account=account, cwd=cwd, umask=umask, input=text)

    def _run(
        self,
        command: Sequence[str | Path],
        account: str = "",
        cwd: str | Path = "",
        umask: str = "",
        **options: object,
    ) -> subprocess.CompletedProcess[str]:
        line = self.as_account(account, *command, cwd=cwd, umask=umask) if account else self.command(*command)
        return subprocess.run(
            line,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            **({"check": False} | options),  # type: ignore[call-overload]
        )

    def add_accounts(self, *names: str, groups: str = "") -> None:
        """Make accounts with closed homes, in a group."""
        for name in names:
            self.root("useradd", "--create-home", "--user-group", *(("-G", groups) if groups else ()), name)
            self.root("chmod", "700", f"/home/{name}")

    def install_kit(self, group: str) -> None:
        """Put the kit where a group can read it, and nobody else."""
        kit = self.path(KIT)
        for part in PARTS:
            shutil.copytree(ROOT / part, kit / part)
        for name in ("tests/__init__.py", "README.md", "pyproject.toml", "requirements.txt", "Makefile"):
            if (ROOT / name).exists():
                shutil.copy2(ROOT / name, kit / name)
        self.root("chgrp", "-R", group, KIT)
        self.root("chmod", "-R", "g+rX,g-w,o-rwx", KIT)


# Reads paths, and prints those that can be opened or listed.
OPENED = """
import os, sys
for path in sys.stdin.read().split("\\0"):
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            os.listdir(path)
        else:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        print(path)
    except OSError:
        pass
"""


def everything(machine: Machine, *folders: str | Path) -> list[str]:
    """Every path under some folders of a machine, and they themselves."""
    paths = []
    for folder in folders:
        top = machine.path(folder)
        found = [top, *top.rglob("*")]
        paths += [f"/{path.relative_to(machine.path('/'))}" for path in found]
    return paths


def opened(machine: Machine, account: str, paths: Iterable[str]) -> list[str]:
    """Those of some paths that an account can open or list."""
    done = machine.run(account, PYTHON, "-I", "-c", OPENED, text="\0".join(paths))
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()

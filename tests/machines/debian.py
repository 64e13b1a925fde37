"""`python -m tests.machines.debian trixie sid`: the kit on other Debian releases, each with its own Python.

A release is unpacked into a folder by debootstrap and entered with namespaces of its own, on this machine's
kernel. There the committed kit is cloned, `make setup` runs, the sample cohort has to come to the marks of
tests/golden_cohort.json, and then `make test`. Needs root, bubblewrap, debootstrap, a network, and 12 GB
of disk for each release. The last line of each is a row for the table in docs/machines.md.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MIRROR = "http://deb.debian.org/debian"
PACKAGES = ("python3", "python3-venv", "make", "git", "bubblewrap", "procps", "ca-certificates", "libc-bin")
GOLDEN = "tests/test_grading.py"
SHOWN = ("/etc/resolv.conf", "/etc/pip.conf", "/etc/ssl/certs")  # how this machine reaches the network


@dataclass(frozen=True)
class Release:
    """A release in a folder.

    Attributes:
        tree: the folder.
        account: who runs the kit: `root`, or an ordinary account.
        umask: of all that is run.
    """

    tree: Path
    account: str = "root"
    umask: str = "022"

    @property
    def home(self) -> str:
        return "/root" if self.account == "root" else f"/home/{self.account}"

    def run(self, command: str, log: Path | None = None, account: str | None = None) -> tuple[int, str]:
        """Run a command of the shell in the release; the status, and what it printed."""
        account = account or self.account
        home = "/root" if account == "root" else f"/home/{account}"
        shown = [part for place in SHOWN for part in ("--ro-bind-try", place, place)]
        entered = [
            "bwrap",
            "--die-with-parent",
            "--unshare-pid",
            "--cap-add",
            "ALL",
            "--bind",
            str(self.tree),
            "/",
        ]
        entered += ["--dev-bind", "/dev", "/dev", "--proc", "/proc", "--ro-bind", "/sys", "/sys", *shown]
        entered += [
            "--setenv",
            "HOME",
            home,
            "--setenv",
            "PATH",
            "/usr/sbin:/usr/bin:/sbin:/bin",
            "--chdir",
            "/",
        ]
        script = f"umask {self.umask}; cd {home}; {command}"
        inside = ["sh", "-c", script]
        if account != "root":
            inside = ["setpriv", f"--reuid={account}", f"--regid={account}", "--clear-groups", *inside]
        lines = []
        with subprocess.Popen(
            [*entered, "--", *inside],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if log is not None:
                    with open(log, "a") as file:
                        file.write(line)
        return process.returncode, "".join(lines)


def unpack(suite: str, tree: Path, mirror: str) -> None:
    """Make a release's folder, where there is none yet."""
    if not (tree / "usr/bin/make").exists():
        include = ",".join(PACKAGES)
        command = ["debootstrap", "--variant=minbase", f"--include={include}", suite, str(tree), mirror]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def prepare(release: Release) -> None:
    """Make the account, and clone the kit into a folder that is its own alone."""
    if release.account != "root":
        release.run(f"id {release.account} || useradd --create-home {release.account}", account="root")
    kit = release.tree / release.home.lstrip("/") / "kit"
    shutil.rmtree(kit, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(kit)], check=True)
    kit.chmod(0o700)
    # A clone of this machine's root: git wants it to be whose it is run by, and .ci is no part of a release.
    release.run(f"chown -R {release.account}: {release.home}/kit", account="root")


def examine(suite: str, release: Release, log: Path, tests: str | None) -> bool:
    """Set up, mark and test there; prints the row of the table, and says whether all is as it should be."""
    _, python = release.run("python3 -c 'import platform; print(platform.python_version())'")
    _, bubblewrap = release.run("bwrap --version")
    system = "make setup sandbox" if release.account == "root" else "make .venv/.ready"
    status, said = release.run(f"cd kit && {system}", log)
    if status:
        print(said[-2000:])
        print(f"{suite}: make setup ended with status {status}; all that was said: {log}")
        return False
    release.run("cd kit && .venv/bin/python -m grader doctor", log)
    started = time.monotonic()
    golden, said = release.run(
        f"cd kit && .venv/bin/python -W error::SyntaxWarning -m pytest -q {GOLDEN}", log
    )
    warnings = re.search(r"(\d+) warnings?", said)
    counts, tested = "not run", 0
    if tests is not None:
        tested, said = release.run(f"cd kit && make test {f'TESTS={tests!r}' if tests else ''}", log)
        found = re.findall(r"\d+ passed.*|\d+ failed.*", said)
        counts = (found[-1] if found else f"status {tested}").partition(" in ")[0].strip("= ")
    whose = f"{release.account}, umask {release.umask}"
    marks = f"{'as expected' if golden == 0 else 'DIFFERENT'}, {warnings[0] if warnings else 'no warnings'}"
    print(
        f"| {suite} | {python.strip()} | {bubblewrap.split()[-1]} | {whose} | {marks} | {counts} |",
        flush=True,
    )
    print(f"  {(time.monotonic() - started) / 60:.0f} minutes; all that was said: {log}", file=sys.stderr)
    return golden == 0 and tested == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine each release."""
    parser = argparse.ArgumentParser(prog="python -m tests.machines.debian", description=__doc__)
    parser.add_argument("suites", nargs="+", metavar="SUITE", help="such as trixie or sid")
    parser.add_argument("--folder", type=Path, help="keep the releases here, for another time")
    parser.add_argument("--account", default="root", help="who runs the kit; made where it is missing")
    parser.add_argument("--umask", default="022")
    parser.add_argument("--mirror", default=MIRROR)
    parser.add_argument("--golden-only", action="store_true", help="without make test")
    parser.add_argument("--tests", default="", help="only these, of make test")
    given = parser.parse_args(arguments)
    if os.geteuid() != 0:
        parser.error("only root can unpack a release and enter it")
    for program in ("bwrap", "debootstrap", "git"):
        if shutil.which(program) is None:
            parser.error(f"there is no {program} here: apt-get install bubblewrap debootstrap git")
    folder = given.folder or Path(tempfile.mkdtemp(prefix="debian-"))
    fine = True
    try:
        for suite in given.suites:
            release = Release(folder / suite, given.account, given.umask)
            unpack(suite, release.tree, given.mirror)
            prepare(release)
            log = folder / f"{suite}-{given.account}.log"
            log.unlink(missing_ok=True)
            fine = examine(suite, release, log, None if given.golden_only else given.tests) and fine
    finally:
        if given.folder is None and fine:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

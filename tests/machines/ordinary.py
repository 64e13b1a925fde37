"""`python -m tests.machines.ordinary [TESTS]`: the kit's tests as an ordinary user sees them.

An account with nothing but a home runs them in a clone of its own, which others cannot enter, with umask 077.
By default those of the sandbox, which is made differently for root. Where no account can be made, since the
one who asks is an ordinary user already, nothing is done.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.machines.machine import PYTHON, ROOT, Machine, missing

ACCOUNT = "ada"
KIT = Path("/home") / ACCOUNT / "kit"


def clone(to: Path) -> None:
    """Copy what git knows, or would add, of this checkout."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).split("\0")
    for name in filter(None, names):
        source = ROOT / name
        if source.is_symlink() or source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to / name, follow_symlinks=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tests; pytest's status."""
    tests = list(sys.argv[1:] if arguments is None else arguments) or ["tests/box"]
    if missing():
        print(f"not run as an ordinary user: {missing()}")
        return 0
    with tempfile.TemporaryDirectory(prefix="machine-") as stage, Machine(Path(stage)) as machine:
        machine.add_accounts(ACCOUNT)
        clone(machine.path(KIT))
        machine.root("chown", "-R", f"{ACCOUNT}:{ACCOUNT}", KIT)
        machine.root("chmod", "-R", "go-rwx", KIT)
        pytest = ("env", "-u", "PYTHONPATH", PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider")
        return subprocess.call(machine.as_account(ACCOUNT, *pytest, *tests, cwd=KIT, umask="077"), cwd="/")


if __name__ == "__main__":
    sys.exit(main())

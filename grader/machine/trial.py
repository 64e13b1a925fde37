"""Whether a box starts and holds here, found out in a fraction of a second.

A box and a session in it are set up by the same code as for students' work, without torch. Where that fails,
the kernel or bubblewrap says which step was refused; `refusals` says why, and what to do.
"""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
from dataclasses import dataclass

from grader.box.errors import BoxError
from grader.box.launcher import ENVIRONMENT, bubblewrap_arguments, find_bubblewrap
from grader.limits import BOX_TRIAL_SECONDS

BOOT = "import sys; sys.path.insert(0, '/box'); import trial; trial.main()"
# The template with torch takes 3.8 GB of address space, a session at least 2.1 GB and at most 4.3 GB more.
LEAST_ADDRESS_SPACE = 6 * 10**9
FULL_ADDRESS_SPACE = 81 * 10**8

MISSING, BUBBLEWRAP, NOBODY, NAMESPACES, SESSION, TIME, ADDRESS_SPACE = (
    "missing",
    "bubblewrap",
    "nobody",
    "namespaces",
    "session",
    "time",
    "address space",
)


@dataclass(frozen=True)
class Refused:
    """No box for students' code can be had.

    Attributes:
        step: what failed: MISSING, there is no bubblewrap; BUBBLEWRAP, it does not start; NOBODY, root
            cannot become nobody; NAMESPACES, none can be made in the box; SESSION, they can, but not set up;
            TIME, there was no answer; ADDRESS_SPACE, `ulimit -v` leaves too little.
        said: the words of bubblewrap or the kernel; for ADDRESS_SPACE the bytes that there are.
    """

    step: str
    said: str


def try_box() -> Refused | None:
    """Set up a box and a session in it.

    Returns:
        What was refused, or None where the box holds.

    Raises:
        GraderUsageError: BOX_PYTHON does not name a Python.
    """
    try:
        bubblewrap = find_bubblewrap()
    except BoxError as error:
        return Refused(MISSING, str(error))
    limit = address_space()
    if limit is not None and limit < LEAST_ADDRESS_SPACE:
        return Refused(ADDRESS_SPACE, str(limit))
    with tempfile.TemporaryFile() as complaints:
        try:
            done = subprocess.run(
                bubblewrap_arguments(bubblewrap, BOOT),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=ENVIRONMENT,
                cwd="/",
                timeout=BOX_TRIAL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Refused(TIME, f"no answer within {BOX_TRIAL_SECONDS:.0f} s")
        except OSError as error:
            return Refused(BUBBLEWRAP, f"{bubblewrap}: {error.strerror}")
        complaints.seek(0)
        lines = complaints.read().decode(errors="replace").strip().splitlines()
    try:
        said = json.loads(done.stdout)
    except ValueError:
        last = lines[-1] if lines else f"{bubblewrap} ended with status {done.returncode}"
        return Refused(BUBBLEWRAP, last)
    return None if said.get("held") else Refused(str(said.get("step")), str(said.get("error")))


def address_space() -> int | None:
    """The bytes of address space that processes of ours may have at most; None where there is no limit."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[1]
    return None if limit == resource.RLIM_INFINITY else limit

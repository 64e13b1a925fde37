"""What the host sees of a box: its processes."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path


def _status(pid: int) -> tuple[int, str] | None:
    """Parent and start time; together with the number, the start time tells a process for good.

    One that has ended is none: how soon its number is given back is up to the machine's first process.
    """
    with contextlib.suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] != "Z":
            return int(fields[1]), fields[19]
    return None


def family(root: int) -> set[tuple[int, str]]:
    """A process and all its descendants, as pairs of number and start time."""
    everyone = {
        int(entry.name): status
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (status := _status(int(entry.name))) is not None
    }
    found, waiting = set(), [root]
    while waiting:
        pid = waiting.pop()
        if pid in everyone:
            found.add((pid, everyone[pid][1]))
        waiting += [child for child, (parent, _) in everyone.items() if parent == pid]
    return found


def remaining(processes: set[tuple[int, str]], seconds: float = 5.0) -> set[tuple[int, str]]:
    """Those of the processes that are still there after waiting up to this long for their end."""
    deadline = time.monotonic() + seconds
    while True:
        left = {(pid, start) for pid, start in processes if (now := _status(pid)) and now[1] == start}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)

"""What the system tells of processes and their memory, by way of /proc; nothing where it has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# Kilobytes of a process's memory that no file stands behind: its own, and what it shares with others.
_OWN, _SHARED = "RssAnon", "RssShmem"


def descendants(pid: int) -> Iterator[int]:
    """The processes that a process has started, those that they have started, and so on."""
    pending = [pid]
    while pending:
        try:
            tasks = list(Path(f"/proc/{pending.pop()}/task").iterdir())
        except OSError:  # it has ended
            continue
        for task in tasks:
            try:
                children = [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
            yield from children
            pending += children


def status(pid: int) -> dict[str, str]:
    """What the system says of a process; nothing, where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def memory(pid: int) -> int:
    """Bytes that a process holds and that no file stands behind; 0 where it has ended.

    What a fork has not changed since counts for both.
    """
    said = status(pid)
    return sum(int(said[name].split()[0]) * 1024 for name in (_OWN, _SHARED) if name in said)

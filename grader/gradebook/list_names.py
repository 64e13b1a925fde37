"""What students call a file in which they say who worked together."""

from __future__ import annotations

import re
from pathlib import Path

MAX_BYTES = 4_000
_FILE = re.compile(
    r"(?i)(?:group|team)[ _-]?(?:members|mates)?s?|members|(?:co[ _-]?)?authors|gruppe|groep|groupe|grupo"
)
_SUFFIXES = ("", ".txt", ".csv", ".md")


def is_member_list(name: str) -> bool:
    """Whether a file is called like a list of members: `group.txt`, `GROUP`, `members.csv`."""
    path = Path(name)
    return path.suffix.lower() in _SUFFIXES and _FILE.fullmatch(path.stem) is not None


def is_short_list(path: Path) -> bool:
    """Whether a file is such a list, and not a report that is called like one."""
    return is_member_list(path.name) and path.stat().st_size <= MAX_BYTES

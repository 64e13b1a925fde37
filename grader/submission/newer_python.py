"""Which Python does a file need? Students write on newer ones than the grader runs.

Asked of ruff, which knows the syntax of every release and runs nothing. (parso 0.8.7 does not know the
f-strings of Python 3.12, PEP 701, and an older Python cannot tell newer syntax from a mistake.)
"""

from __future__ import annotations

import json
import subprocess
import sys

from grader.limits import NEWER_PYTHON_SECONDS

NEWEST = 14  # Python 3.14: the newest that ruff 0.17 knows
Version = tuple[int, int]


def required_python(source: bytes, current: Version = sys.version_info[:2]) -> Version | None:
    """The oldest Python newer than the current one that can read a file.

    Args:
        source: the file.
        current: the version that the grader runs.

    Returns:
        The version, or None where the current one can read it, none can, or ruff is not installed.
    """
    if _readable(source, f"py3{current[1]}") is not False:
        return None
    for minor in range(current[1] + 1, NEWEST + 1):
        readable = _readable(source, f"py3{minor}")
        if readable is None:
            return None
        if readable:
            return 3, minor
    return None


def _readable(source: bytes, target: str) -> bool | None:
    """Whether a version of Python can read a file; None where that cannot be found out."""
    try:
        from ruff import find_ruff_bin

        # One rule has to be chosen; what it finds does not count.
        options = ["--isolated", "--no-cache", "--select", "F401", "--output-format", "json"]
        found = subprocess.run(
            [find_ruff_bin(), "check", *options, "--target-version", target, "-"],
            input=source,
            capture_output=True,
            timeout=NEWER_PYTHON_SECONDS,
            check=False,
        )
        return not any(one["code"] == "invalid-syntax" for one in json.loads(found.stdout))
    except (ImportError, OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None

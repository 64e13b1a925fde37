"""Tells what the grader wrote from what a student handed in, by the content of files, not by names."""

from __future__ import annotations

import json
import os
from itertools import islice
from pathlib import Path
from typing import Any

from grader.submission.folder import holds_assignment

_MOST_BYTES = 16 * 2**20
_MOST_FOLDERS = 20  # looked into, for a result


def holds_results(path: Path) -> bool:
    """Whether a folder is the output of a run: it holds what only the grader writes, and nothing to mark.

    A student's folder may hold a saved page or a `run.json` of their own.
    """
    return (_is_run(path) or _is_table(path) or _holds_a_result(path)) and not holds_assignment(path)


def _is_run(path: Path) -> bool:
    run = _read_json(path / "run.json")
    return isinstance(run.get("seed"), int) and isinstance(run.get("complete"), bool)


def _is_table(path: Path) -> bool:
    return _read(path / "marks.csv").startswith(b"submission,points")


def _holds_a_result(path: Path) -> bool:
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return False
    paths = (path / name / "results.json" for name in names)
    results = (one for one in paths if os.path.isfile(one))  # which may not be allowed to look
    return any(
        {"submission", "seed", "items"} <= _read_json(one).keys() for one in islice(results, _MOST_FOLDERS)
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_read(path))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _read(path: Path) -> bytes:
    """The content of a plain file, or nothing."""
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return b""
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return b""

"""`results.json`: the one file that every other report, gradebook and tool reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from grader.errors import GraderUsageError
from grader.files import write_atomically
from grader.marking.result import SubmissionResult
from grader.marking.result_json import result_from_json
from grader.text import printable

FILE_NAME = "results.json"
# Beside the submissions: {"pairs": [{"a": "s1", "b": "s2", "score": 0.97}, ...], "against": [{"a": "s1",
# "cohort": "2026", "b": "s7", "score": 0.98}, ...]}, the latter with submissions of other cohorts.
PAIRS_FILE = "similar.json"


def write_result(output: Path, result: SubmissionResult) -> Path:
    """Write `OUTPUT/<submission>/results.json`.

    Args:
        output: the folder of results, which exists.
        result: the marks.

    Returns:
        Where it was written.

    Raises:
        ValueError: the name would lead out of the output folder, or a number is not finite.
        OSError: the file cannot be written.
    """
    name = result.submission
    if not name or name.startswith(".") or "/" in name or os.sep in name or "\0" in name:
        raise ValueError(f"{name!r} is not a name for a folder of results")
    content = result_bytes(result)
    folder = output / name
    if folder.is_symlink():
        raise NotADirectoryError(
            20, "it is a link, and results are never written outside --output", str(folder)
        )
    folder.mkdir(exist_ok=True)
    path = folder / FILE_NAME
    write_atomically(path, content)
    return path


def read_result(folder: Path) -> SubmissionResult:
    """The result in `OUTPUT/<submission>`, for a command that was given this folder.

    Raises:
        GraderUsageError: there is none, it cannot be read, or it is not valid.
    """
    path = folder / FILE_NAME
    shown = printable(str(path))
    try:
        return result_from_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise GraderUsageError(
            f"{printable(str(folder))}: there is no {FILE_NAME} in it; give a submission's folder in the "
            "--output folder of a run, OUTPUT/<submission>"
        ) from None
    except OSError as error:
        raise GraderUsageError(f"{shown}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise GraderUsageError(f"{shown}: {printable(str(error), 160)}; mark the submission again") from error


def result_bytes(result: SubmissionResult) -> bytes:
    """A result as it is written.

    Raises:
        ValueError: a number is not finite.
    """
    content = json.dumps(_valid(result.to_json()), indent=2, ensure_ascii=False, allow_nan=False)
    return content.encode("utf-8") + b"\n"


def write_pairs(
    output: Path,
    pairs: Iterable[tuple[str, str, float]],
    against: Iterable[tuple[str, str, str, float]] = (),
) -> Path:
    """Write who is how alike, for the cohort's page.

    Args:
        output: the folder of results.
        pairs: two submissions and a score, 0 to 1.
        against: a submission, another cohort, one of its submissions, and a score.

    Raises:
        OSError: the file cannot be written.
    """
    table: dict[str, Any] = {
        "pairs": [{"a": one, "b": other, "score": round(score, 4)} for one, other, score in pairs]
    }
    rows = [
        {"a": one, "cohort": cohort, "b": other, "score": round(score, 4)}
        for one, cohort, other, score in against
    ]
    if rows:  # a key that was added: only where it says something
        table["against"] = rows
    path = output / PAIRS_FILE
    write_atomically(path, json.dumps(_valid(table), indent=2).encode() + b"\n")
    return path


def _valid(value: Any) -> Any:
    """The same with every half of a surrogate pair replaced: JSON readers outside Python refuse those."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _valid(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_valid(entry) for entry in value]
    return value

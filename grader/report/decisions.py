"""`decisions.json`: what people have decided of a submission's items, beside its `results.json`.

This file is what is kept. `results.json` is made anew whenever the code is marked, and takes over those
decisions that are about the code that was marked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import GraderFault
from grader.files import write_atomically
from grader.marking.decision import with_decisions, with_history
from grader.marking.result import Decision, SubmissionResult, Why
from grader.marking.result_json import result_from_json
from grader.report.results_json import FILE_NAME as RESULT_FILE
from grader.text import printable

FILE_NAME = "decisions.json"


@dataclass(frozen=True)
class _Decisions:
    decisions: dict[str, Decision]  # by item; in each, `marked` is what the checks gave when it was decided


def read_decisions(folder: Path) -> dict[str, Decision]:
    """The decisions on a submission, by item; none where there is no file.

    Raises:
        GraderFault: the file cannot be read. Marking must not go on without it.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return {}
    from pydantic import TypeAdapter  # 0.2 s, and few submissions have such a file

    try:
        found: _Decisions = TypeAdapter(_Decisions).validate_json(path.read_bytes(), strict=True)
    except (OSError, ValueError) as error:
        reason = (
            (error.strerror or str(error)) if isinstance(error, OSError) else "it is not what was written"
        )
        raise GraderFault(
            f"{printable(str(path))}: cannot be read ({reason}); bring an older copy back, or remove it to "
            "give up the decisions in it"
        ) from error
    return found.decisions


def write_decisions(folder: Path, decisions: Mapping[str, Decision]) -> None:
    """Keep decisions, by item.

    Raises:
        OSError: they cannot be written.
    """
    table = {"decisions": {item: asdict(decision) for item, decision in decisions.items()}}
    write_atomically(folder / FILE_NAME, json.dumps(table, indent=2, ensure_ascii=False).encode() + b"\n")


def now() -> str:
    """The time as it stands in decisions and histories: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def carried_over(
    folder: Path,
    result: SubmissionResult,
    why: Why = "marked",
    who: str = "",
) -> SubmissionResult:
    """A result with what people have decided, and with the history of the one whose place it takes.

    Args:
        folder: of the submission's results; it may be missing.
        result: without decisions of this folder.
        why: it is written.
        who: writes it, for what a person does.

    Raises:
        GraderFault: the decisions cannot be read.
    """
    result = with_decisions(result, read_decisions(folder))
    try:
        before = result_from_json((folder / RESULT_FILE).read_bytes())
    except (OSError, ValueError):  # there is none, or one that nobody can read
        return result
    return with_history(result, before, now(), why, who)

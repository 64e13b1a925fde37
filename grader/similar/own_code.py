"""What of a submission the student wrote: its files without the lines that were given."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from grader.submission import NAMED_FILES, Submission

STUBS = Path(__file__).resolve().parents[2] / "student"
MAX_CHARACTERS = 100_000  # of one submission; the model solutions have 12,000


def own_code(submission: Submission) -> str:
    """The lines of all files that are not in the stubs, file by file, each file under a comment.

    Indentation does not make a line another one: given code that was moved into a loop is still given.
    """
    told: list[str] = []
    for name in NAMED_FILES:
        text = submission.files.get(name, b"").decode("utf-8", "replace")
        lines = [
            line.rstrip() for line in text.splitlines() if _bare(line) and _bare(line) not in given(name)
        ]
        if lines:
            told += [f"# {name}", *lines, ""]
    return "\n".join(told)[:MAX_CHARACTERS]


@cache
def given(name: str) -> frozenset[str]:
    """The lines of a stub."""
    stub = STUBS / name
    return frozenset(_bare(line) for line in stub.read_text(encoding="utf-8").splitlines())


def _bare(line: str) -> str:
    return "".join(line.split())

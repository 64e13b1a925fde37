"""What a folder of results holds in all, of this run and of earlier ones."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from grader.errors import GraderUsageError
from grader.marking.result import SubmissionResult
from grader.report.marks_csv import FILE_NAME, write_marks
from grader.report.pages.load import load
from grader.report.results_json import FILE_NAME as RESULT_FILE
from grader.text import listed

_NAMED = 3  # so many submissions are named, more are counted


def write_all_marks(output: Path, done: Sequence[SubmissionResult]) -> Path:
    """Write `OUTPUT/marks.csv` from every result in the folder, also those of earlier runs.

    Where there are results of earlier runs only the names decide the order; otherwise it is that of the run.

    Args:
        output: the folder of results.
        done: those of this run.

    Returns:
        Where it was written.

    Raises:
        OSError: it cannot be written.
    """
    ours = {result.submission: result for result in done}
    try:
        records, _ = load(output)
    except GraderUsageError:  # there are none
        records = []
    earlier = {record.name: record.result for record in records if record.name not in ours}
    known = ours.keys() | earlier.keys()
    unreadable = [
        folder.name
        for folder in output.iterdir()
        if (folder / RESULT_FILE).is_file() and not folder.name.startswith(".") and folder.name not in known
    ]
    every = list(done)
    if earlier:
        every = sorted(
            [*done, *earlier.values()], key=lambda result: (result.submission.casefold(), result.submission)
        )
    return write_marks(output, every, sorted(unreadable))


def what_differs(output: Path) -> list[str]:
    """A line for what the rows of `OUTPUT/marks.csv` do not have in common: a seed, the suites' version."""
    with (output / FILE_NAME).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines = []
    for column, name in (("seed", "seeds"), ("suite", "versions of the suites")):
        groups: dict[str, list[str]] = {}
        for row in rows:
            if row[column]:
                groups.setdefault(row[column], []).append(row["submission"])
        if len(groups) > 1:
            told = ", ".join(f"{value[:20]} ({_who(names)})" for value, names in groups.items())
            lines.append(
                f"{FILE_NAME} holds results of {len(groups)} {name}, see its column {column}: {told}"
            )
    return lines


def count_rows(output: Path) -> int:
    """How many submissions `OUTPUT/marks.csv` has a row for."""
    with (output / FILE_NAME).open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.DictReader(file))


def _who(names: Sequence[str]) -> str:
    return listed(names) if len(names) <= _NAMED else f"{len(names)} submissions"

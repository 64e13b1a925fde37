"""`marks.csv`: a row per submission and a column per automatic item, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from grader.files import write_atomically
from grader.marking.result import SubmissionResult
from grader.report.cells import harmless
from grader.rubric import load_rubric

FILE_NAME = "marks.csv"
MARKED = "marked"
NOT_MARKED = "not marked"
WAITING = "waits for a person"


def write_marks(output: Path, results: Sequence[SubmissionResult], unreadable: Sequence[str] = ()) -> Path:
    """Write `OUTPUT/marks.csv`.

    Points that the grader failed to determine are left empty: they are not zero.

    Args:
        output: the folder of results.
        results: a row each.
        unreadable: submissions whose results cannot be read: a row without points each.

    Returns:
        Where it was written.
    """
    items = [item.id for item in load_rubric().automatic]
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(
        ["submission", "points", "max_points", *items, "status", "review", "seed", "suite", "decided"]
    )
    for result in results:
        points = {
            item.id: "" if item.status == "grader_error" else number(item.points) for item in result.items
        }
        writer.writerow(
            [
                harmless(result.submission),
                number(result.points) if result.marked else "",
                number(result.max_points),
                *(points.get(item, "") for item in items),
                _status(result),
                harmless("; ".join(result.reviews)),
                str(result.seed),
                result.suite,
                " ".join(item.id for item in result.items if item.decision is not None),
            ]
        )
    for name in unreadable:
        writer.writerow([harmless(name), "", "", *("" for _ in items), NOT_MARKED, "", "", "", ""])
    path = output / FILE_NAME
    write_atomically(path, table.getvalue().encode("utf-8", "replace"))
    return path


def _status(result: SubmissionResult) -> str:
    if not result.marked:
        return NOT_MARKED
    return WAITING if result.reviews else MARKED


def number(points: float) -> str:
    """Points as people write them: `1.5`, `12`, `0.667`."""
    return f"{points:.3f}".rstrip("0").rstrip(".")

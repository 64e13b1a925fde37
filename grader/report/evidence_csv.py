"""`evidence.csv`: what was found out about each training of each submission, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from grader.errors import GraderFault
from grader.evidence.facts import Evidence, Kind, read_evidence
from grader.evidence.trainings import trainings
from grader.evidence.words import overall
from grader.files import write_atomically
from grader.report.cells import harmless
from grader.text import printable

FILE_NAME = "evidence.csv"


def write_evidence_table(output: Path) -> Path:
    """Write `OUTPUT/evidence.csv` of every submission in the folder, also of those of earlier runs.

    Returns:
        Where it was written.

    Raises:
        GraderFault: it cannot be written.
    """
    path = output / FILE_NAME
    try:
        write_atomically(path, table_of(_all_in(output)).encode())
    except OSError as error:
        raise GraderFault(f"{printable(str(path))}: cannot be written: {error.strerror or error}") from error
    return path


def _all_in(output: Path) -> dict[str, Evidence]:
    found = {}
    for folder in sorted(output.iterdir(), key=lambda path: path.name.casefold()):
        if folder.is_dir() and not folder.is_symlink():
            try:
                one = read_evidence(folder)
            except (ValueError, OSError):
                continue
            if one is not None:
                found[folder.name] = one
    return found


def table_of(cohort: Mapping[str, Evidence]) -> str:
    """A row for each submission, and four columns for each training."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    names = [training.run for training in trainings()]
    columns = [f"{name} {part}" for name in names for part in ("verdict", "claimed", "measured", "same as")]
    writer.writerow(["submission", *columns])
    for name, evidence in cohort.items():
        runs = {run.run: run for run in evidence.runs}
        row = [harmless(name)]
        for known in names:
            run = runs.get(known)
            score = next((claim for claim in run.claims if claim.kind is Kind.SCORE), None) if run else None
            row += [
                str(overall(run)) if run else "",
                _digits(score.claimed if score else None),
                _digits(score.measured if score else None),
                harmless(" ".join(run.same_as)) if run else "",
            ]
        writer.writerow(row)
    return text.getvalue()


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"

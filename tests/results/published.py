"""The tables beside docs/results.md. They are committed: a machine without the logs counts on them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.files import write_atomically

SCORES = "scores.csv"
COLUMNS = ("training", "command", "epochs", "measure", "score", "machine")


@dataclass(frozen=True)
class State:
    """What a training has come to.

    Attributes:
        epochs: that are finished.
        rows: of the table of metrics, one per epoch; none for the runs that only try a seed.
        score: what was measured at the end, None before: `test_bpd`, or the loss over the training set.
        machine: what it was trained on, in words; empty where nobody noted it.
    """

    epochs: int
    rows: list[dict[str, str]]
    score: float | None
    machine: str = ""


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file; none where there is no file."""
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Writes a CSV file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_atomically(path, buffer.getvalue().encode())


def published(name: str, folder: Path) -> State:
    """What the tables in a folder say of a training: nothing of one that was not at its end."""
    for line in read_table(folder / SCORES):
        if line["training"] == name:
            rows = read_table(folder / f"{name}.csv")
            return State(int(line["epochs"]), rows, float(line["score"]), line["machine"])
    return State(0, [], None)

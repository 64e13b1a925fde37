"""What a training says of itself: its tables and options, read as if anybody had written them."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MOST_TABLE = 500_000  # bytes; 100 epochs take 10,000
MOST_ROWS = 2_000
MOST_COLUMNS = 60
MOST_FILTERS = 256

Row = Mapping[str, float]


@dataclass(frozen=True)
class Records:
    """What the files beside the weights say.

    Attributes:
        rows: the table of metrics, by epoch; columns without a number are left out.
        summary: what was measured at the end, by name.
        options: those that the training was started with, as numbers, by name.
    """

    rows: Mapping[int, Row] = field(default_factory=dict)
    summary: Row = field(default_factory=dict)
    options: Row = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The last epoch of the table; 0 where there is none."""
        return max(self.rows, default=0)

    def with_rows(self, rows: Mapping[int, Row]) -> Records:
        """The same with rows of another file added: its values count where both have one."""
        every = [*self.rows.values(), *(rows[epoch] for epoch in sorted(rows))]
        return replace(self, rows=_by_epoch(every))

    def option(self, name: str, default: int, most: int) -> int:
        """An option that is a whole number, within limits."""
        value = self.options.get(name, default)
        return int(value) if value == int(value) and 1 <= value <= most else default

    def times(self) -> str:
        """A digest of how long the epochs took; empty where the table says nothing of it."""
        seconds = [row["seconds"] for _, row in sorted(self.rows.items()) if "seconds" in row]
        if len(seconds) < 2 or len(set(seconds)) < 2:
            return ""
        return hashlib.sha256(repr(seconds).encode()).hexdigest()[:32]


def read_records(files: Mapping[str, bytes]) -> tuple[Records, list[str]]:
    """What the tables and options of a run say, and a line for each file that cannot be read.

    Args:
        files: of the run's folder, by name.
    """
    problems = []
    rows: dict[int, Row] = {}
    summary: Row = {}
    options: Row = {}
    for name, content in sorted(files.items()):
        try:
            if name == "metrics.csv":
                rows = _by_epoch(_table(content))
            elif name == "summary.csv":
                summary = next(iter(_table(content)), {})
            elif name == "options.json":
                options = _options(content)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, csv.Error):
            problems.append(f"{name} cannot be read")
    return Records(rows, summary, options), problems


def _table(content: bytes) -> list[Row]:
    if len(content) > MOST_TABLE:
        raise ValueError("too large")
    lines = content.decode("utf-8-sig").splitlines()
    if len(lines) > MOST_ROWS or (lines and lines[0].count(",") > MOST_COLUMNS):
        raise ValueError("too long")
    rows: list[Row] = []
    for row in csv.DictReader(lines):
        numbers = {name.strip(): _number(value) for name, value in row.items() if isinstance(name, str)}
        rows.append({name: value for name, value in numbers.items() if value is not None})
    return rows


def _by_epoch(table: list[Row]) -> dict[int, Row]:
    """One row for each epoch: Lightning's logger writes one for training and one for validation.

    Of an epoch that a resumed run has repeated, the later values count. Where the first epoch has a number of
    the training, too, epochs are counted from zero.
    """
    rows: dict[int, Row] = {}
    for row in table:
        if "epoch" in row:
            epoch = int(row["epoch"])
            rows[epoch] = {**rows.get(epoch, {}), **row}
    from_zero = any(name == "seconds" or name.startswith("train") for name in rows.get(0, ()))
    return {epoch + 1: row for epoch, row in rows.items()} if from_zero else rows


def _number(text: object) -> float | None:
    """A finite number of a table's cell; None where there is none."""
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e12 else None


def _options(content: bytes) -> Row:
    if len(content) > MOST_TABLE:
        raise ValueError("too large")
    table: Any = json.loads(content.decode("utf-8"))
    options = table["options"]
    found = {}
    for name in ("z_dim", "lambda_", "epochs", "num_filters", "seed"):
        value = options.get(name)
        number = _number(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        if number is not None:
            found[name] = number
    return found

"""The marks of a course with those that people gave: beside the results, for the cohort's page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader.files import write_atomically
from grader.text import printable

FILE_NAME = "whole_marks.json"
MOST_BYTES = 16 * 2**20


@dataclass(frozen=True)
class WholeMark:
    """A student's mark.

    Attributes:
        points: of what is marked, less what lateness costs.
        max_points: what the assignment is worth.
        penalty: what lateness costs.
        items: points by item; None for what waits for a person.
    """

    points: float
    max_points: float
    penalty: float
    items: Mapping[str, float | None]

    @property
    def waiting(self) -> int:
        """How many items wait for a person."""
        return sum(points is None for points in self.items.values())


def write_whole_marks(output: Path, marks: Mapping[str, WholeMark]) -> None:
    """Write them, by submission, into a folder of results.

    Raises:
        OSError: the file cannot be written.
    """
    table = {"marks": {name: asdict(mark) for name, mark in sorted(marks.items())}}
    write_atomically(
        output / FILE_NAME, (json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    )


def read_whole_marks(output: Path) -> tuple[dict[str, WholeMark], str]:
    """The marks of a folder of results; none where there are none, and a line where they cannot be read."""
    path = output / FILE_NAME
    if not path.is_file() or path.is_symlink():
        return {}, ""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError
        table = json.loads(path.read_text(encoding="utf-8"))["marks"]
        return {str(name): _mark(one) for name, one in table.items()}, ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}, f"{printable(str(path))}: it holds no marks; a run writes it anew, or delete it"


def _mark(one: dict[str, Any]) -> WholeMark:
    items = {str(item): None if value is None else _finite(value) for item, value in one["items"].items()}
    return WholeMark(_finite(one["points"]), _finite(one["max_points"]), _finite(one["penalty"]), items)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no number of points")
    return number

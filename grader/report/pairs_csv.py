"""The most alike pairs for a spreadsheet, those with other cohorts told apart."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from grader.report.cells import harmless

if TYPE_CHECKING:
    from grader.similar import Pair

HEAD = ("with", "submission", "other", "cohort", "score", "share", "other_share")


def pairs_csv(pairs: Iterable[Pair]) -> bytes:
    """A row for each pair."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(HEAD)
    for pair in pairs:
        names = (pair.first, pair.second, pair.cohort)
        shares = (pair.score, *pair.shares)
        writer.writerow(
            [
                "another cohort" if pair.cohort else "this cohort",
                *(harmless(name) for name in names),
                *(f"{share:.4f}" for share in shares),
            ]
        )
    return table.getvalue().encode("utf-8", "replace")

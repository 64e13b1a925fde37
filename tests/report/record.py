"""Records real results for the tests of the pages: `python -m tests.report.record` (20 minutes).

Marks some entries of the bank, and the sample cohort, and keeps what the pages need in `recorded.json`.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import PASSED, SubmissionResult
from grader.submission import Submission, find_submissions, read_found
from tests.bank.entries import Entry, right, wrong
from tests.submissions.make_cohort import make_cohort, read_recipes

RECORDED = Path(__file__).with_name("recorded.json")
MOST_OF_AN_ITEM = 4
SEED = 11


def entries() -> list[Entry]:
    """A few wrong entries of every item, and a few right ones."""
    draw = random.Random(3)
    by_item = defaultdict(list)
    for entry in wrong():
        by_item[entry.item].append(entry)
    chosen = [
        entry for _, group in sorted(by_item.items()) for entry in draw.sample(group, k=min(4, len(group)))
    ]
    return chosen + draw.sample(right(), k=MOST_OF_AN_ITEM)


def compact(result: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """What did not pass, with the names and weights of all checks noted in `kept`."""
    lost = {}
    for item in result["items"]:
        checks = [[check["name"], check["weight"]] for check in item["checks"]]
        if len(checks) > len(kept.get(item["id"], {"checks": []})["checks"]):
            kept[item["id"]] = {"max_points": item["max_points"], "checks": checks}
        if item["status"] != PASSED:
            failed = [
                [check["name"], check["status"], check["message"], check["hint"], check.get("cause")]
                for check in item["checks"]
                if check["status"] != PASSED
            ]
            lost[item["id"]] = {"points": item["points"], "status": item["status"], "checks": failed}
    return {"seconds": result["seconds"], "lost": lost}


def write(results: dict[str, dict[str, Any]]) -> None:
    """Write results, by name, as the file that the tests read."""
    items: dict[str, Any] = {}
    submissions = {name: compact(result, items) for name, result in results.items()}
    content = {"items": items, "submissions": submissions}
    RECORDED.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Mark and record."""
    marker = Marker(MarkingOptions(seed=SEED))
    results: dict[str, SubmissionResult] = {}
    for entry in entries():
        results[entry.name] = marker.mark(Submission(entry.name, entry.files), entry.items)
    with tempfile.TemporaryDirectory() as folder:
        make_cohort(Path(folder), read_recipes())
        for found in find_submissions([Path(folder)], Path(folder) / "none").submissions:
            results[found.name] = marker.mark(read_found(found))
    marker.close()
    write({name: result.to_json() for name, result in results.items()})


if __name__ == "__main__":
    main()

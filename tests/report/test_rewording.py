"""Pages and lists follow from causes: whatever words the messages are put in, they stay what they are."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from grader.marking.result import SubmissionResult
from grader.report.pages.cohort import most_failed, needs_a_look
from grader.report.pages.findings import find
from grader.report.pages.load import Record, load
from grader.report.results_json import write_result
from grader.report.same_message import merge_same_messages

from .cohort import synthetic

PHRASES = (
    "memory",
    "KLD raised ValueError:",
    "did not finish within 20 s",
    "models.py cannot be imported: NameError: x (part2/models.py, line 3)",
    "was not handed in",
    "not tried: an earlier call did not end",
    "ended the process it runs in",
    "[3, 4]: it is summed over the wrong dimension",
)


def reworded(result: SubmissionResult, draw: random.Random) -> SubmissionResult:
    """The same with other words in every message, no two alike."""

    def words() -> str:
        return " ".join(draw.choices(PHRASES, k=draw.randint(1, 3))) + f" {draw.random()}"

    return replace(
        result,
        items=tuple(
            replace(
                item,
                checks=tuple(
                    replace(check, message=words()) if check.message else check for check in item.checks
                ),
            )
            for item in result.items
        ),
    )


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Record], list[Record]]:
    """A cohort as it is, and reworded."""
    draw = random.Random(5)
    folders = [tmp_path_factory.mktemp(name) for name in ("plain", "reworded")]
    for result in synthetic(60):
        write_result(folders[0], result)
        write_result(folders[1], reworded(result, draw))
    plain, other = (load(folder)[0] for folder in folders)
    return plain, other


def structure(result: SubmissionResult) -> list[object]:
    return [
        (
            here.result.id,
            here.passed,
            here.unmarked,
            [(f.status, list(f.observations.values()), f.lost, f.hint) for f in here.findings],
            [(one.cause.item, one.checks, one.lost) for one in here.follow_ons],
        )
        for here in find(result)
    ]


def test_a_students_findings_are_the_same(twice: tuple[list[Record], list[Record]]) -> None:
    plain, other = ([structure(record.result) for record in records] for records in twice)
    assert plain == other
    assert sum(len(item[3]) > 1 for one in plain for item in one) > 5, "some items with several findings"


def test_the_lists_of_the_cohort_are_the_same(twice: tuple[list[Record], list[Record]]) -> None:
    lists = []
    for records in twice:
        told = {record.name: find(record.result) for record in records}
        failed = [(one.item, one.checks, one.count, one.of_them) for one in most_failed(records, told)]
        looks = [(one.record.name, len(one.reasons)) for one in needs_a_look(records)]
        lists.append((failed, looks))
    assert lists[0] == lists[1]
    assert all(lists[0])


def test_what_is_told_once_is_the_same(twice: tuple[list[Record], list[Record]]) -> None:
    counts = [
        [
            [len(checks) for checks in merge_same_messages(item.checks).values()]
            for record in records
            for item in record.result.items
        ]
        for records in twice
    ]
    assert counts[0] == counts[1]


def test_the_results_keep_causes_as_data(tmp_path: Path) -> None:
    result = next(one for one in synthetic(60) if any(c.cause for i in one.items for c in i.checks))
    write_result(tmp_path, result)
    ((record,), _) = load(tmp_path)
    assert record.result.items == result.items

"""How checks become an item's points and status."""

from __future__ import annotations

import pytest

from grader.marking.plugin import score, score_all
from grader.marking.result import CheckResult, SubmissionResult
from grader.rubric import Item, load_rubric

ITEM = Item("1.7.kld", 1.5, "auto", "KLD", ("part1/utils.py",))


def check(status: str, weight: float = 1.0) -> CheckResult:
    return CheckResult("name", status, weight)


@pytest.mark.parametrize(
    ("statuses", "status", "points"),
    [
        (["passed", "passed"], "passed", 1.5),
        (["passed", "failed"], "partial", 0.75),
        (["failed", "failed"], "failed", 0),
        (["passed", "not_implemented"], "partial", 0.75),
        (["not_implemented", "not_implemented"], "not_implemented", 0),
        (["failed", "not_implemented"], "not_implemented", 0),
        (["not_submitted", "not_submitted"], "not_submitted", 0),
        (["grader_error", "passed"], "grader_error", 0.75),
        (["grader_error", "failed"], "grader_error", 0),
    ],
)
def test_an_item_is_what_its_checks_are(statuses: list[str], status: str, points: float) -> None:
    item = score(ITEM, [check(each) for each in statuses])
    assert (item.status, item.points, item.max_points) == (status, points, 1.5)


def test_points_are_split_by_weight() -> None:
    item = score(ITEM, [check("passed", 3), check("failed", 1), check("failed", 2)])
    assert item.points == 0.75


def test_full_points_are_exact_however_many_checks() -> None:
    assert score(ITEM, [check("passed", 1 / 3)] * 7).points == 1.5


def test_an_item_without_checks_is_the_graders_fault() -> None:
    # Nothing was looked at: neither full points nor none would be a verdict.
    item = score(ITEM, [])
    assert (item.status, item.points) == ("grader_error", 0)


def test_every_automatic_item_is_scored() -> None:
    rubric = load_rubric()
    items = score_all(
        rubric, {item.id: [check("passed")] for item in rubric.automatic}, {"1.7.kld": "look at it"}
    )
    assert [item.id for item in items] == [item.id for item in rubric.automatic]
    assert sum(item.points for item in items) == 22.5
    assert {item.id: item.review for item in items if item.review} == {"1.7.kld": "look at it"}


def test_the_key_review_is_written_only_where_a_person_has_to_look() -> None:
    rubric = load_rubric()
    items = score_all(
        rubric,
        {item.id: [check("passed")] for item in rubric.automatic},
        {"1.7.kld": "why", "1.7.bpd": "why"},
    )
    result = SubmissionResult("ada", 7, "sha256:0", "bwrap", 1.0, items)
    rows = {row["id"]: row for row in result.to_json()["items"]}
    assert rows["1.7.kld"]["review"] == "why"
    assert "review" not in rows["1.7.encoder"]
    assert result.reviews == {"why": ["1.7.kld", "1.7.bpd"]}
    assert result.marked

"""How checks become an item's points and status."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from grader.marking.plugin import score, score_all
from grader.marking.prices import load_prices, lost_share
from grader.marking.result import CheckResult, SubmissionResult
from grader.rubric import Item, load_rubric
from grader.suites import part1, part2
from grader.suites.severity import SERIOUS, SEVERITIES, SLIP, WHOLE

ITEM = Item("1.7.kld", 1.5, "auto", "KLD", ("part1/utils.py",))


def check(status: str, severity: str = "") -> CheckResult:
    return CheckResult("name", status, severity=severity or (SERIOUS if status == "failed" else ""))


@pytest.mark.parametrize(
    ("statuses", "status", "points"),
    [
        (["passed", "passed"], "passed", 1.5),
        (["passed", "failed"], "partial", 0.83),
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


def test_a_check_that_follows_from_another_costs_nothing_beside_it() -> None:
    item = "2.5.training"
    names = [check for one, check in load_prices() if one == item]
    (follower,) = [name for name in names if load_prices()[item, name].follows]
    (first, *_) = load_prices()[item, follower].follows

    def lost(*failed: str) -> float:
        return lost_share(
            [
                CheckResult(
                    name,
                    "failed" if name in failed else "passed",
                    severity=SERIOUS if name in failed else "",
                )
                for name in names
            ],
            item,
        )

    others = [name for name in names if name not in load_prices()[item, follower].follows]
    assert lost(follower) == lost(first) == lost(first, follower) == 0.45
    assert lost(first, *others[1:]) > 0.45


@pytest.mark.parametrize(
    ("severities", "share"),
    [
        ([SLIP], 0.15),
        ([SLIP] * 2, 0.2),
        ([SLIP] * 3, 0.25),
        ([SLIP] * 6, 0.25),  # never as much as a serious mistake
        ([SERIOUS], 0.45),
        ([SERIOUS, SLIP], 0.5),
        ([SERIOUS] * 2, 0.5),
        ([SERIOUS] * 6, 0.6),
        ([WHOLE], 1.0),
        ([WHOLE, SLIP], 1.0),
    ],
)
def test_an_item_costs_what_its_worst_mistake_costs(severities: list[str], share: float) -> None:
    passed = [check("passed")] * (7 - len(severities))
    failed = [check("failed", severity) for severity in severities]
    assert lost_share([*passed, *failed]) == pytest.approx(share)


def test_two_mistakes_cost_no_less_than_the_larger_and_no_more_than_both() -> None:
    def loss(*severities: str) -> float:
        return lost_share([check("passed"), *(check("failed", severity) for severity in severities)])

    kinds = [(severity,) * count for severity in SEVERITIES for count in (1, 2, 3)]
    for first, second in itertools.product(kinds, repeat=2):
        assert max(loss(*first), loss(*second)) <= loss(*first, *second) <= loss(*first) + loss(*second)


def test_what_is_not_filled_in_costs_its_share_beside_the_mistakes() -> None:
    checks = [check("passed")] * 3 + [check("not_implemented")]
    assert lost_share(checks) == 0.25
    assert lost_share([*checks, check("failed", SLIP)]) == pytest.approx(0.2 + 0.15)


def test_every_check_has_a_price_and_every_price_a_check() -> None:
    checks = set()
    for module in (*Path(part1.__path__[0]).glob("test_*.py"), *Path(part2.__path__[0]).glob("test_*.py")):
        source = module.read_text()
        (item,) = re.findall(r'^pytestmark = .*pytest.mark.item\("([\d.a-z_]+)"\)', source, re.M)
        checks |= {(item, name) for name in re.findall(r"^def test_(\w+)", source, re.M)}
    assert checks == set(load_prices())


def test_full_points_are_exact_however_many_checks() -> None:
    assert score(ITEM, [check("passed")] * 7).points == 1.5


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

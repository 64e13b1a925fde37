"""Difficulty, discrimination and alpha: right where they are defined, and said where they are not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grader.report.board.measures import FEWEST, causes, cronbachs_alpha, measure
from grader.report.board.tables import as_text, causes_csv, items_csv, short
from grader.report.board.years import Loss, Student, Year


def year(points: dict[str, list[float | None]], worth: float = 4.0, losses=()) -> Year:
    """A year of students with these points by item."""
    count = len(next(iter(points.values())))
    students = tuple(
        Student(f"s{n}", {item: row[n] for item, row in points.items()}, tuple(losses), ())
        for n in range(count)
    )
    return Year("2027", dict.fromkeys(points, worth), students, whole=True)


def drawn(count: int = 40) -> dict[str, list[float | None]]:
    draw = np.random.default_rng(1)
    able = draw.random(count)
    return {
        item: list(np.clip(np.round(4 * (able + draw.normal(0, noise, count))), 0, 4))
        for item, noise in (("1.1", 0.1), ("1.2", 0.4), ("1.3", 2.0))
    }


def test_discrimination_is_the_correlation_with_the_rest_and_not_with_the_whole():
    points = drawn()
    figures = measure(year(points)).items
    for item, own in points.items():
        rest = np.sum([row for other, row in points.items() if other != item], axis=0)
        mine, other = own - np.mean(own), rest - np.mean(rest)
        due = float((mine * other).sum() / math.sqrt((mine**2).sum() * (other**2).sum()))
        assert figures[item].discrimination.value == pytest.approx(due)
        assert figures[item].difficulty.value == pytest.approx(np.mean(own) / 4)
    assert figures["1.1"].discrimination.value > figures["1.3"].discrimination.value


def test_alpha_is_that_of_equal_items_1_and_of_unrelated_ones_about_0():
    same = np.tile(np.arange(20.0)[:, None], 4)
    assert cronbachs_alpha(same).value == pytest.approx(1)
    assert abs(cronbachs_alpha(np.random.default_rng(1).normal(size=(5000, 4))).value) < 0.1


def test_marks_that_are_not_complete_count_for_their_items_alone():
    points = drawn()
    points["1.1"][0] = None
    found = measure(year(points))
    assert (found.students, found.complete) == (40, 39)
    assert found.items["1.1"].marked == 39
    assert found.items["1.2"].marked == 40
    without = measure(year({item: row[1:] for item, row in points.items()}))
    assert found.items["1.2"].discrimination == without.items["1.2"].discrimination


def test_an_item_that_nobody_has_points_for_yet_leaves_the_others_as_they_are():
    points = drawn()
    found = measure(year({**points, "3.1": [None] * 40}))
    assert found.complete == 40
    assert found.worth == 12
    assert found.items["1.1"].discrimination == measure(year(points)).items["1.1"].discrimination
    assert found.items["3.1"].mean.why_not == "nobody has points for it"
    assert found.items["3.1"].difficulty.why_not == "nobody has points for it"


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (
            {"1.1": [1.0, 2.0] * 4, "1.2": [1.0, 3.0] * 4},
            f"it takes {FEWEST} complete marks, and there are 8",
        ),
        ({"1.1": [2.0] * 12, "1.2": [1.0, 3.0] * 6}, "all have the same points for it"),
        ({"1.1": [1.0, 3.0] * 6, "1.2": [2.0] * 12}, "all have the same points for the rest"),
        ({"1.1": [1.0, 3.0] * 6}, "there is no other item"),
        ({"1.1": [0.1 + 0.2, 0.3] * 6, "1.2": [1.0, 3.0] * 6}, "all have the same points for it"),
    ],
)
def test_where_there_is_no_discrimination_it_is_said_why(points, reason):
    found = measure(year(points))
    assert found.items["1.1"].discrimination.value is None
    assert found.items["1.1"].discrimination.why_not == reason
    texts = as_text([found]) + items_csv([found]).decode()
    assert "nan" not in texts.lower()
    assert "not defined" in items_csv([found]).decode()
    assert reason in items_csv([found]).decode().replace('"', "")


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_handful_of_students_is_no_error(count):
    with np.errstate(all="raise"):
        found = measure(year({"1.1": [1.0, 2.0][:count], "1.2": [3.0, 2.0][:count]}))
    assert found.complete == count
    assert (found.mean.value is None) == (count == 0)
    assert (found.deviation.value is None) == (count < 2)
    assert found.alpha.value is None
    assert found.by_chance.value is None
    assert "nan" not in as_text([found])


def test_causes_are_counted_over_years_the_costliest_first():
    one = Loss("1.1", "value", "the sign is flipped", 1.0)
    two = Loss("1.1", "person", "left blank", 4.0)
    years = [year({"1.1": [3.0, 3.0]}, losses=[one]), year({"1.1": [0.0]}, losses=[two])]
    found = causes(years)["1.1"]
    assert [(cause.cause, cause.points, cause.students, cause.share) for cause in found] == [
        ("left blank", 4.0, 1, 4 / 6),
        ("the sign is flipped", 2.0, 2, 2 / 6),
    ]
    assert causes_csv(years).decode().splitlines()[1:] == [
        "2027,1.1,value,the sign is flipped,2,2,1.0000",
        "2027,1.1,person,left blank,4,1,1.0000",
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(0.834, ".83"), (-0.05, "-.05"), (1.0, "1.00"), (-0.001, ".00"), (0.999, "1.00")]
)
def test_numbers_in_a_narrow_column(value, text):
    found = measure(year(drawn())).items["1.1"].mean
    assert short(type(found)(value)) == text

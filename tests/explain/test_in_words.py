"""Conditions as a reader meets them who has not seen the suites."""

from __future__ import annotations

import ast

import pytest
import torch

from grader.explain.failure import Failure, Place
from grader.explain.in_words import condition_of, negated


def found(source: str, condition: str, holds: bool = True, names: dict | None = None, **module: object):
    """What is said of a condition that stands at the end of a function of a suite."""
    function = ast.parse(source).body[0] if source else None
    line = function.end_lineno + 1 if function else 1
    asked = ast.parse(condition, mode="eval").body
    words = ast.unparse(asked) if holds else f"not ({ast.unparse(asked)})"
    return condition_of(
        Failure(
            condition=words, asked=asked, holds=holds, places=[Place(function, line, names or {}, module)]
        )
    )


@pytest.mark.parametrize(
    ("condition", "opposite"),
    [
        ("not 0.8 < ratio < 1.25", "0.8 < ratio < 1.25"),
        ("cosine > 0.999", "cosine <= 0.999"),
        ("0 < a < 1", "not 0 < a < 1"),
        ("a or b < 2", "not a and b >= 2"),
        ("one is None", "one is not None"),
    ],
)
def test_the_opposite_of_a_condition_has_no_double_not(condition, opposite):
    assert ast.unparse(negated(ast.parse(condition, mode="eval").body)) == opposite


def test_the_sides_of_a_comparison_stand_with_what_they_came_to():
    names = {"small": torch.tensor([0.0, 2.0]), "large": torch.tensor([0.0, 4.0])}
    said = found("", "not 0.8 < float(small.var() / large.var()) < 1.25", holds=False, names=names)
    assert said.text == "0.8 < float(small.var() / large.var()) < 1.25"
    assert dict(said.values)["float(small.var() / large.var())"] == pytest.approx(0.25)


def test_closeness_is_a_sentence():
    names = {"value": torch.tensor(2.0), "due": torch.tensor(1.0), "accepted": [torch.tensor(1.0)]}
    assert (
        found("", "close(value, due, rtol=0.001)", names=names).text
        == "value is close to due, within rtol=0.001"
    )
    assert found("", "agrees(value, [due])", names=names).text == "value is close to due"
    assert found("", "agrees(value, accepted)", names=names).text == "value is close to one of accepted"


def test_a_name_for_a_part_of_a_condition_is_said_in_full():
    source = "def check():\n    straight = value < 1\n    turned = value > 3"
    names = {"value": 2.0, "straight": False, "turned": False}
    said = found(source, "straight or turned", names=names)
    assert said.text == "value < 1 or value > 3"
    assert said.values == (("value", 2.0),)


def test_what_only_the_suites_know_is_left_out_and_its_numbers_stay():
    names = {"moves": [torch.tensor(1.0)], "batch": 1, "updates": object(), "cause": ("a", "b")}
    said = found("", "(cause := likeliest(moves, causes(updates, batch)))", holds=False, names=names)
    assert said.text == ""
    assert [name for name, _ in said.values] == ["moves", "batch"]
    assert found("", "not fault", names={"fault": "it is wrong"}).text == ""
    assert found("", "not told", names={"told": True}).text == ""

"""Values in Python notation, chances of statistics, and conditions read from a suite's code."""

from __future__ import annotations

import ast
import math

import pytest
import torch

from grader.explain.failure import _decided_by, names_in
from grader.explain.notation import lines_of, literal, summary
from grader.explain.rerun import Statistic
from grader.explain.statistic import chance_of, deciding, histogram
from grader.suites.measures import Measure

VALUES = (
    torch.tensor(0.1),
    torch.tensor([[1.0, -2.5e-7], [3e12, float("nan")]]),
    torch.tensor([float("inf"), -float("inf")]),
    torch.randn(5, 3, generator=torch.Generator().manual_seed(3)),
    torch.randn(7, generator=torch.Generator().manual_seed(3), dtype=torch.float64),
    torch.tensor([[1, 2], [3, 4]]),
    torch.tensor([1, 2], dtype=torch.uint8),
    torch.tensor([True, False]),
    torch.zeros(0, 4),
)


@pytest.mark.parametrize("value", VALUES, ids=summary)
def test_a_tensor_written_out_is_the_same_tensor(value):
    again = eval(literal(value), {"torch": torch})
    assert again.dtype == value.dtype
    assert again.shape == value.shape
    assert torch.equal(again.nan_to_num(7), value.nan_to_num(7)) if value.is_floating_point() else True
    assert torch.equal(again, value) or bool(value.isnan().any())


def test_other_values_are_written_out_too():
    for value in ([1, 2.5], (3,), {"a": (1, 2)}, "text", None, float("inf"), -0.0):
        assert eval(literal(value), {"torch": torch}) == value


def test_a_large_tensor_is_summed_up():
    assert lines_of([[], {}]) == ["[0]  []", "[1]  {}"]
    assert lines_of(torch.arange(100.0)) == ["float32 [100], from 0 to 99, mean 49.5"]
    assert "1 not finite" in summary(torch.tensor([1.0] * 99 + [math.nan]))


@pytest.mark.parametrize(
    ("name", "value", "chance"),
    [
        ("normal: mean", 1.959964, 0.05),
        ("normal: variance", 5.5, 3.8e-8),
        ("frequency", 2.575829, 0.01),
        ("normal: Kolmogorov-Smirnov", 1.358, 0.05),
        ("independence: largest correlation", 7.5, 6.4e-9),
    ],
)
def test_the_chance_of_right_code_is_the_textbook_one(name, value, chance):
    assert chance_of(Statistic(Measure(name, value, 5.5))).chance == pytest.approx(chance, rel=0.02)


def test_a_figure_of_a_training_has_no_chance():
    found = chance_of(Statistic(Measure("1.7.training: bits per dimension", 3.2, 1.6)))
    assert found.chance is None
    assert found.beyond


def test_a_figure_with_a_lower_limit_is_beyond_it_below():
    assert chance_of(Statistic(Measure("progress, at least", 0.1, 0.5))).beyond
    assert not chance_of(Statistic(Measure("progress, at least", 0.9, 0.5))).beyond


def test_the_last_figure_beyond_its_limit_has_decided():
    figures = [Statistic(Measure("normal: mean", value, 5.5)) for value in (9.0, 1.0, 7.0, 2.0)]
    assert [one.measure.value for one in deciding(figures)] == [7.0]


def test_a_random_statistic_within_its_limit_has_nothing_to_do_with_a_failure():
    within = [Statistic(Measure("independence: sums", 1.4, 5.5)), Statistic(Measure("bits", 1.2, 1.6))]
    assert [one.measure.name for one in deciding(within)] == ["bits"]
    assert deciding(within[:1]) == []


def test_a_normal_statistic_names_its_unit():
    assert chance_of(Statistic(Measure("normal: variance", 82.36, 5.5))).unit.startswith("standard errors")
    assert chance_of(Statistic(Measure("1.7.training: bits per dimension", 3.2, 1.6))).unit == ""


def test_frequencies_of_normal_values_are_the_due_ones():
    came, due, _ = histogram(torch.randn(100_000, generator=torch.Generator().manual_seed(2)))
    assert came.sum() == pytest.approx(1)
    assert due.sum() == pytest.approx(1)
    assert abs(came - due).max() < 0.005


SUITE = """
def check(value, due):
    if value is None:
        return
    for one in due:
        if agrees(value, one):
            continue
        fail("after a guard")
    if value > 3:
        fail("within a condition")
    else:
        fail("in the other branch")
"""


@pytest.mark.parametrize(
    ("words", "condition", "holds"),
    [
        ("after a guard", "agrees(value, one)", True),
        ("within a condition", "value > 3", False),
        ("in the other branch", "value > 3", True),
    ],
)
def test_the_condition_that_led_to_a_failure_is_found(words, condition, holds):
    function = ast.parse(SUITE).body[0]
    line = next(number for number, text in enumerate(SUITE.splitlines(), 1) if words in text)
    test, should_hold = _decided_by(function.body, line)
    assert ast.unparse(test) == condition
    assert should_hold is holds


def test_names_of_loops_are_not_values():
    assert names_in(ast.parse("all(one < limit for one in found)", mode="eval")) == ["all", "limit", "found"]

"""Causes are claimed where the numbers fit, and nowhere else."""

from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from grader.box.errors import StudentError
from grader.suites.diagnosis import tried
from grader.suites.expect import CheckFailed, fail
from grader.suites.part2.known_losses import (
    cross_entropy,
    factor,
    fitting,
    of_discriminator,
    of_generator,
)
from grader.suites.part2.ranges import cause_of_range

LOGITS = torch.tensor([-2.5, 0.4, 1.3, -0.7], dtype=torch.float64)
OTHERS = torch.tensor([0.9, -1.1, 2.2, 0.1], dtype=torch.float64)


@pytest.mark.parametrize("label", [0.0, 0.3, 1.0])
def test_the_cross_entropy_is_that_of_torch(label: float) -> None:
    due = binary_cross_entropy_with_logits(LOGITS, torch.full_like(LOGITS, label))
    torch.testing.assert_close(cross_entropy(LOGITS, label), due)


def test_no_mistake_gives_the_right_loss_or_that_of_another_mistake() -> None:
    for known in (of_generator(LOGITS), of_discriminator(LOGITS, OTHERS)):
        for cause, value in known.items():
            assert fitting(value, known) == cause
    assert not fitting(cross_entropy(LOGITS, 1), of_generator(LOGITS))
    right = cross_entropy(LOGITS, 1) + cross_entropy(OTHERS, 0)
    assert not fitting(right, of_discriminator(LOGITS, OTHERS), (1.0, 0.5))
    assert not fitting(right / 2, of_discriminator(LOGITS, OTHERS), (1.0, 0.5))
    assert not fitting(torch.tensor(float("nan")), of_generator(LOGITS))


def test_softplus_with_the_wrong_sign_is_the_other_target() -> None:
    assert "target is 0" in fitting(softplus(LOGITS).mean(), of_generator(LOGITS))


@pytest.mark.parametrize(
    ("ratio", "elements", "cause"),
    [
        (lambda n: n, 1, "summed over the batch"),
        (lambda n: 1 / n, 1, "divided by the batch size once too often"),
        (lambda n: n / 64, 1, "fixed number (64)"),
        (lambda n: 784 * n / 128, 784, "fixed number (128)"),
        (lambda n: 784, 784, "summed over the pixels"),
        (lambda n: 784 * n, 784, "summed over everything"),
        (lambda n: 2.0, 1, "twice"),
        (lambda n: 0.5, 784, "half"),
        (lambda n: 1.37, 1, ""),
        (lambda n: 2.0 if n == 5 else 1.9, 1, ""),  # a number that fits once shows nothing
        (lambda n: float("nan"), 1, ""),
        (lambda n: -3.0, 1, ""),
        (lambda n: float("inf"), 784, ""),
        (lambda n: 5e-324, 784, ""),
    ],
)
def test_factors(ratio: Callable[[int], float], elements: int, cause: str) -> None:
    found = factor(ratio, elements)
    assert cause in found
    assert bool(cause) == bool(found)


def test_half_of_a_sum_is_right_where_both_are() -> None:
    assert not factor(lambda n: 1.0, shares=(1.0, 0.5))
    assert not factor(lambda n: 0.5, shares=(1.0, 0.5))


@pytest.mark.parametrize(
    "error", [StudentError("raised", "lambda_ must be in [0, 1], got 1.7"), CheckFailed("another shape")]
)
def test_an_error_in_a_diagnosis_is_no_cause(error: Exception) -> None:
    def diagnosis() -> str:
        if isinstance(error, CheckFailed):
            fail(error.message)
        raise error

    assert tried(diagnosis) == ""


@pytest.mark.parametrize(
    ("lowest", "highest", "cause"),
    [
        (0.0, 1.0, "sigmoid"),
        (-1.0, 1.0, "tanh"),
        (0.0, 57.0, "ReLU"),
        (-80.0, 0.0, "log-sigmoid"),
        (-0.5, 0.5, ""),
        (-2.0, 2.0, ""),
        (-1.0, 0.3, ""),
        (0.4, 0.6, ""),
    ],
)
def test_causes_of_ranges(lowest: float, highest: float, cause: str) -> None:
    found = cause_of_range(lowest, highest)
    assert cause in found
    assert bool(cause) == bool(found)

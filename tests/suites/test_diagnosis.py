"""Causes are said where they are shown, and nowhere else."""

import math

import pytest

from grader.box.errors import BoxError, StudentError
from grader.suites.diagnosis import factor_cause, tried
from grader.suites.expect import CheckFailed


@pytest.mark.parametrize(
    "error",
    [StudentError("raised", "no"), CheckFailed("no"), RuntimeError("no"), ZeroDivisionError(), ValueError()],
)
def test_an_error_in_a_diagnosis_means_not_this_cause(error: Exception) -> None:
    def diagnose() -> str:
        raise error

    assert tried(diagnose) == ""
    assert tried(lambda: "a cause") == "a cause"


def test_a_fault_of_the_box_is_none_of_the_diagnosis() -> None:
    def diagnose() -> str:
        raise BoxError("gone")

    with pytest.raises(BoxError):
        tried(diagnose)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((50.0, 21.0), "summed over the batch instead of averaged"),
        ((50.0 / 128, 21.0 / 128), "summed over the batch and divided by 128"),
        ((5.0, 3.5), "divided by 2, a fixed number"),
        ((40.0, 28.0), "4 times as large as it should be"),
        ((-10.0, -7.0), "sign is flipped"),
        ((2.0, 7.0 / 3), "divided by the batch size twice"),
        ((10.0, 7.0), ""),
        ((0.0, 0.0), ""),
        ((13.0, 8.0), ""),
        ((math.nan, math.nan), ""),
    ],
)
def test_a_factor_is_one_that_two_batches_agree_on(values: tuple[float, float], said: str) -> None:
    cause = factor_cause(values, (10.0, 7.0), (5, 3))
    assert said in cause
    assert bool(cause) == bool(said)

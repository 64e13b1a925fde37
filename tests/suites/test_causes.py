"""Hints that are read off an error's words."""

from __future__ import annotations

import pytest

from grader.box.errors import StudentError
from grader.suites.causes import explain
from grader.suites.expect import CheckFailed, expect_close


@pytest.mark.parametrize(
    ("message", "said", "not_said"),
    [
        (
            "CNNEncoder raised TypeError: CNNEncoder.__init__() got an unexpected keyword argument "
            "'num_filters' (part1/train_pl.py, line 31)",
            "names, order and defaults of the arguments",
            "num_input_channels",
        ),
        (
            "CNNDecoder raised RuntimeError: Given groups=1, weight of size [20, 1, 3, 3], expected input[4, 32, "
            "28, 28] to have 1 channels, but got 32 channels instead (part1/cnn_encoder_decoder.py, line 52)",
            "in their order",
            "follow from num_input_channels",
        ),
        (
            "forward raised RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x512 and 1024x20)",
            "hard-coded",
            "dtype",
        ),
    ],
)
def test_a_cause_is_told_in_words_that_hold(message: str, said: str, not_said: str) -> None:
    error = StudentError("raised", message)
    explain(error)
    assert said in error.hint
    assert not_said not in error.hint


def test_a_hint_that_is_there_already_stays() -> None:
    error = StudentError("raised", "unexpected keyword argument 'z_dim'", "a better one")
    explain(error)
    assert error.hint == "a better one"


def test_no_comma_stands_before_a_colon() -> None:
    import torch

    with pytest.raises(CheckFailed) as caught:
        expect_close(torch.ones(3), torch.zeros(3), "the loss with lambda = 0, the generator's loss,", "hint")
    assert caught.value.message.startswith("the loss with lambda = 0, the generator's loss: 3 of 3 values")

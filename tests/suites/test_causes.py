"""Hints that are read off an error's words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from grader.box.errors import Frame, StudentError
from grader.marking.marker import Marker, MarkingOptions
from grader.submission import Submission
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
            "CNNDecoder raised RuntimeError: Given groups=1, weight of size [20, 1, 3, 3], expected input[4, "
            "32, 28, 28] to have 1 channels, but got 32 channels instead (part1/utils.py, line 52)",
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


@pytest.mark.parametrize(
    ("exception", "frames", "said"),
    [
        ("SyntaxError", (Frame("part2/models.py", "3", "<module>"),), "python -m py_compile part2/models.py"),
        ("NameError", (Frame("part2/models.py", "3", "<module>"),), "python part2/models.py shows where"),
        ("KeyError", (), "python models.py shows where it stops"),
        ("ModuleNotFoundError", (), "of libraries only those of the assignment"),
    ],
)
def test_a_file_that_cannot_be_imported_gets_advice_by_its_exception(
    exception: str, frames: tuple[Frame, ...], said: str
) -> None:
    error = StudentError(
        "raised", "any words", exception=exception, frames=frames, call="models.py", importing=True
    )
    explain(error)
    assert said in error.hint


def test_a_hint_that_is_there_already_stays() -> None:
    error = StudentError("raised", "unexpected keyword argument 'z_dim'", "a better one")
    explain(error)
    assert error.hint == "a better one"


def test_no_comma_stands_before_a_colon() -> None:
    with pytest.raises(CheckFailed) as caught:
        expect_close(torch.ones(3), torch.zeros(3), "the loss with lambda = 0, the generator's loss,", "hint")
    assert caught.value.message.startswith("the loss with lambda = 0, the generator's loss: 3 of 3 values")


RIGHT = (
    b"def KLD(mean, log_std):\n    return 0.5 * ((2 * log_std).exp() + mean**2 - 1 - 2 * log_std).sum(-1)\n"
)
# What a student's machine has and the grader's process has not -> words of the hint.
ELSEWHERE = {
    "a notebook": (
        b"get_ipython().run_line_magic('matplotlib', 'inline')\n",
        "only a notebook has get_ipython()",
    ),
    "a notebook, later": (b"def KLD(mean, log_std):\n    return get_ipython()\n", "only a notebook"),
    "a relative import": (b"from .cnn_encoder_decoder import CNNEncoder\n", "without the dot"),
    "two dots": (b"from ..part1 import utils\n", "without the dot"),
    "somebody to ask": (b"Z = input('z_dim? ')\n", "no input()"),
    "somebody to ask, later": (b"def KLD(mean, log_std):\n    return mean * float(input())\n", "no input()"),
    "weights": (b"import pickle\nW = pickle.load(open('model.pkl', 'rb'))\n", "no data and no weights"),
    "a table": (b"import numpy as np\nW = np.loadtxt('losses.csv')\n", "of files only|nothing else of yours"),
    "a program": (b"def main():\n    raise SystemExit(1)\nmain()\n", '__name__ == "__main__"'),
    "options": (
        b"import argparse\nargparse.ArgumentParser().parse_args(['--x'])\n",
        '__name__ == "__main__"',
    ),
    "a training": (b"def train_vae(args):\n    return args.lr\ntrain_vae(None)\n", '__name__ == "__main__"'),
}


@pytest.fixture(scope="module")
def marker() -> Iterator[Marker]:
    marker = Marker(MarkingOptions(seed=5))
    yield marker
    marker.close()


def hint_of(marker: Marker, source: bytes) -> str:
    result = marker.mark(Submission("somebody", {"part1/utils.py": source}), items=frozenset({"1.7.kld"}))
    (item,) = result.items
    hints = [check.hint for check in item.checks if check.status != "passed"]
    assert hints
    return hints[0]


@pytest.mark.parametrize("what", ELSEWHERE)
def test_what_the_graders_process_has_not_is_said(marker: Marker, what: str) -> None:
    source, words = ELSEWHERE[what]
    hint = hint_of(marker, (b"" if b"def KLD" in source else RIGHT) + source)
    assert any(each in hint for each in words.split("|")), hint
    assert "run the same call" not in hint


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_a_file_that_is_not_utf_8_is_said_to_be_so(marker: Marker, encoding: str) -> None:
    hint = hint_of(marker, ('NAME = "\xe9t\xe9"\n' + RIGHT.decode()).encode(encoding))
    assert "UTF-8" in hint
    assert "py_compile" not in hint


def test_a_function_called_main_is_no_program_that_ran_on_import() -> None:
    error = StudentError(
        "raised", "main raised KeyError: 1", "", "KeyError", (Frame("part2/train.py", "3", "main"),)
    )
    explain(error)
    assert "__main__" not in error.hint

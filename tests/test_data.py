"""The images that grading uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import interpolate

from grader.data import HELD_OUT, _digits, grey_levels, load_images, split_images
from grader.errors import GraderUsageError


def test_digits_are_real_images_in_the_box_that_mnist_fills() -> None:
    images, labels = load_images("digits")
    assert images.shape == (1797, 1, 28, 28)
    assert labels.bincount().min() > 170
    assert images.min() == 0
    assert images.max() == 1
    frame = images.clone()
    frame[:, :, 4:24, 4:24] = 0
    assert frame.abs().max() == 0
    assert images[:, :, 4:24, 4:24].flatten(1).std(dim=1).min() > 0.1


def test_images_of_a_digit_are_more_alike_than_images_of_two() -> None:
    images, labels = load_images("digits")
    ones, zeros = images[labels == 1].mean(0), images[labels == 0].mean(0)
    own = (images[labels == 0] - zeros).square().mean()
    other = (images[labels == 0] - ones).square().mean()
    assert other > 1.5 * own


def test_the_split_keeps_training_and_held_out_images_apart() -> None:
    training, held_out = split_images("digits")
    assert len(held_out) == HELD_OUT
    assert len(training) == 1797 - HELD_OUT
    both = torch.cat([training, held_out]).flatten(1)
    assert len(both.unique(dim=0)) >= len(both) - 2  # the set has hardly a duplicate


def test_the_order_is_always_the_same() -> None:
    first, _ = load_images("digits")
    load_images.cache_clear()
    again, _ = load_images("digits")
    assert torch.equal(first, again)


def test_grey_levels_are_sixteen() -> None:
    levels = grey_levels(torch.tensor([0.0, 1 / 16 - 1e-4, 1 / 16, 0.5, 0.99, 1.0]))
    assert levels.tolist() == [0, 0, 1, 8, 15, 15]
    assert levels.dtype == torch.int64


def test_digits_are_those_that_scikit_learn_reads() -> None:
    digits = load_digits()
    images, labels = _digits()
    small = torch.tensor(digits.images, dtype=torch.float32).div(16).unsqueeze(1)
    large = interpolate(small, size=(20, 20), mode="bilinear", align_corners=False)
    assert torch.equal(images[:, :, 4:24, 4:24], large)
    assert labels.tolist() == digits.target.tolist()


def test_digits_come_without_the_imports_of_scikit_learn() -> None:
    script = (
        "import sys; from grader.data import load_images; load_images('digits'); "
        "print([name for name in ('sklearn', 'scipy', 'pandas') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_an_unknown_set_is_a_usage_error() -> None:
    with pytest.raises(GraderUsageError, match="digits, mnist"):
        load_images("cifar")


def test_mnist_is_read_from_its_root(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.test_grading import mnist_root

    root = mnist_root()
    if root is None:
        pytest.skip("MNIST is not at hand: set MNIST_ROOT to a folder with MNIST/raw in it")
    monkeypatch.setenv("MNIST_ROOT", str(root))
    images, labels = load_images("mnist")
    assert images.shape == (60000, 1, 28, 28)
    assert (images.min(), images.max()) == (0, 1)
    assert labels.bincount().min() > 5000


def test_a_root_without_mnist_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    load_images.cache_clear()
    with pytest.raises(GraderUsageError, match="MNIST_ROOT"):
        load_images("mnist")

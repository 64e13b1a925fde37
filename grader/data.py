"""The images that grading uses: scikit-learn's embedded digits, or MNIST where it is at hand."""

from __future__ import annotations

import gzip
import os
from functools import cache
from pathlib import Path

import torch
from torch.nn.functional import interpolate, pad

from grader.digits import digits_file
from grader.errors import GraderUsageError

DATA_SETS = ("digits", "mnist")
HELD_OUT = 360  # a fifth of the digits


@cache
def load_images(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and labels, float `[N, 1, 28, 28]` in [0, 1] and int64 `[N]`.

    Both sets are shuffled once, with a fixed seed, so that any slice of them is a fair sample.

    Raises:
        GraderUsageError: the name is unknown, or MNIST is neither under `MNIST_ROOT` nor to be downloaded.
    """
    if name not in DATA_SETS:
        raise GraderUsageError(f"--data {name}: choose one of {', '.join(DATA_SETS)}")
    images, labels = _digits() if name == "digits" else _mnist()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(42))
    return images[order], labels[order]


def split_images(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The training part and the held-out part, each `[N, 1, 28, 28]` in [0, 1]."""
    images, _ = load_images(name)
    return images[HELD_OUT:], images[:HELD_OUT]


def grey_levels(images: torch.Tensor) -> torch.Tensor:
    """Part 1's 4-bit images: [0, 1] -> int64 in 0..15."""
    return (images * 16).long().clamp(max=15)


def _digits() -> tuple[torch.Tensor, torch.Tensor]:
    """1,797 real digits of 8x8 pixels, enlarged into the 20x20 box that MNIST's digits fill, in 28x28.

    Read without scikit-learn, whose imports cost each process a second and 80 MB.
    """
    lines = gzip.decompress(digits_file().read_bytes()).decode().splitlines()
    table = torch.tensor([[int(number) for number in line.split(",")] for line in lines])
    small = table[:, :64].reshape(-1, 1, 8, 8).float().div(16)
    large = interpolate(small, size=(20, 20), mode="bilinear", align_corners=False)
    return pad(large, (4, 4, 4, 4)).clamp(0, 1), table[:, 64]


def _mnist() -> tuple[torch.Tensor, torch.Tensor]:
    from torchvision.datasets import MNIST

    given = os.environ.get("MNIST_ROOT")
    root = Path(given) if given else Path.home() / ".cache" / "grader"
    try:
        data = MNIST(str(root), train=True, download=not given)
    except (RuntimeError, OSError) as error:
        raise GraderUsageError(
            f"--data mnist: MNIST is not under {root} and could not be fetched ({error}); set MNIST_ROOT to "
            "a folder with MNIST/raw in it, or use --data digits"
        ) from error
    return data.data.unsqueeze(1).float().div(255), data.targets

"""MNIST's images as the trainings see them, and what makes one of them hard to encode."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import affine_grid, grid_sample

from grader.data import grey_levels

VALIDATION = 6_000  # of the training images; part 1 sets these aside, always the same
SPLIT_SEED = 42
IDX_OF_BYTES = 0x0803  # how a file of bytes in three dimensions begins
COMPONENTS = (2, 8, 20, 60)  # principal ones: an autoencoder with as many codes leaves over what they do
LEARNT_FROM = 4000  # images that they are of


@dataclass(frozen=True)
class Images:
    """A set of images of which some are measured, and all are meant.

    Attributes:
        bytes: uint8 `[N, 28, 28]`.
        features: float64 `[N, K]`: what a network's loss for an image mostly depends on.
    """

    bytes: torch.Tensor
    features: torch.Tensor

    def __len__(self) -> int:
        return len(self.bytes)

    def pixels(self, chosen: torch.Tensor) -> torch.Tensor:
        """Some of the images, float `[M, 1, 28, 28]` in [0, 1]."""
        return _scaled(self.bytes[chosen])


@cache
def image_sets() -> dict[str, Images] | None:
    """`test`, `validation` and `training`; None where MNIST is not at hand.

    Nothing is downloaded: it is looked for under `MNIST_ROOT`, and where grading with it has put it.
    """
    given = os.environ.get("MNIST_ROOT")
    root = Path(given) if given else Path.home() / ".cache" / "grader"
    try:
        test, training = (_read(root / f"MNIST/raw/{name}-images-idx3-ubyte") for name in ("t10k", "train"))
    except (OSError, ValueError):
        return None
    if len(test) < 1000 or len(training) <= 2 * VALIDATION:
        return None
    order = torch.randperm(len(training), generator=torch.Generator().manual_seed(SPLIT_SEED))
    sets = {"test": test, "validation": training[order[-VALIDATION:]], "training": training}
    basis = _principal(_scaled(training[:: len(training) // LEARNT_FROM]))
    return {name: _images(pixels, basis) for name, pixels in sets.items()}


def _read(path: Path) -> torch.Tensor:
    """A file of MNIST's images, uint8 `[N, 28, 28]`.

    torchvision reads them, too, but imports torch's compiler for it: half a second, and 180 MB in each job.

    Raises:
        OSError: it cannot be read.
        ValueError: it is none.
    """
    kind, *shape = np.fromfile(path, ">i4", count=4).tolist()
    pixels = np.fromfile(path, np.uint8, offset=16)
    if kind != IDX_OF_BYTES or shape[1:] != [28, 28]:
        raise ValueError(f"{path} holds no images of MNIST")
    return torch.from_numpy(pixels.reshape(shape))


def _images(pixels: torch.Tensor, basis: torch.Tensor) -> Images:
    # A few at a time: of larger pieces the heap keeps up to 100 MB.
    return Images(pixels, torch.cat([features_of(_scaled(some), basis) for some in pixels.split(250)]))


def _principal(pixels: torch.Tensor) -> torch.Tensor:
    """The mean image and the first principal components, `[1 + max(COMPONENTS), 784]`."""
    flat = pixels.flatten(1)
    mean = flat.mean(0, keepdim=True)
    _, vectors = torch.linalg.eigh((flat - mean).T @ (flat - mean))
    return torch.cat([mean, vectors.flip(1)[:, : max(COMPONENTS)].T])


def _scaled(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.unsqueeze(1).float() / 255


def features_of(pixels: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """What a loss mostly depends on: ink, grey pixels, edges, and what principal components leave over."""

    def total(values: torch.Tensor) -> torch.Tensor:
        return values.flatten(1).sum(1, dtype=torch.float64)

    flat = pixels.flatten(1)
    across = total((pixels[..., 1:] - pixels[..., :-1]).abs())
    down = total((pixels[..., 1:, :] - pixels[..., :-1, :]).abs())
    some = flat > 0.06
    grey = total(some & (flat < 0.94))
    centred = flat - basis[0]
    inside = (centred @ basis[1:].T).square().double().cumsum(1)
    size = total(centred.square())
    columns = [total(flat), total(some), grey, across, down, *(size - inside[:, n - 1] for n in COMPONENTS)]
    table = torch.stack([*columns, *(column**2 / 100 for column in columns)], dim=1)
    return torch.cat([torch.ones(len(table), 1, dtype=torch.float64), table], dim=1)


def levels(pixels: torch.Tensor) -> torch.Tensor:
    """As part 1 takes them: long `[N, 1, 28, 28]` in 0..15."""
    return grey_levels(pixels)


def signed(pixels: torch.Tensor) -> torch.Tensor:
    """As part 2 takes them: float `[N, 1, 28, 28]` in [-1, 1]."""
    return pixels * 2 - 1


def bent(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image turned, sheared and moved a little: no table of MNIST's images has these."""
    count = len(pixels)
    change = (torch.rand(count, 4, generator=generator) * 2 - 1) * torch.tensor([0.12, 0.10, 0.05, 0.05])
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0] = matrix[:, 1, 1] = 1.0
    matrix[:, 0, 1], matrix[:, 1, 0] = change[:, 0] + change[:, 1], -change[:, 0]
    matrix[:, :, 2] = change[:, 2:]
    grid = affine_grid(matrix, list(pixels.shape), align_corners=False)
    return grid_sample(pixels, grid, align_corners=False).clamp(0, 1)

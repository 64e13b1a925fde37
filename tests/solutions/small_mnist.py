"""A small data set in MNIST's own files, for commands that are run as a student runs them."""

from pathlib import Path

import torch

VALIDATION = 6_000  # what part 1 sets aside of the training images


def write_mnist(root: Path, train: int = VALIDATION + 256, test: int = 64) -> Path:
    """Writes so many images of bright bars, whose row tells the label; returns `root`."""
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, count in (("train", train), ("t10k", test)):
        labels = torch.arange(count) % 10
        images = torch.zeros(count, 28, 28, dtype=torch.uint8)
        images[torch.arange(count), 4 + 2 * labels, 4:24] = 255
        (folder / f"{name}-images-idx3-ubyte").write_bytes(_idx(images))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(_idx(labels.to(torch.uint8)))
    return root


def _idx(values: torch.Tensor) -> bytes:
    """The IDX format: two zeros, the type (8: bytes), the number of dimensions, each dimension, the data."""
    head = bytes([0, 0, 8, values.dim()])
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return head + sizes + values.numpy().tobytes()

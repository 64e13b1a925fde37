"""Small data sets that the tests draw themselves: no download, and a right answer that is known."""

import math

import torch
from torch.utils.data import DataLoader, TensorDataset, default_collate


def noisy_ramps(count: int) -> torch.Tensor:
    """Images for part 1: a ramp from dark to bright, and a coin flip of one grey level for every pixel.

    What can be learned is the ramp. What cannot is the coin, 1 bit per pixel: no honest model needs
    less.

    Returns:
        Long [count, 1, 28, 28], grey levels 0..15.
    """
    row, column = torch.arange(28).view(28, 1), torch.arange(28).view(1, 28)
    ramp = (row + column) * 14 // 54  # 0..14
    return ramp + torch.randint(2, (count, 1, 28, 28))


def edges(count: int) -> torch.Tensor:
    """Images for part 2: a straight edge between black and white at a random angle and place.

    The mean of these images is grey. With the black background of MNIST, a short training would first learn
    the background, and a test could tell little from it.

    Returns:
        Float [count, 1, 28, 28], grey values in [-1, 1].
    """
    angle = 2 * math.pi * torch.rand(count, 1, 1, 1)
    offset = torch.rand(count, 1, 1, 1) - 0.5
    axis = torch.linspace(-1, 1, 28)
    distance = angle.cos() * axis.view(1, 28) + angle.sin() * axis.view(28, 1) - offset
    return (4 * distance).tanh()


def collate(samples: object) -> object:
    """A batch of samples; a part of the data set, `dataset[:16]`, is one already, as in the given loader."""
    return samples if isinstance(samples, tuple) else default_collate(samples)


def loader_of(images: torch.Tensor, batch_size: int) -> DataLoader:
    """Batches of these images in their order, with labels that say nothing."""
    labels = torch.zeros(len(images), dtype=torch.int64)
    return DataLoader(TensorDataset(images, labels), batch_size, collate_fn=collate)

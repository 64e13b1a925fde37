"""The decoder that is shown to everybody's `visualize_manifold` for the pictures, and what it should draw.

The checks ask every submission about a decoder of its own. This one is the same for all, so that people can
compare what they see. Nothing is decided by it.
"""

from __future__ import annotations

import numpy as np

ITEM, KIND = "1.9.manifold", "manifold"
GRID_SIZE = 20  # the default of visualize_manifold, which is shown
# The logits make every pixel a bell of grey levels, whose middle goes with the latent's percentile: no two
# percentiles have the same mean, and the mean is not the most likely level.
WIDTH = 0.06
MIDDLES = ((1.0, 11.0), (4.0, 14.0))  # in the upper and the lower half, at both ends of their latents
LEVELS = np.arange(16.0)
# The last column: white where the first latent is positive, else grey.
BRIGHT, GREY = 1.0, 7 / 15


def ends() -> np.ndarray:
    """The decoder: logits `[2, 2, 16]`, of the upper and the lower half, at both ends of its latent."""
    return -WIDTH * (LEVELS - np.array(MIDDLES)[:, :, None]) ** 2


def expected(grid_size: int = GRID_SIZE, decoder: np.ndarray | None = None) -> np.ndarray:
    """What is to be drawn, `[grid_size, grid_size, 28, 28]` in [0, 1]: its rows follow the first latent.

    Args:
        grid_size: images in a row.
        decoder: logits as `ends` gives them, which it does by default.
    """
    shares = (np.arange(grid_size) + 0.5) / grid_size
    halves = ends() if decoder is None else decoder
    upper, lower = ((1 - shares[:, None]) * low + shares[:, None] * high for low, high in halves)
    tiles = np.zeros((grid_size, grid_size, 28, 28))
    tiles[:, :, :14] = _means(upper)[:, None, None, None]
    tiles[:, :, 14:] = _means(lower)[None, :, None, None]
    tiles[:, :, :, 0] = 0.0
    tiles[:, :, :, 27] = np.where(shares > 0.5, BRIGHT, GREY)[:, None, None]
    return tiles


def _means(logits: np.ndarray) -> np.ndarray:
    """The expected grey levels, in [0, 1], of logits `[N, 16]`."""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    means: np.ndarray = (weights * LEVELS).sum(axis=1) / weights.sum(axis=1) / 15
    return means

"""Figure 3: the parts of a VAE on MNIST, and where its two losses are measured."""

from __future__ import annotations

import numpy as np
from drawing import (
    DECODER,
    INK,
    JUDGE,
    POSTERIOR,
    PRIOR,
    QUIET,
    arrow,
    box,
    canvas,
    digit,
    funnel,
    node,
    picture,
    text,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

MIDDLE = 2.35  # height of the main row


def _bars(axes: Axes, x: float, y: float) -> None:
    """The categorical distribution of one pixel: 16 bars on a common base line."""
    heights = np.exp(-((np.arange(16) - 10.5) ** 2) / 8) + 0.06
    for level, height in enumerate(heights):
        axes.add_patch(Rectangle((x - 0.4 + level * 0.05, y - 0.3), 0.038, 0.6 * height, color=DECODER, lw=0))
    axes.plot([x - 0.43, x + 0.43], [y - 0.3, y - 0.3], color=INK, lw=0.8)


def draw() -> Figure:
    """Image, encoder, posterior, one sample, decoder, distribution over images; below, the losses."""
    figure, axes = canvas(9.4, 3.5)
    picture(axes, 0.75, MIDDLE, 0.95, digit(3))
    text(axes, 0.75, MIDDLE + 0.72, r"image $\mathbf{x}$", 10)
    text(axes, 0.75, MIDDLE - 0.65, "[1, 28, 28]", 8.5, QUIET)

    funnel(axes, 2.15, MIDDLE, 1.1, 1.5, 0.8, "encoder\n" + r"$q_\phi(\mathbf{z}|\mathbf{x})$", POSTERIOR)
    arrow(axes, (1.26, MIDDLE), (1.58, MIDDLE))

    box(axes, 3.5, MIDDLE + 0.42, 1.0, 0.52, r"mean $\mu$", POSTERIOR)
    box(axes, 3.5, MIDDLE - 0.42, 1.0, 0.52, r"$\log\,\sigma$", POSTERIOR)
    text(axes, 3.5, MIDDLE + 0.86, "each [D]", 8.5, QUIET)
    arrow(axes, (2.72, MIDDLE + 0.2), (2.98, MIDDLE + 0.42))
    arrow(axes, (2.72, MIDDLE - 0.2), (2.98, MIDDLE - 0.42))

    node(axes, 4.85, MIDDLE, r"$\mathbf{z}$", color=POSTERIOR)
    arrow(axes, (4.02, MIDDLE + 0.42), (4.62, MIDDLE + 0.15), ls="--")
    arrow(axes, (4.02, MIDDLE - 0.42), (4.62, MIDDLE - 0.15), ls="--")
    text(axes, 4.85, MIDDLE + 0.52, "one sample", 9, QUIET)

    funnel(axes, 6.1, MIDDLE, 1.1, 0.8, 1.5, "decoder\n" + r"$p_\theta(\mathbf{x}|\mathbf{z})$", DECODER)
    arrow(axes, (5.13, MIDDLE), (5.53, MIDDLE))

    arrow(axes, (6.67, MIDDLE), (6.98, MIDDLE))
    _bars(axes, 7.45, MIDDLE)
    text(axes, 7.45, MIDDLE + 0.72, "16 probabilities\nper pixel", 9)
    text(axes, 7.45, MIDDLE - 0.5, "[16, 28, 28]", 8.5, QUIET)
    arrow(axes, (7.92, MIDDLE), (8.24, MIDDLE), ls="--")
    picture(axes, 8.75, MIDDLE, 0.95, digit(3, blur=0.55, noise=0.05))
    text(axes, 8.75, MIDDLE + 0.62, "image from it", 9)

    # The losses: what each compares, and with what.
    box(axes, 3.5, 0.98, 1.3, 0.46, r"prior $\mathcal{N}(0, \mathbf{I})$", PRIOR)
    arrow(axes, (3.5, MIDDLE - 0.7), (3.5, 1.23), JUDGE, arrowstyle="<|-|>")
    text(axes, 3.62, 1.45, r"$\mathcal{L}^\mathrm{reg}$", 12, JUDGE, ha="left")
    level = 0.42
    axes.plot([0.75, 0.75, 7.45, 7.45], [MIDDLE - 0.82, level, level, MIDDLE - 0.66], color=JUDGE, lw=1.2)
    arrow(axes, (0.75, MIDDLE - 0.92), (0.75, MIDDLE - 0.8), JUDGE)
    arrow(axes, (7.45, MIDDLE - 0.76), (7.45, MIDDLE - 0.64), JUDGE)
    text(axes, 5.6, level + 0.2, r"$\mathcal{L}^\mathrm{recon}$", 12, JUDGE)
    text(axes, 9.25, 0.2, "dashed: drawn at random", 8.5, QUIET, ha="right")
    return figure

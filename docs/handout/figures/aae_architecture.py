"""Figure 5: the adversarial autoencoder."""

from __future__ import annotations

import numpy as np
from drawing import (
    DECODER,
    JUDGE,
    POSTERIOR,
    PRIOR,
    arrow,
    canvas,
    digit,
    funnel,
    node,
    picture,
    text,
)
from matplotlib.figure import Figure

TOP, BOTTOM = 3.0, 1.0


def draw() -> Figure:
    """Above the autoencoder, below the discriminator that compares its codes with samples of the prior."""
    figure, axes = canvas(8.6, 4.1)
    picture(axes, 0.75, TOP, 0.95, digit(8))
    text(axes, 0.75, TOP + 0.68, r"image $\mathbf{x}$")
    arrow(axes, (1.26, TOP), (1.68, TOP))
    funnel(axes, 2.25, TOP, 1.1, 1.4, 0.7, "encoder\n$E$", POSTERIOR)
    arrow(axes, (2.82, TOP), (3.45, TOP))
    node(axes, 3.75, TOP, r"$\mathbf{z}$", color=POSTERIOR)
    text(axes, 3.75, TOP + 0.62, "latent code\n" + r"$\mathbf{z} = E(\mathbf{x})$", 9)
    arrow(axes, (4.03, TOP), (4.68, TOP))
    funnel(axes, 5.25, TOP, 1.1, 0.7, 1.4, "decoder\n$R$", DECODER)
    arrow(axes, (5.82, TOP), (6.24, TOP))
    picture(axes, 6.75, TOP, 0.95, digit(8, blur=0.6), DECODER)
    text(axes, 6.75, TOP + 0.68, r"reconstruction $R(E(\mathbf{x}))$", 9.5)
    text(axes, 7.4, TOP, "compared\nwith " + r"$\mathbf{x}$", 9, JUDGE, ha="left")

    # A cloud of points for the prior.
    cloud = np.random.default_rng(0).standard_normal((70, 2)) * 0.17 + (0.75, BOTTOM)
    axes.plot(*cloud.T, ".", color=PRIOR, markersize=3)
    text(axes, 0.75, BOTTOM - 0.62, r"prior $p(\mathbf{z}) = \mathcal{N}(0, \mathbf{I})$", 9, PRIOR)
    arrow(axes, (1.3, BOTTOM), (3.45, BOTTOM), PRIOR)
    node(axes, 3.75, BOTTOM, r"$\mathbf{z}$", color=PRIOR)
    text(axes, 2.4, BOTTOM + 0.17, "sample: real", 9, PRIOR)
    arrow(axes, (4.03, BOTTOM), (4.66, BOTTOM + 0.25), PRIOR)
    arrow(axes, (3.88, TOP - 0.26), (4.66, BOTTOM + 0.7), POSTERIOR)
    text(axes, 4.0, 2.12, "code of an image: fake", 9, POSTERIOR, ha="right")
    funnel(axes, 5.3, BOTTOM + 0.42, 1.25, 1.2, 0.6, "discriminator\n$D$", JUDGE)
    arrow(axes, (5.95, BOTTOM + 0.42), (6.35, BOTTOM + 0.42))
    text(axes, 6.8, BOTTOM + 0.42, "real\nor fake?")
    return figure

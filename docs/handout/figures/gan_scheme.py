"""Figure 4: a generative adversarial network (GAN)."""

from __future__ import annotations

from drawing import (
    DECODER,
    JUDGE,
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
from matplotlib.figure import Figure

TOP, BOTTOM = 2.55, 1.0


def draw() -> Figure:
    """Real images above, generated ones below, and the discriminator that sees either."""
    figure, axes = canvas(8.0, 3.5)
    box(axes, 0.95, TOP, 1.3, 0.6, "training set", QUIET)
    arrow(axes, (1.62, TOP), (3.2, TOP))
    for column, index in enumerate((10, 21, 5)):
        picture(axes, 3.55 + 0.62 * column, TOP, 0.56, digit(index))
    text(axes, 4.17, TOP + 0.48, "real images", 9.5)

    node(axes, 0.95, BOTTOM, r"$\mathbf{z}$")
    text(axes, 0.95, BOTTOM - 0.5, r"noise, $\mathbf{z} \sim p(\mathbf{z})$", 9, QUIET)
    arrow(axes, (1.23, BOTTOM), (1.68, BOTTOM))
    funnel(axes, 2.25, BOTTOM, 1.1, 0.55, 1.0, "generator\n" + r"$\mathcal{G}$", DECODER)
    arrow(axes, (2.82, BOTTOM), (3.2, BOTTOM))
    for column, index in enumerate((11, 17, 4)):
        picture(axes, 3.55 + 0.62 * column, BOTTOM, 0.56, digit(index, blur=0.5, noise=0.12), DECODER)
    text(axes, 4.17, BOTTOM - 0.5, "generated (fake) images", 9.5)

    middle = (TOP + BOTTOM) / 2
    funnel(axes, 6.05, middle, 1.25, 1.1, 0.6, "discriminator\n" + r"$\mathcal{D}$", JUDGE)
    arrow(axes, (5.15, TOP), (5.4, middle + 0.3), connectionstyle="angle3,angleA=0,angleB=100")
    arrow(axes, (5.15, BOTTOM), (5.4, middle - 0.3), connectionstyle="angle3,angleA=0,angleB=-100")
    arrow(axes, (6.7, middle), (7.05, middle))
    text(axes, 7.48, middle, "real\nor fake?", 10)

    # The training signal of the generator goes through the discriminator.
    axes.plot([6.05, 6.05, 2.25], [middle - 0.5, 0.16, 0.16], color=JUDGE, lw=1.2, ls="--")
    arrow(axes, (2.25, 0.16), (2.25, BOTTOM - 0.47), JUDGE, ls="--")
    text(axes, 4.9, 0.28, "gradient to the generator", 8.5, JUDGE)
    return figure

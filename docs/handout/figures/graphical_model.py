"""Figure 1: the graphical model of a latent variable model, in plate notation."""

from __future__ import annotations

from drawing import INK, QUIET, arrow, canvas, node, text
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch


def draw() -> Figure:
    """A latent z_n and an observed x_n (grey) in a plate of N, and the decoder's parameters outside it."""
    figure, axes = canvas(5.2, 2.6)
    axes.add_patch(
        FancyBboxPatch(
            (1.75, 0.3), 1.7, 2.05, boxstyle="round,pad=0,rounding_size=0.1", fc="white", ec=QUIET, lw=1.2
        )
    )
    text(axes, 3.28, 0.47, "$N$", 12)
    node(axes, 2.5, 1.9, r"$\mathbf{z}_n$")
    node(axes, 2.5, 0.85, r"$\mathbf{x}_n$", fill="#d5d8dd")
    arrow(axes, (2.5, 1.63), (2.5, 1.12))
    axes.add_patch(Circle((0.75, 0.85), 0.06, color=INK))
    text(axes, 0.75, 1.12, r"$\theta$", 13)
    arrow(axes, (0.81, 0.85), (2.23, 0.85))
    text(axes, 3.62, 1.9, "latent: not in the data", 9, QUIET, ha="left")
    text(axes, 3.62, 0.85, "observed", 9, QUIET, ha="left")
    text(axes, 0.75, 0.55, "decoder", 9, QUIET)
    return figure

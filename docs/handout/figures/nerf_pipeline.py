"""Figure 6: how a neural radiance field renders a pixel, and what it learns from."""

from __future__ import annotations

import numpy as np
from drawing import INK, JUDGE, POSTERIOR, QUIET, arrow, box, canvas, text
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle

ROW = 2.35
COLORS = ("#c8553d", "#d9a441", "#4b7f9e")


def _scene(axes: Axes) -> None:
    """(a) a camera, its image plane, and two rays with sampled points through a scene."""
    camera = np.array((0.35, ROW - 0.75))
    body = np.array([(-0.18, -0.13), (-0.18, 0.13), (0.1, 0.06), (0.1, -0.06)])
    axes.add_patch(Polygon(camera + body, color=INK))
    plane = [(0.78, ROW - 0.98), (0.78, ROW - 0.2), (0.98, ROW - 0.05), (0.98, ROW - 0.83)]
    axes.add_patch(Polygon(plane, fc="#eef0f2", ec=QUIET, lw=1))
    for centre, size, color in (((1.75, ROW - 0.38), 0.42, COLORS[0]), ((2.25, ROW + 0.22), 0.33, COLORS[2])):
        axes.add_patch(Circle(centre, size, color=color, alpha=0.28, lw=0))
    for end, color in (((2.75, ROW + 0.55), COLORS[0]), ((2.75, ROW - 0.3), QUIET)):
        direction = np.array(end) - camera
        arrow(axes, tuple(camera + 0.06 * direction), end, color, lw=1, mutation_scale=8)
        points = camera + np.linspace(0.33, 0.93, 9)[:, None] * direction
        axes.plot(*points.T, "o", color=color, markersize=3.2)
    text(axes, 1.55, ROW + 1.12, "(a) march along the rays of\nthe pixels, sample points", 9.5)
    text(axes, 0.35, ROW - 1.06, "camera", 8.5, QUIET)


def _density(distance: np.ndarray) -> np.ndarray:
    """Density along a ray that passes through two things, the nearer one denser."""
    return 3.6 * np.exp(-((distance - 0.55) ** 2) / 0.05) + 3 * np.exp(-((distance - 1.2) ** 2) / 0.03)


def _compositing(axes: Axes, x: float) -> None:
    """(c) density and weight of the samples along one ray, and the pixel they add up to."""
    base, distance = ROW - 0.5, np.linspace(0, 1.55, 9)
    step = distance[1]
    density = _density(distance)
    transmittance = np.exp(-np.concatenate([[0], np.cumsum(density * step)[:-1]]))
    weight = transmittance * (1 - np.exp(-density * step))
    fine = np.linspace(0, 1.55, 200)
    axes.plot(x + fine, base + _density(fine) / 4, color=QUIET, lw=1.3)
    for where, height in zip(distance, weight, strict=True):
        color = COLORS[0] if where < 0.9 else COLORS[2]
        axes.add_patch(Rectangle((x + where - 0.05, base), 0.1, height, color=color, lw=0))
    arrow(axes, (x - 0.1, base), (x + 1.75, base), INK, mutation_scale=8, lw=1)
    text(axes, x + 0.8, base - 0.18, "distance along the ray", 8.5, QUIET)
    text(axes, x + 0.28, base + 1.0, r"density $\sigma$", 8.5, QUIET)
    text(axes, x + 0.95, ROW + 1.12, "(c) add up the colours, weighted\nby what is seen of each sample", 9.5)


def draw() -> Figure:
    """Rays, network, volume rendering, and the loss that compares a pixel with the photograph's."""
    figure, axes = canvas(9.6, 3.8)
    _scene(axes)

    text(axes, 4.15, ROW + 1.12, "(b) ask the network for the\ncolour and density there", 9.5)
    arrow(axes, (2.95, ROW), (3.5, ROW))
    text(axes, 3.22, ROW + 0.32, r"$(x, y, z)$" + "\n" + r"$(\theta, \phi)$", 10)
    box(axes, 4.1, ROW, 1.15, 0.9, "MLP\n" + r"$\mathcal{F}$", POSTERIOR)
    arrow(axes, (4.7, ROW), (5.4, ROW))
    text(axes, 5.05, ROW + 0.2, r"$(\mathbf{c}, \sigma)$", 10)

    _compositing(axes, 5.65)
    arrow(axes, (7.5, ROW), (7.85, ROW))
    axes.add_patch(Rectangle((7.93, ROW - 0.16), 0.32, 0.32, fc="#b7655a", ec=INK, lw=0.8))
    text(axes, 8.09, ROW + 0.42, "rendered\npixel", 9)
    axes.add_patch(Rectangle((9.02, ROW - 0.16), 0.32, 0.32, fc=COLORS[0], ec=INK, lw=0.8))
    text(axes, 9.18, ROW + 0.42, "pixel of the\nphotograph", 9)
    arrow(axes, (8.3, ROW), (8.97, ROW), JUDGE, arrowstyle="<|-|>")

    text(axes, 8.62, ROW - 0.62, "(d) minimize the\nsquared difference", 9.5, JUDGE)
    axes.plot([8.62, 8.62, 4.1], [ROW - 0.92, 0.5, 0.5], color=JUDGE, lw=1.2, ls="--")
    arrow(axes, (4.1, 0.5), (4.1, ROW - 0.48), JUDGE, ls="--")
    text(axes, 6.3, 0.67, "gradient, through the rendering, to the weights", 9, JUDGE)
    return figure

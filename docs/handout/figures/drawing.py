"""What the figures of the handout share: a canvas in inches, colours, boxes, arrows, digits, and saving.

Every figure is a module with a function `draw() -> Figure`; `draw_all.py` writes them as SVG. The canvas is
white in both themes of the site and on GitHub, so that one file serves everywhere. The same code writes the
same file: no dates, no random ids.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

HERE = Path(__file__).parent

INK = "#22272e"
QUIET = "#6b7380"
PRIOR = "#b5403a"  # red: the prior
POSTERIOR = "#2563a8"  # blue: the posterior, and the encoder
DECODER = "#2f7d4f"  # green: whatever makes images
JUDGE = "#8a5a00"  # brown: the discriminator, and losses
FILL = {POSTERIOR: "#e3edf8", DECODER: "#e2f1e7", JUDGE: "#faeeda", PRIOR: "#f9e5e3", QUIET: "#f0f1f3"}

mpl.use("Agg")
mpl.rcParams.update(
    {
        "svg.hashsalt": "handout",
        "svg.fonttype": "path",  # looks the same where DejaVu is not installed
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "mathtext.fontset": "cm",
        "axes.edgecolor": QUIET,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
)


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty drawing of the given size, whose coordinates are inches from its lower left corner."""
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")
    return figure, axes


def text(axes: Axes, x: float, y: float, string: str, size: float = 10, color: str = INK, **options) -> None:
    """Text centred on a point."""
    axes.text(x, y, string, fontsize=size, color=color, **{"ha": "center", "va": "center", **options})


def box(
    axes: Axes, x: float, y: float, width: float, height: float, string: str, color: str, size: float = 10
) -> None:
    """A rounded box centred on a point, with text in it."""
    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.07"
    axes.add_patch(
        FancyBboxPatch(corner, width, height, boxstyle=style, facecolor=FILL[color], edgecolor=color, lw=1.3)
    )
    text(axes, x, y, string, size)


def funnel(
    axes: Axes, x: float, y: float, width: float, left: float, right: float, string: str, color: str
) -> None:
    """A network that narrows or widens: a trapezoid centred on a point, its sides `left` and `right` high."""
    x0, x1 = x - width / 2, x + width / 2
    corners = [(x0, y - left / 2), (x0, y + left / 2), (x1, y + right / 2), (x1, y - right / 2)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=FILL[color], edgecolor=color, lw=1.3))
    text(axes, x, y, string)


def node(
    axes: Axes, x: float, y: float, string: str, radius: float = 0.27, color: str = INK, fill: str = "white"
) -> None:
    """A circle with a symbol in it."""
    axes.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor=color, lw=1.3))
    text(axes, x, y, string, 13)


def arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str = INK, **options
) -> None:
    """An arrow between two points; `connectionstyle` bends it."""
    given = {"arrowstyle": "-|>", "mutation_scale": 11, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(start, end, color=color, **{**given, **options}))


@cache
def _digits() -> np.ndarray:
    from sklearn.datasets import load_digits

    return load_digits().images / 16


def picture(axes: Axes, x: float, y: float, size: float, grey: np.ndarray, edge: str = INK) -> None:
    """A small grey image (values in 0..1, square) centred on a point."""
    left, right, low, high = x - size / 2, x + size / 2, y - size / 2, y + size / 2
    # Enlarged here, since viewers smooth what they enlarge.
    enlarged = np.kron(grey, np.ones((8, 8)))
    axes.imshow(enlarged, cmap="gray", vmin=0, vmax=1, extent=(left, right, low, high), interpolation="none")
    axes.add_patch(Rectangle((left, low), size, size, fill=False, edgecolor=edge, lw=0.8))
    axes.set(
        xlim=axes.figure.get_figwidth() * np.array([0, 1]),
        ylim=axes.figure.get_figheight() * np.array([0, 1]),
    )


def digit(index: int, blur: float = 0.0, noise: float = 0.0) -> np.ndarray:
    """An 8x8 digit of scikit-learn's set, on request smoothed or noisy to stand for a model's output."""
    image = _digits()[index]
    if blur:
        around = sum(np.roll(image, shift, axis) for shift in (-1, 1) for axis in (0, 1)) / 4
        image = (1 - blur) * image + blur * around
    if noise:
        image = image + noise * np.random.default_rng(index).standard_normal(image.shape)
    return image.clip(0, 1)


def save(figure: Figure, path: Path) -> None:
    """Writes a figure as SVG, without the date and version that would make every file a new one."""
    figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})

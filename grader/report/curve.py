"""The curve of a short training: bits per dimension by step, beside the band of right solutions."""

from __future__ import annotations

import numpy as np

from grader.report.chart import as_svg, chart
from grader.report.theme import COLOURS

# What right VAEs report in training, in bits per dimension of the last batch: step, lowest, highest. Measured
# on the digits at default size, Adam with learning rate 1e-3, batches of 16: 4 seeds each of the solution and
# of it with BatchNorm, an MLP, Dropout, unscaled and one-hot input, every 10 steps; rounded outwards, and
# evened out where the last batch was a lucky one. Before the first step the 16 levels cost 4 bits.
BAND = (
    (0, 3.40, 4.20),
    (10, 1.48, 3.98),
    (20, 1.36, 3.13),
    (40, 1.34, 2.40),
    (60, 1.32, 1.90),
    (80, 1.30, 1.68),
    (100, 1.28, 1.55),
    (120, 1.26, 1.50),
    (140, 1.25, 1.48),
    (160, 1.20, 1.46),
)
MOST_POINTS = 500
MOST_BITS = 6.0  # what is higher is drawn at this height: 16 grey levels cost 4 bits


def draw_curve(values: np.ndarray) -> bytes | None:
    """An SVG file of a curve `[K, 2]` (step, bits per dimension); None where no point of it is a number."""
    points = values[np.isfinite(values).all(axis=1)]
    points = points[(points[:, 0] >= 0) & (points[:, 0] <= 1e6)]
    if len(points) == 0:
        return None
    points = points[np.argsort(points[:, 0], kind="stable")]
    points = points[np.linspace(0, len(points) - 1, min(len(points), MOST_POINTS)).astype(int)]
    return _svg(points[:, 0], np.clip(points[:, 1], 0.0, MOST_BITS))


def _svg(steps: np.ndarray, bits: np.ndarray) -> bytes:
    ink, muted, link = (COLOURS[name][0] for name in ("ink", "muted", "link"))
    band = np.array(BAND)
    with chart(5.2, 2.9) as axes:
        axes.fill_between(band[:, 0], band[:, 1], band[:, 2], color=COLOURS["band"][0], linewidth=0)
        axes.plot(
            steps, bits, color=link, linewidth=1.8, marker="o" if len(steps) <= 20 else "", markersize=4
        )
        last = max(float(steps[-1]), float(band[1, 0]))
        axes.set_xlim(0, last * 1.02)
        axes.set_ylim(0, max(float(bits.max()), float(band[:, 2].max())) * 1.08)
        where = last * 0.62
        top = float(np.interp(where, band[:, 0], band[:, 2]))
        axes.annotate("right solutions", (where, top), (0, 6), textcoords="offset points", color=muted)
        axes.annotate(
            f"{bits[-1]:.2f}",
            (steps[-1], bits[-1]),
            (-2, 8),
            textcoords="offset points",
            color=ink,
            ha="right",
        )
        axes.set_xlabel("training step")
        axes.set_ylabel("bits per dimension")
        return as_svg(axes, standalone=True).encode()

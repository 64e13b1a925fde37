"""Figure 7: the entropy of a Bernoulli variable."""

from __future__ import annotations

import numpy as np
from drawing import JUDGE, POSTERIOR, QUIET
from matplotlib.figure import Figure


def entropy(p: np.ndarray) -> np.ndarray:
    """Entropy in bits of a Bernoulli variable with parameter p, 0 < p < 1."""
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def draw() -> Figure:
    """Entropy against p, in bits, with the axis in nats at the right."""
    figure = Figure(figsize=(5.2, 3.3), facecolor="white")
    axes = figure.add_axes((0.12, 0.16, 0.74, 0.8))
    p = np.linspace(1e-9, 1 - 1e-9, 801)
    axes.plot(p, entropy(p), color=POSTERIOR, lw=2)
    axes.plot([0.5, 0.5, 0], [0, 1, 1], color=QUIET, lw=0.8, ls=":")
    axes.plot([0.1, 0.9], entropy(np.array([0.1, 0.9])), "o", color=JUDGE, markersize=5)
    axes.annotate(
        f"$p = 0.1$ and $p = 0.9$:\n{entropy(np.array(0.1)):.2f} bits",
        (0.1, entropy(np.array(0.1))), (0.55, 0.28), fontsize=9,
        arrowprops={"arrowstyle": "-", "color": JUDGE, "lw": 0.8},
    )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1.05), xlabel="$p$, the probability of 1", ylabel="entropy in bits")
    nats = axes.secondary_yaxis(
        "right", functions=(lambda bits: bits * np.log(2), lambda nats: nats / np.log(2))
    )
    nats.set_ylabel("in nats")
    return figure

"""Figure 2: prior and posterior in a latent space of two dimensions."""

from __future__ import annotations

import numpy as np
from drawing import INK, POSTERIOR, PRIOR, QUIET
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

SAMPLES = 250
EXTENT = 3.2


def posterior(z1: np.ndarray, z2: np.ndarray) -> np.ndarray:
    """Values of a made-up posterior, not normalized: the prior times a narrow likelihood, bent like a hook.

    It stands for p(z|x) of one image x that only latents near (1, 1) explain well.
    """
    ridge = 1.05 + 0.9 * (z1 - 1.05) ** 2 - 0.55 * (z1 - 1.05)
    log_likelihood = -((z2 - ridge) ** 2) / (2 * 0.13**2) - (z1 - 1.12) ** 2 / (2 * 0.3**2)
    log_prior = -(z1**2 + z2**2) / 2
    return np.exp(log_likelihood + log_prior)


def levels(density: np.ndarray, masses: tuple[float, ...]) -> list[float]:
    """The densities whose contours enclose the given shares of the mass, in increasing order."""
    ordered = np.sort(density.ravel())[::-1]
    share = np.cumsum(ordered) / ordered.sum()
    return sorted(float(ordered[np.searchsorted(share, mass)]) for mass in masses)


def draw() -> Figure:
    """Contours of the prior (red) with samples from it (black), and of the posterior (blue)."""
    figure = Figure(figsize=(5.6, 4.6), facecolor="white")
    axes = figure.add_axes((0.1, 0.11, 0.88, 0.86))
    axes.set(xlim=(-EXTENT, EXTENT), ylim=(-EXTENT, EXTENT), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    z1, z2 = np.meshgrid(np.linspace(-EXTENT, EXTENT, 641), np.linspace(-EXTENT, EXTENT, 641))

    samples = np.random.default_rng(3).standard_normal((SAMPLES, 2))
    axes.plot(*samples.T, ".", color=INK, markersize=4)
    angle = np.linspace(0, 2 * np.pi, 200)
    for deviations, width in ((1, 1.9), (2, 1.0)):
        axes.plot(deviations * np.cos(angle), deviations * np.sin(angle), color=PRIOR, lw=width)
    density = posterior(z1, z2)
    axes.contourf(
        z1, z2, density, levels=[*levels(density, (0.95,)), density.max()], colors=[POSTERIOR], alpha=0.18
    )
    axes.contour(
        z1, z2, density, levels=levels(density, (0.2, 0.5, 0.8, 0.95)), colors=POSTERIOR, linewidths=1.2
    )

    # The point of the figure, counted: how many samples of the prior fall where the posterior has its mass.
    inside = posterior(*samples.T) > levels(density, (0.95,))[0]
    axes.annotate(
        f"{inside.sum()} of {SAMPLES} samples\nin the 95% contour",
        (1.25, 1.1), (1.75, 2.55), fontsize=9, ha="left", color=POSTERIOR,
        arrowprops={"arrowstyle": "-", "color": POSTERIOR, "lw": 0.8},
    )  # fmt: skip
    handles = [
        Line2D([], [], color=PRIOR, label=r"prior $p(\mathbf{z})$, 1 and 2 standard deviations"),
        Line2D([], [], color=INK, marker=".", ls="", label=r"samples of $p(\mathbf{z})$"),
        Line2D([], [], color=POSTERIOR, label=r"posterior $p(\mathbf{z}\,|\,\mathbf{x})$ of one image"),
    ]
    axes.legend(handles=handles, loc="lower left", fontsize=8.5, framealpha=0.95, edgecolor=QUIET)
    return figure

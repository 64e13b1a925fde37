"""How far out a statistic lies: the chance that right code is so far out, and a picture of what was drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from grader.explain.rerun import Statistic
from grader.report.chart import as_svg, chart
from grader.report.theme import COLOURS

# What a statistic of right code follows, by the beginning of its name.
_NORMAL = ("normal: mean", "normal: variance", "independence: sums", "independence: correlation", "frequency")
_KOLMOGOROV = ("normal: Kolmogorov-Smirnov",)
_LARGEST = ("independence: largest correlation",)
MOST_PAIRS = 100_000  # of lines whose correlations are compared, see grader/suites/statistics.py


@dataclass(frozen=True)
class Chance:
    """A statistic beside its limit.

    Attributes:
        name: of the statistic.
        value: what it came to.
        limit: where right code ends.
        chance: the probability that right code is so far out; None where the statistic is no random one.
        at_most: whether `chance` is a bound.
        beyond: whether it is beyond its limit.
        unit: what value and limit are counted in; empty where the name says it.
    """

    name: str
    value: float
    limit: float
    chance: float | None
    at_most: bool
    beyond: bool
    unit: str = ""


def chance_of(statistic: Statistic) -> Chance:
    """What a statistic says."""
    name, value, limit = statistic.measure
    least = "at least" in name
    beyond = not (value >= limit if least else value <= limit)
    chance: float | None = None
    unit = "standard errors from what is due" if name.startswith(_NORMAL) else ""
    if name.startswith(_NORMAL):
        chance = math.erfc(abs(value) / math.sqrt(2))
    elif name.startswith(_KOLMOGOROV):
        chance = min(1.0, 2 * math.exp(-2 * value**2))
    elif name.startswith(_LARGEST):
        chance = min(1.0, MOST_PAIRS * math.erfc(value / math.sqrt(2)))
    return Chance(name, value, limit, chance, name.startswith(_LARGEST), beyond, unit)


def deciding(statistics: list[Statistic]) -> list[Statistic]:
    """What a person wants to see: the one that decided, the last beyond its limit.

    Where none is, the last figures of a training; statistics of random numbers then have nothing to do with
    the failure.
    """
    beyond = [one for one in statistics if chance_of(one).beyond]
    return beyond[-1:] or [one for one in statistics if chance_of(one).chance is None][-3:]


def percent(chance: float) -> str:
    """A probability in words."""
    if chance <= 0 or chance < 1e-300:
        return "less than 1e-300"
    return f"{chance:.2g}"


def histogram(sample: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequencies of values, those of N(0, 1), and the edges of the bins, in steps of a half."""
    edges = np.arange(-4.5, 4.51, 0.5)
    values = sample.double().numpy()
    inside = np.clip(values[np.isfinite(values)], edges[0] + 1e-9, edges[-1] - 1e-9)
    counts, _ = np.histogram(inside, bins=edges)
    below = np.array([0.5 * math.erfc(-edge / math.sqrt(2)) for edge in edges])
    below[0], below[-1] = 0.0, 1.0
    return counts / max(1, len(inside)), np.diff(below), edges


def text_histogram(sample: torch.Tensor, width: int = 40) -> list[str]:
    """The distribution as lines: a bar for what came, a mark where N(0, 1) ends."""
    came, due, edges = histogram(sample)
    most = max(float(came.max()), float(due.max()))
    lines = []
    for left, one, other in zip(edges, came, due, strict=False):
        bar = "█" * round(width * one / most)
        mark = round(width * other / most)
        cells = list(bar.ljust(width + 1))
        cells[mark] = "│"
        lines.append(
            f"{left:5.1f}  {''.join(cells).rstrip():<{width + 1}}  {100 * one:5.1f}%  {100 * other:5.1f}%"
        )
    return [f"{'from':>5}  {'│ ends a bar of right code':<{width + 1}}  {'came':>6}  {'due':>6}", *lines]


def draw_distribution(sample: torch.Tensor) -> bytes:
    """An SVG file: what was drawn, beside the density of N(0, 1)."""
    muted, link = COLOURS["muted"][0], COLOURS["link"][0]
    values = np.clip(sample.double().nan_to_num().numpy(), -5, 5)
    grid = np.linspace(-5, 5, 201)
    with chart(5.2, 2.9) as axes:
        density = np.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi)
        axes.fill_between(grid, 0, density, color=COLOURS["band"][0], linewidth=0)
        heights, edges = np.histogram(values, bins=60, range=(-5, 5), density=True)
        axes.stairs(np.minimum(heights, 1.2), edges, color=link, linewidth=1.6)
        axes.annotate("right code", (1.0, 0.25), (12, 6), textcoords="offset points", color=muted)
        axes.set_xlabel("value")
        axes.set_ylabel("density")
        return as_svg(axes, standalone=True).encode()

"""The figure of the page on black images: how training starts with two initializations, as measured.

Reads what `measure_start.py` wrote: `black_images.csv` and `black_images.png`.
"""

from __future__ import annotations

import csv
from collections import defaultdict

from drawing import DECODER, HERE, PRIOR, QUIET
from matplotlib import image
from matplotlib.figure import Figure

NAMES = {"default": ("PyTorch's default initialization", PRIOR), "he": ("he_initialization", DECODER)}
ALL_BLACK, MEAN_IMAGE = 0.448, 0.269  # of the 60,000 training images, scaled to [-1, 1]


def read_runs() -> dict[tuple[str, int], list[tuple[int, float]]]:
    """The measured curves: (variant, seed) -> [(step, reconstruction loss), ...]."""
    runs = defaultdict(list)
    with open(HERE / "black_images.csv", newline="") as file:
        for row in csv.DictReader(file):
            run = (row["variant"], int(row["seed"]))
            runs[run].append((int(row["step"]), float(row["reconstruction_loss"])))
    return runs


def draw() -> Figure:
    """Left, reconstruction losses of the first steps; right, images and what two of the runs make of them."""
    figure = Figure(figsize=(9.4, 3.5), facecolor="white")
    axes = figure.add_axes((0.065, 0.145, 0.44, 0.82))
    for (variant, seed), points in read_runs().items():
        if variant not in NAMES:
            continue
        name, color = NAMES[variant]
        axes.plot(*zip(*points, strict=True), color=color, lw=1.3, label=name if seed == 0 else None)
    levels = ((ALL_BLACK, "all pixels black", 0.035), (MEAN_IMAGE, "the mean image, always", 0.012))
    for loss, name, above in levels:
        axes.axhline(loss, color=QUIET, lw=0.9, ls="--")
        axes.text(398, loss + above, f"{name}: {loss:.2f}", ha="right", fontsize=8.5, color=QUIET)
    axes.set(
        xlim=(0, 400), ylim=(0, 0.75), xlabel="steps (batches of 64 images)", ylabel="reconstruction loss"
    )
    axes.legend(loc="upper right", fontsize=9, edgecolor=QUIET, framealpha=1)

    strips = figure.add_axes((0.655, 0.17, 0.335, 0.72))
    strips.imshow(image.imread(HERE / "black_images.png"), interpolation="none")
    for row in (1, 2):
        strips.axhline(28 * row - 0.5, color="white", lw=2)
    strips.set(xticks=[], yticks=[14, 42, 70])
    strips.set_yticklabels(["images", "default,\n400 steps", "he_initialization,\n400 steps"], fontsize=9)
    strips.tick_params(length=0)
    return figure

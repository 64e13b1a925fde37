"""Figures like those that students hand in, drawn from digits and from curves made up."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image

from grader.report.by_eye import by_eye
from grader.report.figures import Figures, draw_figures

from .digits import digits, smooth

KINDS = 8  # of handing in: complete, with another style, with less
EPOCHS = {"000": 0.0, "010": 0.6, "080": 0.9}


@cache
def figures(kind: int) -> Figures:
    """The figures of a student, as they are kept. There are `KINDS` kinds of students."""
    return draw_figures(handed_in(kind))


def handed_in(kind: int) -> dict[str, bytes]:
    """The files that a student hands in, by path."""
    draw = np.random.default_rng(kind)
    files = {}
    for one in by_eye():
        for figure in one.figures:
            if "curves" in figure.stem:
                content = curves(draw, kind)
            elif "manifold" in figure.stem:
                content = manifold(draw)
            elif "epoch" in figure.stem:
                content = _png(_grid(_noisy(draw, 64, EPOCHS[figure.stem[-3:]]), 8))
            else:
                pairs = "reconstructions" in figure.stem
                content = _png(_over_epochs(draw, pairs))
            files[f"figures/{figure.stem}.png"] = content
    if kind % 4 == 1:  # no part 2
        files = {name: content for name, content in files.items() if name[8] == "1"}
    if kind % 4 == 2:
        files["figures/2.6 comparison.png"] = files.pop("figures/2.6_adversarial_samples.png")
        files["figures/losses.png"] = curves(draw, kind)
    if kind % 4 == 3:
        del files["figures/1.9_manifold.png"]
    return files


def curves(draw: np.random.Generator, kind: int) -> bytes:
    """Training and validation bpd over 80 epochs, as Matplotlib draws them by default or with care."""
    from matplotlib.figure import Figure

    epochs = np.arange(1, 81)
    train = 0.52 + 0.35 * np.exp(-epochs / draw.uniform(6, 14)) + draw.normal(0, 0.002, 80)
    figure = Figure(figsize=(7, 4.5), dpi=200 if kind % 2 else 100)
    axes = figure.add_subplot()
    axes.plot(epochs, train, label="training")
    axes.plot(epochs, train + 0.004 + draw.normal(0, 0.002, 80), label="validation")
    axes.set_title(f"Test: {train[-1] + 0.004:.3f} bpd")
    axes.set_xlabel("epoch")
    axes.set_ylabel("bits per dimension")
    if kind % 3:
        axes.grid(alpha=0.3)
        axes.legend()
    file = io.BytesIO()
    figure.savefig(file)
    return file.getvalue()


def manifold(draw: np.random.Generator) -> bytes:
    """A 20 x 20 grid in which neighbours are alike: four digits at the corners, and what lies between."""
    corners = smooth(digits()[draw.integers(0, len(digits()), 4)])
    across, down = np.meshgrid(np.linspace(0, 1, 20), np.linspace(0, 1, 20))
    weights = np.stack([(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down])
    tiles = np.einsum("krc,khw->rchw", weights**2 / (weights**2).sum(0), corners).reshape(400, 28, 28)
    return _png(_grid(tiles, 20))


def _noisy(draw: np.random.Generator, count: int, trained: float) -> np.ndarray:
    """So many images, from noise to digits, `[N, 28, 28]` in [0, 1]."""
    chosen = smooth(digits()[draw.integers(0, len(digits()), count)])
    noise = draw.random(chosen.shape)
    return np.clip(trained * chosen * draw.uniform(0.9, 1.1) + (1 - trained) * noise, 0, 1)


def _over_epochs(draw: np.random.Generator, pairs: bool) -> np.ndarray:
    """Rows of images after 0, 20, 50 and 100 epochs; beneath the originals, where these are pairs."""
    rows = [_noisy(draw, 10, trained) for trained in (0.05, 0.7, 0.85, 0.95)]
    return _grid(np.concatenate([_noisy(draw, 10, 1.0), *rows] if pairs else rows), 10)


def _grid(tiles: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Tiles `[N, H, W]` as torchvision's `make_grid` puts them."""
    padded = np.pad(tiles, ((0, 0), (gap, 0), (gap, 0)))
    rows = padded.reshape(-1, columns, *padded.shape[1:])
    sheet: np.ndarray = rows.transpose(0, 2, 1, 3).reshape(rows.shape[0] * rows.shape[2], -1)
    return sheet


def _png(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray((255 * values).astype(np.uint8)).convert("RGB").save(file, "PNG")
    return file.getvalue()

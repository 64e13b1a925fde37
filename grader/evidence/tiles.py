"""The small images of a grid, read out of a figure: of one whose pixels are drawn as they are, or of none.

Training draws grids as torchvision's `make_grid` lays them out, 2 grey pixels around each image, enlarged
without smoothing. What is drawn in another way is left to people.
"""

from __future__ import annotations

import io
from collections import Counter
from itertools import pairwise

import numpy as np
import torch
from PIL import Image

SIDE, GAP = 28, 2  # pixels of an image, and between two
GREY, NEAR_GREY = 127.5, 4.0  # of the lines between
SHORTEST = 120  # pixels of a line: four images side by side
MOST = 2000  # pixels of a figure's side; they are kept with 1400 at most
LINE = 0.97  # share of a line's pixels that are grey
# Between rows that show the same row of an image, at most this share of the change between any two rows.
STEPS = 0.1
COARSE, FINE = np.linspace(-1, 1, 11), np.linspace(-0.2, 0.2, 9)  # where its edges may be, in pixels


def last_grid(content: bytes) -> torch.Tensor | None:
    """The images of a figure's only grid, or of its rightmost one: what comes after the last epoch.

    Args:
        content: a PNG that the grader has drawn anew.

    Returns:
        Row by row, float `[N, 1, 28, 28]` in [0, 1]; None where there is no grid that can be read.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if max(picture.size) > MOST:
                return None
            pixels = np.asarray(picture.convert("L"))
    except (OSError, ValueError, SyntaxError):  # Pillow's word for a damaged PNG
        return None
    lines = np.abs(pixels - GREY) <= NEAR_GREY
    extents = _extents(lines)
    return _read(pixels, lines, *extents[-1]) if extents else None


def _extents(lines: np.ndarray) -> list[tuple[int, int]]:
    """Where the grey lines across begin and end: those that several rows share."""
    counts: Counter[tuple[int, int]] = Counter()
    for row in lines[lines.sum(1) >= SHORTEST]:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
        counts.update(
            (left, right) for left, right in edges.reshape(-1, 2).tolist() if right - left >= SHORTEST
        )
    chosen: list[tuple[int, int]] = []
    for (left, right), count in counts.most_common():
        if count >= 2 * GAP and all(right <= other[0] or left >= other[1] for other in chosen):
            chosen.append((left, right))
    return sorted(chosen)


def _read(pixels: np.ndarray, lines: np.ndarray, left: int, right: int) -> torch.Tensor | None:
    """The images of the grid between two columns."""
    rows = np.flatnonzero(lines[:, left:right].mean(1) > LINE)
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    inside = lines[top:bottom, left:right]
    counts = [_images(inside.mean(axis) > LINE) for axis in (1, 0)]
    if None in counts:
        return None
    shown = pixels[top:bottom, left:right]
    sources = [
        _sources(shown if axis == 0 else shown.T, count * (SIDE + GAP) + GAP)
        for axis, count in enumerate(counts)
        if count is not None
    ]
    if any(source is None for source in sources):
        return None
    down, across = (_middles(source) for source in sources if source is not None)
    images = torch.from_numpy(shown[np.ix_(down, across)]).float() / 255
    tiles = images[GAP:, GAP:].unfold(0, SIDE, SIDE + GAP).unfold(1, SIDE, SIDE + GAP)
    return tiles.reshape(-1, 1, SIDE, SIDE)


def _images(line: np.ndarray) -> int | None:
    """How many images lie between the lines of one direction; None where they differ in size."""
    places = np.flatnonzero(line)
    sizes = [after - before - 1 for before, after in pairwise(places.tolist()) if after - before > 1]
    return len(sizes) if sizes and max(sizes) - min(sizes) <= 2 else None


def _sources(shown: np.ndarray, count: int) -> np.ndarray | None:
    """Which of so many rows each row of an enlarged picture shows; None where it is not one of them.

    Rows that show the same are the same, wherever between two pixels the picture begins and ends.
    """
    size = len(shown)
    if size < count:
        return None  # drawn smaller than it is: rows are missing
    changes = np.abs(np.diff(shown.astype(np.int16), axis=0)).mean(1)

    def mapping(begin: float, end: float) -> tuple[float, np.ndarray]:
        places = (np.arange(size) + 0.5 - begin) * count / (size + end - begin)
        sources = places.astype(int).clip(0, count - 1)
        steps = np.diff(sources)
        whole = sources[0] == 0 and sources[-1] == count - 1 and steps.max() == 1
        same = steps == 0
        return float(changes[same].mean()) if whole and same.any() else np.inf, sources

    middle = (0.0, 0.0)
    for width in (COARSE, FINE):  # around the best of before
        edges = [(middle[0] + one, middle[1] + other) for one in width for other in width]
        middle = min(edges, key=lambda edge: mapping(*edge)[0])
    within, sources = mapping(*middle)
    return sources if within <= STEPS * float(changes.mean()) else None


def _middles(sources: np.ndarray) -> np.ndarray:
    """For each row that is shown, a row in the middle of those that show it."""
    first = np.searchsorted(sources, np.arange(sources[-1] + 1))
    last = np.searchsorted(sources, np.arange(sources[-1] + 1), side="right") - 1
    return (first + last) // 2

"""Pictures of what a student's models make: raw values in, small PNG and SVG files out.

The values come out of the box, from models that nobody trusts. They are numbers and nothing else by then;
here they are cut to size, clamped and drawn. A picture that cannot be drawn is left out: it decides nothing.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from grader.report.curve import draw_curve
from grader.rubric import load_rubric

SUFFIXES = {"samples": "png", "manifold": "png", "reconstructions": "png", "curve": "svg"}
KINDS = tuple(SUFFIXES)

MOST_TILES = {"samples": 64, "manifold": 400, "reconstructions": 10}
MOST_PIXELS = 32  # of a tile's side; MNIST has 28
GREY_LEVELS = 32  # more cannot be told apart at this size, and the file would be twice as large
GAP = 2  # pixels between tiles, transparent so that they suit a dark page too


@dataclass(frozen=True)
class Picture:
    """What to draw.

    Attributes:
        item: the rubric item whose check made it.
        kind: one of `KINDS`.
        values: `samples` and `manifold`: grey values `[N, H, W]` in [0, 1], a manifold row by row;
            `reconstructions`: pairs of original and reconstruction, `[N, 2, H, W]`;
            `curve`: `[K, 2]`, the step and the bits per dimension then.
    """

    item: str
    kind: str
    values: np.ndarray


def file_name(item: str, kind: str) -> str:
    """A picture's file beside `results.json`, such as `1.9.manifold.manifold.png`."""
    return f"{item}.{kind}.{SUFFIXES[kind]}"


def remove_pictures(folder: Path) -> None:
    """Remove the pictures that an earlier run has left beside a submission's results.

    Raises:
        OSError: one cannot be removed.
    """
    for item in load_rubric().automatic:
        for kind in KINDS:
            (folder / file_name(item.id, kind)).unlink(missing_ok=True)


def from_originals(pairs: np.ndarray) -> float:
    """How far reconstructions are from their originals, 0 to 1, of pairs `[N, 2, H, W]`; 1 for none."""
    pairs = np.clip(np.nan_to_num(pairs[: MOST_TILES["reconstructions"]], nan=1.0), 0.0, 1.0)
    return float(np.abs(pairs[:, 0] - pairs[:, 1]).mean()) if pairs.size else 1.0


def draw(picture: Picture) -> bytes | None:
    """The picture's file; None where its values cannot be drawn."""
    try:
        values = np.asarray(picture.values, dtype=np.float32)
    except (TypeError, ValueError):
        return None
    if values.size == 0:
        return None
    if picture.kind == "curve":
        return draw_curve(values) if values.ndim == 2 and values.shape[1] == 2 else None
    if picture.kind == "reconstructions":
        if values.ndim != 4 or values.shape[1] != 2:
            return None
        pairs = values[: MOST_TILES["reconstructions"]]
        columns = len(pairs)  # the originals above, their reconstructions below
        tiles = np.concatenate([pairs[:, 0], pairs[:, 1]])
    else:
        if values.ndim != 3:
            return None
        tiles = values[: MOST_TILES[picture.kind]]
        columns = math.ceil(math.sqrt(len(tiles)))
    return _png(tiles, columns, 0 if picture.kind == "manifold" else GAP)


def _png(tiles: np.ndarray, columns: int, gap: int) -> bytes:
    """Tiles `[N, H, W]` as a grid with so many columns. What is no number is drawn black, as is 0."""
    tiles = tiles[:, :MOST_PIXELS, :MOST_PIXELS]
    tiles = np.clip(np.nan_to_num(tiles, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    levels = np.rint(tiles * (GREY_LEVELS - 1)).astype(np.uint8)
    count, height, width = levels.shape
    rows = math.ceil(count / columns)
    transparent = GREY_LEVELS
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), transparent, dtype=np.uint8)
    for index, tile in enumerate(levels):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    image = Image.fromarray(sheet, mode="P")
    greys = [round(255 * level / (GREY_LEVELS - 1)) for level in range(GREY_LEVELS)]
    image.putpalette([value for grey in (*greys, 255) for value in (grey, grey, grey)])
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, transparency=transparent)
    return file.getvalue()

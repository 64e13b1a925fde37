"""Draws every figure of the handout anew, as SVG files beside the scripts.

Usage: python docs/handout/figures/draw_all.py [FOLDER]     (FOLDER: where to, default: beside the scripts)
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
FIGURES = (
    "graphical_model",
    "prior_posterior",
    "vae_architecture",
    "bernoulli_entropy",
    "gan_scheme",
    "aae_architecture",
    "black_images",
    "nerf_pipeline",
)

if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))


def draw_all(folder: Path) -> list[Path]:
    """Writes all figures into a folder and returns their paths."""
    from drawing import save

    paths = []
    for name in FIGURES:
        path = folder / f"{name}.svg"
        save(importlib.import_module(name).draw(), path)
        paths.append(path)
    return paths


if __name__ == "__main__":
    for path in draw_all(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE):
        print(path)

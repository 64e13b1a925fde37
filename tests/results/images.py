"""MNIST's own files: a part of them for a rehearsal, and what simple guesses score on them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

RAW = Path("MNIST") / "raw"


def write_part(source: Path, target: Path, count: int) -> Path:
    """Writes the first images of every file of MNIST to another folder; returns that folder."""
    (target / RAW).mkdir(parents=True, exist_ok=True)
    for file in sorted((source / RAW).glob("*-ubyte")):
        content = file.read_bytes()
        dimensions = content[3]
        head = 4 + 4 * dimensions
        sizes = list(struct.unpack(f">{dimensions}I", content[4:head]))
        each = int(np.prod(sizes[1:]))
        sizes[0] = min(sizes[0], count)
        part = content[:4] + struct.pack(f">{dimensions}I", *sizes) + content[head : head + sizes[0] * each]
        (target / RAW / file.name).write_bytes(part)
    return target


def guesses(root: Path) -> tuple[float, float]:
    """Squared errors, on the training images in [-1, 1], of an all-black image and of the mean image."""
    content = np.fromfile(root / RAW / "train-images-idx3-ubyte", dtype=np.uint8)[16:]
    images = content.reshape(-1, 28 * 28)
    mean = images.mean(axis=0, dtype=np.float64) / 127.5
    squares = np.zeros(28 * 28)
    for part in np.array_split(images, max(1, len(images) // 5000)):
        squares += ((part / 127.5) ** 2).sum(axis=0)
    squares /= len(images)
    return float(squares.mean()), float((squares - mean**2).mean())

"""Images made up for tests."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def png(width: int, height: int, mode: str = "RGB", kind: str = "PNG", **options: object) -> bytes:
    """An image file with a gradient."""
    values = np.add.outer(np.arange(height), np.arange(width)) % 256
    file = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).convert(mode).save(file, kind, **options)
    return file.getvalue()


def with_scans(content: bytes, more: int) -> bytes:
    """A progressive JPEG whose last scan is there so many times more."""
    last, end = content.rindex(b"\xff\xda"), content.rindex(b"\xff\xd9")
    return content[:end] + content[last:end] * more + content[end:]


def opened(content: bytes) -> Image.Image:
    """The image in a file, decoded."""
    image: Image.Image = Image.open(io.BytesIO(content))
    image.load()
    return image

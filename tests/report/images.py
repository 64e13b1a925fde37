"""Images made up for tests."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from grader.report.figures import Figures, draw_figures, replace_figures
from grader.report.pictures import Picture, draw, file_name


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


def write_pictures(folder: Path, pictures: Iterable[Picture]) -> None:
    """Draw pictures, and put them beside a submission's `results.json`."""
    for picture in pictures:
        content = draw(picture)
        if content is not None:
            (folder / file_name(picture.item, picture.kind)).write_bytes(content)


def keep_figures(folder: Path, shown: Mapping[str, bytes], sandbox: bool = True) -> Figures:
    """Draw figures, and put them in the place of those of an earlier run in a folder of results."""
    figures = draw_figures(shown, sandbox)
    replace_figures(folder, figures.files)
    return figures

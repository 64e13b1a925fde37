"""Figures that students handed in: decoded, made small and written anew, so that only pixels remain."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image, ImageOps

from grader.report.atomic import write_atomically
from grader.submission.names import printable, safe_name

FOLDER = "figures"
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}

MOST_FIGURES = 24
MOST_BYTES = 20 * 2**20  # of a file handed in
MOST_PIXELS = 40_000_000  # of a figure handed in: decoded, 120 MB
MOST_SIDE = 1400  # pixels of a figure kept
ENOUGH_BYTES = 120 * 2**10  # a PNG beyond this becomes a JPEG: it is a photograph or noise


@dataclass(frozen=True)
class KeptFigures:
    """What `keep_figures` did.

    Attributes:
        paths: the files written, in the order of their names.
        refused: one line for every figure that was left out, with the reason.
    """

    paths: tuple[Path, ...]
    refused: tuple[str, ...]


def keep_figures(folder: Path, figures: Mapping[str, bytes]) -> KeptFigures:
    """Write the figures of a submission into `folder/figures`, in place of those of an earlier run.

    Args:
        folder: the submission's folder of results, which exists.
        figures: the files by the names they were handed in under; of a path only the last part counts.

    Raises:
        OSError: a file cannot be written, or the folder of figures is a link.
    """
    kept: dict[str, bytes] = {}
    refused = []
    for name in sorted(figures):
        try:
            if len(kept) >= MOST_FIGURES:
                raise ValueError(f"only {MOST_FIGURES} figures are shown")
            content, suffix = _written_anew(name, figures[name])
            stem = safe_name(PurePosixPath(name.replace("\\", "/")).stem)
            new, count = stem + suffix, 1
            while new in kept:
                count += 1
                new = f"{stem}-{count}{suffix}"
            kept[new] = content
        except ValueError as error:
            refused.append(f"figure {printable(name, 80)}: {error}")
    return KeptFigures(tuple(_replace_files(folder / FOLDER, kept)), tuple(refused))


def _replace_files(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """Make these the only files of a folder, each written atomically. No folder is made for none."""
    if folder.is_symlink():
        raise NotADirectoryError(20, "it is a link, and figures are never written through one", str(folder))
    if files:
        folder.mkdir(exist_ok=True)
    for name, content in files.items():
        write_atomically(folder / name, content)
    if folder.is_dir():
        for old in folder.iterdir():
            if old.name not in files and (old.is_file() or old.is_symlink()):
                old.unlink()
    return [folder / name for name in files]


def _written_anew(name: str, content: bytes) -> tuple[bytes, str]:
    """The figure decoded, made small and encoded; and the suffix of its new name.

    Raises:
        ValueError: it is not shown, for the reason given.
    """
    expected = FORMATS.get(PurePosixPath(name).suffix.lower())
    if expected is None:
        raise ValueError("it is not shown: only .png and .jpg are")
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is not shown: larger than {MOST_BYTES // 2**20} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on sizes, which are looked at here
            image: Image.Image = Image.open(io.BytesIO(content), formats=tuple(set(FORMATS.values())))
            if image.width * image.height > MOST_PIXELS:
                raise _TooLarge
            image.draft("RGB", (MOST_SIDE, MOST_SIDE))
            image = ImageOps.exif_transpose(image)
            transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            image = image.convert("RGBA" if transparent else "RGB")
    except (_TooLarge, Image.DecompressionBombError) as error:
        raise ValueError(f"it is not shown: more than {MOST_PIXELS // 10**6} megapixels") from error
    except Exception as error:  # decoders of broken files raise anything
        raise ValueError("it is not shown: it cannot be read as an image") from error
    if transparent:  # plots are meant for white paper
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    image.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS)
    image = Image.frombytes("RGB", image.size, image.tobytes())  # without text, profiles and comments
    file = io.BytesIO()
    image.quantize(128).save(file, "PNG", optimize=True)
    if file.tell() <= ENOUGH_BYTES:
        return file.getvalue(), ".png"
    file = io.BytesIO()
    image.save(file, "JPEG", quality=82, optimize=True)
    return file.getvalue(), ".jpg"


class _TooLarge(Exception):
    pass

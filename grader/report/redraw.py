"""Decodes the figures and notebooks that a student handed in, and draws their pictures anew. Run on its own.

Decoders of images have had holes, and a small file may unpack to more than there is memory. So this runs as a
process of its own: in the grader's box, without the network, with limits. It has no part in marks, needs
nothing but Pillow, and imports nothing of the grader. `figures.py` starts it and believes nothing it says.

    in:   a line of JSON, [[name, size], ...], then the files one after another
    out:  for every picture a line of JSON, {"from": name, "cell": id, "large": [suffix, size],
          "small": [suffix, size]}, and the bytes of these two; or {"from": name, "error": reason};
          and {"from": name, "end": true} when nothing more comes of a file
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import resource
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

FORMATS = ("PNG", "JPEG")
SUFFIXES = (".png", ".jpg", ".jpeg")
MOST_FIGURES = 24
TOO_MANY = f"only {MOST_FIGURES} figures are kept"
TOO_LARGE = "all figures together have more than"
MOST_PIXELS = 25_000_000  # of a figure handed in: decoded, up to 100 MB
MOST_IN_ALL = 160_000_000  # pixels of all figures of a submission: the 13 asked for, each of 12 megapixels
MOST_SCANS = 32  # of a JPEG: encoders write up to a dozen, and each is another pass over all pixels
LARGE, SMALL = 1400, 640  # pixels of the longer side
# A PNG beyond this becomes a JPEG: it is a photograph or noise. A manifold of 400 images takes
# 120 kB and more, and evidence can be checked of one whose pixels are as they were.
ENOUGH_BYTES = 400 * 2**10
SMALL_BYTES = 30 * 2**10
CELL = re.compile(r"q\d+-\d+(-[a-z0-9_]+)?")

MEMORY = 2**30  # of the address space, in bytes
CPU_SECONDS = 20  # what is allowed takes half of it
NOBODY = 65534

_JPEG_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])")
_START_OF_SCAN, _END = b"\xda", b"\xd9"


class Refused(Exception):
    """A picture is not shown, for the reason given."""


def confine() -> None:
    """Give up what is not needed. Decoders that are loaded later would not be found any more."""
    for module in (PngImagePlugin, JpegImagePlugin, WebPImagePlugin):
        assert module.__name__ in sys.modules
    Image.preinit()
    for kind, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        most = resource.getrlimit(kind)[1]  # nobody may raise it
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


class Room:
    """How many pixels may still be decoded; every picture that is tried takes its own."""

    def __init__(self) -> None:
        self._left = MOST_IN_ALL

    def take(self, pixels: int) -> None:
        """Take so many pixels.

        Raises:
            Refused: a picture may not have as many, or all together may not.
        """
        if pixels > MOST_PIXELS:
            raise Refused(f"more than {MOST_PIXELS // 10**6} megapixels")
        if pixels > self._left:
            raise Refused(f"{TOO_LARGE} {MOST_IN_ALL // 10**6} megapixels")
        self._left -= pixels


def drawn_anew(content: bytes, room: Room) -> tuple[bytes, str, bytes, str]:
    """A picture decoded and encoded, so that only its pixels remain: large and small, each with its suffix.

    Raises:
        Refused: it is not shown.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on sizes, which are looked at here
            image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
            room.take(image.width * image.height)
            if image.format != "PNG" and scans(content) > MOST_SCANS:
                raise Refused(f"it has more than {MOST_SCANS} scans, save it again")
            image.draft("RGB", (LARGE, LARGE))
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):  # 16 bits of grey, of which Pillow would keep the low ones
                image = image.convert("I").point(lambda level: level * (1 / 257) + 0.5).convert("L")
            transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            if image.mode not in ("L", "LA", "RGB", "RGBA") or "transparency" in image.info:
                image = image.convert("RGBA" if transparent else "RGB")
            if (times := max(image.size) // LARGE) > 1:  # most pixels go here, quickly
                image = image.reduce(times)
            image = image.convert("RGBA" if transparent else "RGB")
            if transparent:  # plots are meant for white paper
                paper = Image.new("RGB", image.size, "white")
                paper.paste(image, mask=image.getchannel("A"))
                image = paper
            image.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS)
            image = Image.frombytes("RGB", image.size, image.tobytes())  # without text, profiles and comments
            photograph = _is_photograph(image)
            return *_large(image, photograph), *_small(image, photograph)
    except Refused:
        raise
    except Image.DecompressionBombError as error:
        raise Refused(f"more than {MOST_PIXELS // 10**6} megapixels") from error
    except MemoryError as error:
        raise Refused("it takes more memory than a figure may") from error
    except Exception as error:  # decoders of broken files raise anything
        raise Refused("it cannot be read as an image") from error


def scans(content: bytes) -> int:
    """How often a JPEG goes over its pixels, as far as that is too often."""
    count, position = 0, 2
    while count <= MOST_SCANS and (found := _JPEG_MARKER.search(content, position)) and found[1] != _END:
        count += found[1] == _START_OF_SCAN
        position = found.end() + int.from_bytes(content[found.end() : found.end() + 2], "big")
    return count


def _is_photograph(image: Image.Image) -> bool:
    """Whether a PNG is certain to be too large: with fewer colours, chosen quickly, it is by far."""
    quick = encoded(image.quantize(64, Image.Quantize.FASTOCTREE), "PNG", compress_level=1)
    return 2 * len(quick) > 3 * ENOUGH_BYTES


def _large(image: Image.Image, photograph: bool) -> tuple[bytes, str]:
    if not photograph:
        content = encoded(image.quantize(128), "PNG", optimize=True)
        if len(content) <= ENOUGH_BYTES:
            return content, ".png"
    return encoded(image, "JPEG", quality=82, optimize=True), ".jpg"


def _small(image: Image.Image, photograph: bool) -> tuple[bytes, str]:
    """For a page that holds many: 5 to 30 kB each."""
    side, quality = SMALL, 70
    while True:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        made = [(encoded(image, "WEBP", quality=quality, method=4), ".webp")]
        if not photograph:
            made.append((encoded(image.quantize(48), "PNG", optimize=True), ".png"))
        content, suffix = min(made, key=lambda one: len(one[0]))
        if len(content) <= SMALL_BYTES or side < 200:
            return content, suffix
        side, quality = side * 2 // 3, 55


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def of_notebook(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The pictures that a notebook holds itself, dragged into a cell or drawn by one, with the cell's id.

    Raises:
        Refused: it is no notebook.
    """
    try:
        cells = json.loads(content)["cells"]
        bundles = [
            (_cell_id(cell), bundle)
            for cell in cells
            for bundle in (
                *(cell.get("attachments") or {}).values(),
                *(output["data"] for output in cell.get("outputs") or () if "data" in output),
            )
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        raise Refused("it cannot be read as a notebook") from error
    for cell_id, bundle in bundles:
        for kind in ("image/png", "image/jpeg"):
            value = bundle.get(kind) if isinstance(bundle, dict) else None
            text = "".join(map(str, value)) if isinstance(value, list) else value
            if isinstance(text, str):
                try:
                    yield cell_id, base64.b64decode(text)
                except ValueError:
                    yield cell_id, b""
                break


def _cell_id(cell: Any) -> str:
    found = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", "")
    return found if isinstance(found, str) and CELL.fullmatch(found) else ""


def pictures_in(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """What a file holds: itself, or a notebook's pictures.

    Raises:
        Refused: it is not shown.
    """
    if name.lower().endswith(".ipynb"):
        yield from of_notebook(content)
    elif name.lower().endswith(SUFFIXES):
        yield "", content
    else:
        raise Refused("only .png and .jpg are")


def main() -> None:
    """Draw what comes in."""
    confine()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    kept, room = 0, Room()

    def say(name: str, *parts: bytes, **more: object) -> None:
        target.write(json.dumps({"from": name, **more}).encode() + b"\n" + b"".join(parts))
        target.flush()

    for name, size in json.loads(source.readline()):
        content = source.read(size)
        try:
            for cell, picture in pictures_in(name, content):
                if kept >= MOST_FIGURES:
                    raise Refused(TOO_MANY)
                large, large_suffix, small, small_suffix = drawn_anew(picture, room)
                sizes = {"large": [large_suffix, len(large)], "small": [small_suffix, len(small)]}
                say(name, large, small, cell=cell, **sizes)
                kept += 1
        except Refused as error:
            say(name, error=str(error))
        say(name, end=True)


if __name__ == "__main__":
    main()

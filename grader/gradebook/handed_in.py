"""Reads a notebook that a student handed in, whatever it is: tolerant, bounded, and running nothing."""

from __future__ import annotations

import base64
import binascii
import errno
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bs4 import BeautifulSoup

from grader.files import read_regular
from grader.gradebook.salvage import salvaged_rows
from grader.submission.names import is_archive, is_clutter, is_silent
from grader.text import printable

MAX_NOTEBOOK_BYTES = 50_000_000
MAX_CELLS = 5_000
MAX_TEXT = 200_000  # characters of a cell
MAX_PRINTED = 5_000  # characters that a cell of the student's own had printed
MAX_IMAGE_BYTES = 10_000_000
MAX_IMAGES = 200
MAX_ENTRIES = 5_000  # looked at while searching for notebooks
# How many folders deep a report is looked for, and how deep where none lies there.
REPORT_DEPTHS = (2, 8)

# Pictures that a browser draws and never runs, by their first bytes. Not SVG: it can hold scripts.
_SIGNATURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
_INLINE_PICTURE = re.compile(r"data:(image/(?:png|jpeg|gif));base64,([A-Za-z0-9+/=]+)")
_NOTEBOOK = re.compile(r".*\.ipynb(?:[^\w/].*)?", re.IGNORECASE | re.DOTALL)
SAVED = ".ipynb_checkpoints"
UNREADABLE = "unreadable.py"  # stands in the place of a download that could not be unpacked
IMAGE_SUFFIXES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}


class BrokenNotebook(Exception):
    """A notebook that cannot be read as it should; the message says why.

    Attributes:
        cells: what could be read of it.
    """

    def __init__(self, message: str, cells: Sequence[HandedInCell] = ()) -> None:
        super().__init__(message)
        self.cells = list(cells)


@dataclass(frozen=True)
class HandedInCell:
    """A cell as a student handed it in.

    Attributes:
        grade_id: what it claims to be; empty for a cell of the student's own.
        code: whether it is a code cell.
        source: its text.
        attachments: pictures by name, each `{media type: base64}`.
        cell_id: the notebook format's own id; empty before format 4.5.
        raw: whether it is a raw cell, which is shown as it was typed.
        printed: the text that a code cell had printed.
    """

    grade_id: str
    code: bool
    source: str
    attachments: dict[str, dict[str, str]] = field(default_factory=dict)
    cell_id: str = ""
    raw: bool = False
    printed: str = ""

    def refers_to(self, picture: str) -> bool:
        """Whether the text shows one of the attachments, by its name."""
        return not self.code and f"attachment:{picture}" in unquote(self.source)


@dataclass(frozen=True)
class HandedInNotebook:
    """A notebook as a student handed it in.

    Attributes:
        cells: its cells, in their order.
        remarks: what was left out of them, one line each.
    """

    cells: list[HandedInCell]
    remarks: tuple[str, ...] = ()


def read_cells(path: Path) -> list[HandedInCell]:
    """The cells of a notebook: texts and pictures, and no metadata but the cell's id.

    Raises:
        BrokenNotebook: it is no regular file, too large, or no notebook.
    """
    return read_notebook(path).cells


def read_notebook(path: Path) -> HandedInNotebook:
    """A notebook of any version of the format, in any encoding of Unicode.

    Raises:
        BrokenNotebook: it is no regular file, too large, or no notebook; it has what could be read.
    """
    try:
        text, remarks = decoded(read_regular(path, MAX_NOTEBOOK_BYTES))
    except OSError as error:
        raise BrokenNotebook(_reason(error)) from error
    try:
        table = json.loads(text, strict=False)  # a bare tab or line end within a string spoils nothing
    except (ValueError, RecursionError) as error:
        reason = f"is not valid JSON ({printable(str(error), 80)})"
        raise BrokenNotebook(reason, _salvaged(text)) from error
    rows = table.get("cells") if isinstance(table, dict) else None
    if rows is None and isinstance(table, dict) and isinstance(table.get("worksheets"), list):  # format 3
        rows = [
            row for sheet in table["worksheets"] if isinstance(sheet, dict) for row in _list(sheet, "cells")
        ]
    if not isinstance(rows, list):
        raise BrokenNotebook("holds no list of cells", _salvaged(text))
    kept = [row for row in rows if isinstance(row, dict | str)]
    if len(kept) < len(rows):
        remarks += (f"{len(rows) - len(kept)} of its cells are none, and were left out",)
    if len(kept) > MAX_CELLS:
        remarks += (f"holds {len(kept):,} cells, of which {MAX_CELLS:,} are shown",)
    cells = [_cell(row) for row in kept[:MAX_CELLS]]
    if any(len(cell.source) == MAX_TEXT for cell in cells):
        remarks += (f"a cell is cut after {MAX_TEXT:,} characters",)
    return HandedInNotebook(cells, remarks)


def decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    """A file's text, and what to say about its encoding."""
    encoding = json.detect_encoding(content)  # by its mark, or by where its zero bytes are
    try:
        return content.decode(encoding), ()
    except UnicodeDecodeError:
        if encoding.startswith("utf-8"):
            return content.decode("cp1252", "replace"), ("is not in UTF-8: accents may be wrong",)
        return content.decode(encoding, "replace"), (
            f"is damaged {encoding.upper()}: characters are missing",
        )


def _salvaged(text: str) -> list[HandedInCell]:
    """What can be read of a notebook that is none: its cells, or else its text."""
    return [_cell(row) for row in salvaged_rows(text)[:MAX_CELLS]]


def find_notebooks(folder: Path) -> list[Path]:
    """Every notebook of a submission: up to two folders deep, else deeper. Links are not followed.

    Where there is none, what lies anywhere.
    """
    found = next(filter(None, (_notebooks(folder, depth) for depth in REPORT_DEPTHS)), [])
    return found or find_all_notebooks(folder)


def find_all_notebooks(folder: Path) -> list[Path]:
    """Also those in deep folders, hidden ones, and what Jupyter has saved meanwhile."""
    return _notebooks(folder, REPORT_DEPTHS[-1], hidden=True)


def _notebooks(folder: Path, deepest: int, hidden: bool = False) -> list[Path]:
    is_left_out = is_silent if hidden else is_clutter

    def is_place(name: str) -> bool:
        return not is_left_out(name) or (hidden and name == SAVED)

    paths = (path for path in files_below(folder, deepest, is_place) if not is_left_out(path.name))
    return [path for path in paths if is_notebook(path.name.lstrip(".")) or holds_cells(path)]


def files_below(folder: Path, deepest: int, is_place: Callable[[str], bool]) -> Iterator[Path]:
    """The files of a submission, in order, until `MAX_ENTRIES` files and folders have been seen.

    Args:
        folder: the submission. Links are not followed.
        deepest: how many folders down.
        is_place: whether to look into a folder of this name.
    """
    seen = 0
    for place, folders, files in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if depth < deepest and is_place(name))
        seen += len(files) + len(folders)
        yield from (Path(place, name) for name in sorted(files))
        if seen > MAX_ENTRIES:
            break


def figures(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The pictures of a `figures/` folder, by name: real ones, neither links nor anything renamed."""
    try:
        names = sorted(os.listdir(folder)) if not folder.is_symlink() else []
    except OSError:
        return
    for name in names[:MAX_IMAGES]:
        if is_clutter(name) or printable(name) != name:
            continue
        if picture := read_picture(folder / name):
            yield name, picture[1]


def read_picture(path: Path) -> tuple[str, bytes] | None:
    """The media type and content of a picture that a browser draws; None where it is none, or is a link."""
    media_type = IMAGE_SUFFIXES.get(path.suffix.lower())
    if media_type is None:
        return None
    try:
        content = read_regular(path, MAX_IMAGE_BYTES)
    except OSError:
        return None
    return (media_type, content) if content.startswith(_SIGNATURES[media_type]) else None


def is_notebook(name: str) -> bool:
    """Also where a browser or a system has put something behind the name."""
    return _NOTEBOOK.fullmatch(name) is not None and not is_clutter(name) and not is_archive(name)


def holds_cells(path: Path) -> bool:
    """Whether a file of another name is a notebook by its content."""
    if path.suffix.lower() not in ("", ".json"):
        return False
    try:
        content = read_regular(path, MAX_NOTEBOOK_BYTES)
    except OSError:
        return False
    return content.lstrip().startswith(b"{") and b'"nbformat"' in content and b'"cell_type"' in content


def _reason(error: OSError) -> str:
    return "is a link" if error.errno == errno.ELOOP else error.strerror or str(error)


def _cell(row: dict[str, Any] | str) -> HandedInCell:
    if isinstance(row, str):
        return HandedInCell("", False, _text(row)[:MAX_TEXT])
    metadata = row.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    cell_id, kind = row.get("id"), row.get("cell_type")
    code = kind == "code"
    text = _text(row.get("source", row.get("input", "")))
    source, pasted = (text, None) if code else _without_pictures(text)
    source = source[:MAX_TEXT]
    level = row.get("level")
    if kind == "heading" and isinstance(level, int):  # format 3
        source = f"{'#' * max(1, min(level, 6))} {source}"
    return HandedInCell(
        grade_id=grade_id if isinstance(grade_id, str) else "",
        code=code,
        source=source,
        attachments=_attachments(row.get("attachments"))
        | (pasted or {})
        | (_drawn(row.get("outputs")) if code else {}),
        cell_id=cell_id if isinstance(cell_id, str) else "",
        raw=kind == "raw",
        printed=_printed(row.get("outputs")) if code else "",
    )


def _text(value: object) -> str:
    """The text of a cell, which is one string or a list of lines."""
    if isinstance(value, list):
        value = "".join(line if isinstance(line, str) else _literal(line) for line in value)
    elif not isinstance(value, str):
        value = _literal(value)
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _without_pictures(source: str) -> tuple[str, dict[str, dict[str, str]]]:
    """A text and the pictures that stood in it, as Colab pastes them: they may be megabytes long."""
    pasted: dict[str, dict[str, str]] = {}

    def taken(found: re.Match[str]) -> str:
        pictures = _pictures({found[1]: found[2]}) if len(pasted) < MAX_IMAGES else {}
        if not pictures:
            return found[0]
        name = f"pasted-{len(pasted) + 1}"
        pasted[name] = pictures
        return f"attachment:{name}"

    return _INLINE_PICTURE.sub(taken, source), pasted


def _literal(value: object) -> str:
    """What stands where a text should be."""
    return "" if value is None else json.dumps(value)[:MAX_TEXT]


def _printed(outputs: object) -> str:
    """The text among the outputs of a code cell."""
    parts = []
    for output in outputs if isinstance(outputs, list) else []:
        if not isinstance(output, dict):
            continue
        data = output.get("data")
        shown = output.get("text")  # of a stream; in format 3 of any output
        if shown is None and isinstance(data, dict) and not _pictures(data):
            shown = _displayed(data)
        if isinstance(shown, str | list):
            parts.append(_text(shown).rstrip("\n"))
    return "\n".join(parts)[:MAX_PRINTED]


def _displayed(data: dict[str, Any]) -> object:
    """The text of an output that may have several forms."""
    for kind in ("text/markdown", "text/latex"):
        if kind in data:
            return data[kind]
    plain, page = data.get("text/plain"), data.get("text/html")
    if isinstance(page, str | list) and (plain is None or "IPython.core.display" in _text(plain)):
        return BeautifulSoup(_text(page)[:MAX_TEXT], "html.parser").get_text("\n")
    return plain


def _attachments(value: object) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict):
        return {}
    kept = {}
    for name, bundle in list(value.items())[:MAX_IMAGES]:
        pictures = _pictures(bundle)
        if pictures and printable(name) == name:
            kept[name] = pictures
    return kept


def _drawn(outputs: object) -> dict[str, dict[str, str]]:
    """The pictures among the outputs of a code cell, as attachments."""
    rows = outputs if isinstance(outputs, list) else []
    bundles = (output.get("data", output) for output in rows if isinstance(output, dict))
    pictures = [kept for kept in map(_pictures, bundles) if kept]
    return {f"output-{number}": kept for number, kept in enumerate(pictures[:MAX_IMAGES], start=1)}


def _pictures(bundle: object) -> dict[str, str]:
    """The entries of a media bundle that are pictures, and that are what they say."""
    kept = {}
    for media_type, signatures in _SIGNATURES.items():
        names = (media_type, media_type.removeprefix("image/"))  # the second in format 3
        values = [bundle[name] for name in names if name in bundle] if isinstance(bundle, dict) else []
        value = values[0] if values else None
        text = "".join(map(str, value)) if isinstance(value, list) else value
        if not isinstance(text, str) or len(text) > MAX_IMAGE_BYTES * 4 / 3 + 4:
            continue
        try:
            content = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            continue
        if content.startswith(signatures):
            kept[media_type] = base64.b64encode(content).decode("ascii")
    return kept


def _list(table: dict[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []

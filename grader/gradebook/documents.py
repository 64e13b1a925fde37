"""Reports that are no notebook: a page, a PDF, a script that a tool has made of it.

Whoever hands in such a file has answered. It is named, it stays in `collected/`, and what can be read of it
is shown where it belongs.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from bs4 import BeautifulSoup

from grader.files import read_regular
from grader.gradebook.handed_in import (
    MAX_ENTRIES,
    MAX_TEXT,
    REPORT_DEPTHS,
    UNREADABLE,
    HandedInCell,
    decoded,
    is_notebook,
)
from grader.gradebook.list_names import is_short_list
from grader.gradebook.named_questions import names_a_question
from grader.report.by_eye import item_of
from grader.submission import NAMED_FILES
from grader.submission.names import is_archive, is_clutter

MARKUP = (".md", ".markdown", ".qmd", ".rmd", ".myst")
LITERAL = (".txt", ".rst", ".tex", ".rtf", ".org", ".adoc", ".asciidoc", ".typ", ".deepnote")
PAGES = (".html", ".htm")
CLOSED = (  # only a person reads these
    *(".pdf", ".docx", ".docm", ".doc", ".odt", ".pages", ".wps", ".epub", ".djvu", ".xps", ".ps", ".one"),
    *(".pptx", ".ppt", ".odp", ".key", ".xlsx", ".xls", ".ods", ".numbers"),
    *(".heic", ".heif", ".tif", ".tiff", ".bmp", ".webp"),
    *(".mhtml", ".mht", ".webarchive"),  # pages as browsers save them
    *(".url", ".webloc", ".gdoc"),  # links to what lies elsewhere
)
PHOTOS = (".jpg", ".jpeg")
# Pictures by a name that says what they show, in the languages of systems that make them.
_PHOTO = re.compile(
    r"(?i).*(?:answer|antwo?ort|question|scan|screen ?shot|schermafbeelding|bildschirmfoto|capture|photo|"
    r"foto|whatsapp|hand ?written|\bpage|^q\d|^img_\d)"
)
DOCUMENT_SUFFIXES = (*MARKUP, *PAGES, *CLOSED, *LITERAL[1:], ".json")
MAX_DOCUMENT_BYTES = 10_000_000
MAX_DOCUMENTS = 20

# Not a report: what the kit, the exchange and Python's tools put beside one.
_NO_REPORT = re.compile(r"(?i)readme|licen[cs]e|requirements|timestamp|submission_secret|.*log(s)?\Z")
_NO_PLACE = frozenset(
    ("handout", "tests", "lightning_logs", "checkpoints", "data", "venv", "site-packages", "node_modules")
)
_CODE = (
    ".py",
    ".pyc",
    ".pyi",
    ".sh",
    ".toml",
    ".cfg",
    ".ini",
    ".yaml",
    ".yml",
    ".json",
    ".pt",
    ".ckpt",
    ".npz",
)
_REPORT = re.compile(r"(?i).*(?:answer|antwo?ort|report|written|essay|part ?3|question)")
# A script that jupytext, nbconvert or marimo has made of a notebook: with cells of text, not only of code.
_SCRIPT = re.compile(
    r"^# (?:%%|\+) \[markdown\]|^# In ?\[|^# jupyter:|^import marimo\b|^@app\.cell", re.MULTILINE
)


@dataclass(frozen=True)
class Document:
    """A file that may be a report.

    Attributes:
        path: where it lies.
        cell: its text; None where only a person can read it.
    """

    path: Path
    cell: HandedInCell | None


def find_documents(folder: Path) -> list[Document]:
    """Every file of a submission that may be a report: up to two folders deep, else deeper."""
    return next(filter(None, (_documents(folder, depth) for depth in REPORT_DEPTHS)), [])


def _documents(folder: Path, deepest: int) -> list[Document]:
    found: list[Document] = []
    seen = 0
    for place, folders, files in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if depth < deepest and _is_place(name))
        seen += len(files) + len(folders)
        for name in sorted(files):
            document = _document(Path(place, name)) if not is_clutter(name) else None
            if document:
                found.append(document)
        if seen > MAX_ENTRIES or len(found) > MAX_DOCUMENTS:
            break
    return found[:MAX_DOCUMENTS]


def _is_place(name: str) -> bool:
    return not is_clutter(name) and name.lower() not in _NO_PLACE


def _document(path: Path) -> Document | None:
    suffix = path.suffix.lower()
    if path.is_symlink() or path.name == UNREADABLE or is_notebook(path.name):
        return None
    is_readme = path.stem.lower() == "readme"
    if _NO_REPORT.match(path.stem) and not is_readme and not is_called_report(path.name):
        return None
    if suffix in CLOSED or _is_photo(path):
        return Document(path, None)
    if suffix not in (*MARKUP, *LITERAL, *PAGES, ".py") and not is_called_report(path.name):
        return None
    if is_short_list(path):
        return None
    if suffix == ".py" and path.name in {Path(name).name for name in NAMED_FILES}:
        return None
    try:
        text, _ = decoded(read_regular(path, MAX_DOCUMENT_BYTES))
    except OSError:
        return None if suffix == ".py" else Document(path, None)
    if suffix == ".py" and not (path.stem.lower().startswith("report") or _SCRIPT.search(text)):
        return None
    if is_readme and not names_a_question(text):
        return None
    if suffix in PAGES:
        text = BeautifulSoup(text, "html.parser").get_text("\n")
    if not text.strip():
        return None
    cell = HandedInCell("", suffix == ".py", text[:MAX_TEXT].replace("\0", ""), raw=suffix not in MARKUP)
    return Document(path, cell)


def is_called_report(name: str) -> bool:
    """Whether a file of any other kind says by its name that answers are in it."""
    path = Path(name)
    other = path.suffix.lower() not in (*_CODE, *PHOTOS, ".png", ".svg", ".gif") and not is_archive(name)
    return other and _REPORT.match(path.stem) is not None


def _is_photo(path: Path) -> bool:
    """Whether a picture may show answers, and is no figure that the assignment asks for."""
    stem, suffix = path.stem, path.suffix.lower()
    return (suffix in PHOTOS or (suffix == ".png" and _PHOTO.match(stem) is not None)) and not item_of(stem)

"""Reports that are no notebook: a page, a PDF, a script that a tool has made of it.

Whoever hands in such a file has answered. It is named, it stays in `collected/`, and what can be read of it
is shown where it belongs.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bs4 import BeautifulSoup

from grader.files import read_regular
from grader.gradebook.handed_in import (
    MAX_TEXT,
    REPORT_DEPTHS,
    SAVED,
    UNREADABLE,
    HandedInCell,
    decoded,
    files_below,
    holds_cells,
    is_notebook,
)
from grader.gradebook.list_names import is_short_list
from grader.gradebook.named_questions import names_a_question
from grader.report.by_eye import item_of
from grader.submission.kinds import is_archive_kind, kind_of_file
from grader.submission.model import GIVEN_NAMES
from grader.submission.names import is_archive, is_silent
from grader.submission.places import PLACES

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
PHOTOS = (".jpg", ".jpeg", ".jfif")
PICTURES = (".png", ".svg", ".gif", ".avif")
_ANSWER = (
    r"answer|antwo+r[dt]|r[eé]ponse|respuesta|risposta|resposta|question|vraag|vragen|opgave|frage|aufgabe"
)
# Pictures by a name that says what they show, in the languages of systems that make them.
_PHOTO = re.compile(
    rf"(?i).*(?:{_ANSWER}|scan|screen ?shot|schermafbeelding|bildschirmfoto|capture|photo|foto|whatsapp|"
    r"hand ?written|\bpage(?![ _-]?[a-z])|^q\d|^img_\d)"
)
DOCUMENT_SUFFIXES = (*MARKUP, *PAGES, *CLOSED, *LITERAL[1:], ".json")
MAX_DOCUMENT_BYTES = 10_000_000
MAX_DOCUMENTS = 20

# Not a report: what the kit, the exchange and Python's tools put beside one.
_NO_REPORT = re.compile(r"(?i)readme|licen[cs]e|requirements|timestamp|submission_secret|.*log(s)?\Z")
_NO_PLACE = frozenset(
    ("handout", "tests", "lightning_logs", "checkpoints", "data", "venv", "site-packages", "node_modules")
)
_NO_TEXT = (".pyc", ".pt", ".pth", ".ckpt", ".npz", ".npy", ".pkl")
_REPORT = re.compile(
    rf"(?i).*(?:{_ANSWER}|report|verslag|rapport|bericht|informe|relazione|uitwerking|l[oö]sung|written|essay|"
    r"part[ _-]?3)"
)
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
    paths = (path for path in files_below(folder, deepest, is_place) if not is_silent(path.name))
    return list(islice(filter(None, map(_document, paths)), MAX_DOCUMENTS))


def is_place(name: str) -> bool:
    """Whether a report may lie in a folder of this name; it may in one that is hidden."""
    return (not is_silent(name) or name == SAVED) and name.lower() not in _NO_PLACE


def _document(path: Path) -> Document | None:
    suffix = path.suffix.lower()
    if path.is_symlink() or path.name == UNREADABLE:
        return None
    if is_notebook(path.name.lstrip(".")) or holds_cells(path):
        return None
    called, by_text = is_called_report(path.name), suffix in ("", ".py") or _is_readme(path.name)
    if _NO_REPORT.match(path.stem) and not by_text and not called:
        return None
    if suffix in CLOSED or is_photo(path.name):
        return Document(path, None)
    of_a_kind = suffix in (*MARKUP, *LITERAL, *PAGES)
    if not (called or by_text or of_a_kind) or is_short_list(path):
        return None
    if not of_a_kind and is_archive_kind(kind_of_file(path)):
        return None  # see `packed`
    if path.name.replace("-checkpoint.", ".") in PLACES.keys() | GIVEN_NAMES:  # also one that Jupyter saved
        return None
    try:
        text, _ = decoded(read_regular(path, MAX_DOCUMENT_BYTES))
    except OSError:
        return None if by_text and not called else Document(path, None)
    if by_text and not called and not _answers(text, suffix):
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
    other = path.suffix.lower() not in (*_NO_TEXT, *PHOTOS, *PICTURES) and not is_archive(name)
    return other and _REPORT.match(path.stem) is not None


def may_be_report(name: str) -> bool:
    """Whether a file of this name is worth a look; one without a suffix may be anything, and is not."""
    of_a_kind = name.lower().endswith((*DOCUMENT_SUFFIXES, ".txt"))
    return of_a_kind or is_called_report(name) or is_photo(name) or _is_readme(name)


def is_photo(name: str) -> bool:
    """Whether a picture may show answers, and is no figure that the assignment asks for."""
    path = Path(name)
    suffix = path.suffix.lower()
    shows = suffix in PHOTOS or (suffix in PICTURES and _PHOTO.match(path.stem) is not None)
    return shows and not item_of(path.stem)


def _is_readme(name: str) -> bool:
    return Path(name).stem.lower() == "readme"


def _answers(text: str, suffix: str) -> bool:
    """Whether a text without the name of a report says which questions it answers."""
    if suffix != ".py":
        return "\0" not in text and names_a_question(text)
    return _SCRIPT.search(text) is not None or names_a_question(_said_in(text))


def _said_in(code: str) -> str:
    """The comments and longer texts of a Python file, or all of one that cannot be read as such."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return code
    texts = (token.string for token in tokens if token.type == tokenize.STRING and "\n" in token.string)
    comments = (token.string for token in tokens if token.type == tokenize.COMMENT)
    return "\n".join([*comments, *(text.strip("rRbBuUfF\"'") for text in texts)])

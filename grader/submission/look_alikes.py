"""A file of the assignment that is missing may be there under another name: then a person looks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches

from grader.submission.model import GIVEN_NAMES, MAX_FILE_BYTES, NAMED_FILES, Contents
from grader.submission.names import is_clutter
from grader.submission.places import DEFINED, PLACES, Place, shown_place, spelled
from grader.submission.shown import Beside

# What is looked into, to see whether it defines what is missing.
CODE = Beside("", (), (), False, "file", "read", MAX_FILE_BYTES, 40, 8 * MAX_FILE_BYTES)
Read = Callable[[Sequence[Place]], Iterable[tuple[Place, bytes]]]  # those files that can be read

_DEFINITIONS = {
    file: re.compile(rf"\b(?:def|class)[ \t]+(?:{names})\b".encode()) for file, names in DEFINED.items()
}
_TEXT = re.compile(r"[^.]*|.*\.(?:pyw?|pyi|ipynb|txt|text|md|rst|bak|orig|old|py[~.].*)", re.DOTALL)
# What browsers, editors and students make of a Python file: no pictures, which have such names by right.
_SUFFIXES = frozenset(
    (
        *("pyw", "pyc", "pyi", "ipynb", "txt", "text", "md", "rst", "rtf", "doc", "docx", "odt", "pages"),
        *("html", "htm", "bak", "orig", "old", "save"),
    )
)
_WORDS = {tuple(re.findall("[a-z]+", name.removesuffix(".py"))): name for name in PLACES}
_LETTERS = {"".join(words): name for words, name in _WORDS.items()}
_OF_A_COPY = frozenset(("copy", "of", "kopie", "van", "von", "kopi", "kopia", "copie", "copia", "de", "part"))
_PART = re.compile(r"part[\s_.-]*([12])(?!\d)")
# A slip of the finger: `util`, `utlis`, `modles`; `train` and `main` are further apart.
_SLIP = 0.8


def with_look_alikes(contents: Contents, root: Place, files: Iterable[Place], read: Read) -> Contents:
    """Where a file is missing that may be there under another name, let a person look.

    Args:
        contents: what was read.
        root: the folder of the parts, or of the files themselves.
        files: all that is there.
        read: reads some of them.
    """
    missing = [file for file in NAMED_FILES if file not in contents.files]
    if not missing or contents.review:
        return contents
    meant: dict[str, Place] = {}
    near = sorted(path for path in files if _is_near(path, root))
    for path in near:
        file = PLACES.get(meant_name(path[-1]), "")
        if file in missing and _may_hold(path[len(root) : -1], file):
            meant.setdefault(file, path)
    known = set(contents.files.values())
    given = GIVEN_NAMES - PLACES.keys()
    texts = [path for path in near if _TEXT.fullmatch(path[-1]) and path[-1] not in given]
    for path, content in read(texts[: CODE.most_files]):
        for file in missing:
            defines = content not in known and _DEFINITIONS[file].search(content)
            if defines and _may_hold(path[len(root) : -1], file):
                meant.setdefault(file, path)
    if not meant:
        return contents
    told = ", ".join(
        f"{file} is missing, and {shown_place(path)} may be it" for file, path in sorted(meant.items())
    )
    return replace(contents, warnings=(*contents.warnings, told), review=told)


def _is_near(path: Place, root: Place) -> bool:
    """Whether a file lies where students put those of the assignment."""
    return path[: len(root)] == root and len(path) - len(root) <= 2 and not is_clutter(path[-1])


def _may_hold(folder: Place, file: str) -> bool:
    """Whether a folder is not that of the other part."""
    return not folder or spelled(folder[0]) in ("", file.partition("/")[0])


def meant_name(name: str) -> str:
    """The name of the assignment's file that a browser, an editor or a slip has made this one of, if any.

    `utils (1).py`, `Copy of utils.py`, `utils.py.txt`, `UTILS.PY`, `part1_utils.py` and `utlis.py` come from
    `utils.py`; `part2_utils.py` does not, nor does `my_utils.py`.
    """
    if name in PLACES:
        return ""
    first, *rest = unicodedata.normalize("NFKD", name).casefold().strip().split(".")
    rest = [piece.strip("~ ") for piece in rest]
    if "py" in rest:  # whatever follows it: `utils.py.save`
        rest = rest[: rest.index("py")]
    elif rest and rest.pop() not in _SUFFIXES:
        return ""
    plain = ".".join((first, *rest))
    words = tuple(word for word in re.findall("[a-z]+", plain) if word not in _OF_A_COPY)
    slips = get_close_matches(words[0], _LETTERS, 1, _SLIP) if len(words) == 1 else []
    known = _WORDS.get(words, _LETTERS[slips[0]] if slips else "")
    part = _PART.search(plain)
    return "" if part and known and not PLACES[known].startswith(f"part{part[1]}/") else known

"""What is read of a submission beside its code: the report for people to look at, or a training's evidence.

Neither decides a mark, so nothing about them makes a submission unreadable: what is too large, too much or no
plain file is left out, and one line says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.submission.model import (
    MAX_EVIDENCE_BYTES,
    MAX_EVIDENCE_FILES,
    MAX_EVIDENCE_TOTAL,
    MAX_SHOWN_BYTES,
    MAX_SHOWN_FILES,
    MAX_SHOWN_TOTAL,
)
from grader.submission.names import is_clutter
from grader.text import printable

FOLDER = "figures"
DEPTH = 3  # folders down from the top, `figures` among them
SUFFIXES = (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp", ".pdf")
NOTEBOOK = ".ipynb"


@dataclass(frozen=True)
class Beside:
    """What may be read beside the code, and how much of it.

    Attributes:
        folder: where it lies, beside the parts.
        suffixes: of its files.
        beginnings: of the names of files that have no suffix of their own.
        notebooks: whether those beside the parts belong to it.
        kind: what a message calls a file of it.
        use: what becomes of it.
        most_bytes: of a file.
        most_files: in all.
        most_total: bytes in all.
    """

    folder: str
    suffixes: tuple[str, ...]
    beginnings: tuple[str, ...]
    notebooks: bool
    kind: str
    use: str
    most_bytes: int
    most_files: int
    most_total: int


FIGURES = Beside(
    FOLDER, SUFFIXES, (), True, "figure", "shown", MAX_SHOWN_BYTES, MAX_SHOWN_FILES, MAX_SHOWN_TOTAL
)
EVIDENCE = Beside(
    "evidence",
    (".safetensors", ".csv", ".json", ".ckpt"),
    ("events.out.tfevents.",),
    False,
    "evidence file",
    "read",
    MAX_EVIDENCE_BYTES,
    MAX_EVIDENCE_FILES,
    MAX_EVIDENCE_TOTAL,
)


def is_shown(inside: Sequence[str], what: Beside = FIGURES) -> bool:
    """Whether a path below the folder that holds the parts is one of these files."""
    name = inside[-1].lower() if inside else ""
    if any(is_clutter(part) for part in inside):
        return False
    if len(inside) == 1:
        return what.notebooks and name.endswith(NOTEBOOK)
    known = name.endswith(what.suffixes) or name.startswith(what.beginnings)
    return 1 < len(inside) <= DEPTH and inside[0] == what.folder and known


def may_be_code(name: str) -> bool:
    """Whether a notebook may hold the code, as in Colab: its name is not that of the report."""
    return name.lower().endswith(NOTEBOOK) and "report" not in name.lower()


def refusal(name: str, reason: str, what: Beside = FIGURES) -> str:
    """The line about a file that was left out."""
    return f"{what.kind} {printable(name, 80)}: it is not {what.use}: {reason}"


class Budget:
    """How much may still be read. Names that come first count first.

    Attributes:
        remarks: one line for each file that was left out.
    """

    def __init__(self, what: Beside = FIGURES) -> None:
        self.remarks: list[str] = []
        self.what = what
        self._left = what.most_total

    def refuse(self, name: str, reason: str) -> None:
        """Note that a file was left out."""
        self.remarks.append(refusal(name, reason, self.what))

    def few(self, names: Iterable[str]) -> list[str]:
        """As many names as may be read, notebooks first."""
        ordered = sorted(names, key=lambda name: (not name.lower().endswith(NOTEBOOK), name))
        most = self.what.most_files
        if len(ordered) > most:
            self.refuse(ordered[most], f"only {most} files are read, {len(ordered) - most} were not")
        return ordered[:most]

    @property
    def limit(self) -> int:
        """How many bytes the next file may have."""
        return min(self.what.most_bytes, self._left)

    def take(self, name: str, content: bytes) -> bool:
        """Whether a file that was read up to one byte beyond the limit is kept."""
        if len(content) <= self.limit:
            self._left -= len(content)
            return True
        most, in_all = self.what.most_bytes // 10**6, self.what.most_total // 10**6
        article = "an" if self.what.kind.startswith("e") else "a"
        self.refuse(name, f"{article} {self.what.kind} may have {most} MB, and all together {in_all} MB")
        return False

"""Which files of a submission belong to its report: figures and notebooks, read for people to look at.

They decide no mark, so nothing about them makes a submission unreadable: what is too large, too much or no
plain file is left out, and one line says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader.submission.model import MAX_SHOWN_BYTES, MAX_SHOWN_FILES, MAX_SHOWN_TOTAL
from grader.submission.names import is_clutter
from grader.text import printable

FOLDER = "figures"
DEPTH = 3  # folders down from the top, `figures` among them
SUFFIXES = (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp", ".pdf")
NOTEBOOK = ".ipynb"


def is_shown(inside: Sequence[str]) -> bool:
    """Whether a path below the folder that holds the parts is a figure, or a notebook beside the parts."""
    name = inside[-1] if inside else ""
    if any(is_clutter(part) for part in inside):
        return False
    if len(inside) == 1:
        return name.lower().endswith(NOTEBOOK)
    return 1 < len(inside) <= DEPTH and inside[0] == FOLDER and name.lower().endswith(SUFFIXES)


def may_be_code(name: str) -> bool:
    """Whether a notebook may hold the code, as in Colab: its name is not that of the report."""
    return name.lower().endswith(NOTEBOOK) and "report" not in name.lower()


def refusal(name: str, reason: str) -> str:
    """The line about a file that was left out."""
    return f"figure {printable(name, 80)}: it is not shown: {reason}"


class Budget:
    """How much may still be read. Names that come first count first.

    Attributes:
        remarks: one line for each file that was left out.
    """

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self._left = MAX_SHOWN_TOTAL

    def few(self, names: Iterable[str]) -> list[str]:
        """As many names as may be read, notebooks first."""
        ordered = sorted(names, key=lambda name: (not name.lower().endswith(NOTEBOOK), name))
        if len(ordered) > MAX_SHOWN_FILES:
            more = len(ordered) - MAX_SHOWN_FILES
            self.remarks.append(
                refusal(ordered[MAX_SHOWN_FILES], f"only {MAX_SHOWN_FILES} files are read, {more} were not")
            )
        return ordered[:MAX_SHOWN_FILES]

    @property
    def limit(self) -> int:
        """How many bytes the next file may have."""
        return min(MAX_SHOWN_BYTES, self._left)

    def take(self, name: str, content: bytes) -> bool:
        """Whether a file that was read up to one byte beyond the limit is kept."""
        if len(content) <= self.limit:
            self._left -= len(content)
            return True
        most, in_all = MAX_SHOWN_BYTES // 10**6, MAX_SHOWN_TOTAL // 10**6
        self.remarks.append(refusal(name, f"a figure may have {most} MB, and all together {in_all} MB"))
        return False

"""How a status, points and names look on a page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from grader.evidence.facts import Verdict
from grader.marking import result as status
from grader.report.marks_csv import number
from grader.report.status_style import STATUS_STYLES
from grader.text import readable

# The class of a status in the style sheet. Short, since a cohort's table holds thousands.
_CLASSES = {
    status.PASSED: "p",
    status.PARTIAL: "a",
    status.FAILED: "f",
    status.NOT_IMPLEMENTED: "n",
    status.NOT_SUBMITTED: "m",
    status.GRADER_ERROR: "g",
}


@dataclass(frozen=True)
class PageStyle:
    """A status as a word, a sign and a class: none is told by colour alone."""

    word: str
    sign: str
    css: str


PAGE_STYLES = {
    key: PageStyle("not marked" if key == status.GRADER_ERROR else look.word, look.sign, _CLASSES[key])
    for key, look in STATUS_STYLES.items()
}


# Class of what the evidence says, which stands there in words, too.
EVIDENCE_STYLES = {
    Verdict.SUPPORTED: _CLASSES[status.PASSED],
    Verdict.CONTRADICTED: _CLASSES[status.FAILED],
    Verdict.NOT_CHECKABLE: _CLASSES[status.PARTIAL],
    Verdict.ABSENT: _CLASSES[status.NOT_SUBMITTED],
}


def points(value: float) -> str:
    """Points rounded to two places: `1.5`, `0.38`."""
    return number(round(value, 2))


def link(*parts: str) -> str:
    """A relative address. The leading dot keeps a name with a colon from being a scheme."""
    return "./" + "/".join(quote(part.encode("utf-8", "surrogateescape"), safe="") for part in parts)


def on_one_line(text: str, limit: int = 2000) -> str:
    """Text that students influence, on one line, without control and direction characters."""
    return readable(" ".join(text.split()), limit)

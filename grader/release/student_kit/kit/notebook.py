"""Reads report.ipynb as the grader does: which answers are written, and which pictures it will not find."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

EMPTY = "YOUR ANSWER HERE"
_QUESTION = re.compile(r"#+ Question (\d+\.\d+)\b")
_PICTURE = re.compile(
    r"!\[[^\]]*\]\(\s*<?([^)\s>]+)|<img\b[^>]*?\bsrc\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE
)
_FIGURE = re.compile(r"(?:\./)?figures/([^/\\]+)")


@dataclass
class Report:
    """What stands in the report.

    Attributes:
        answers: how many are to be written.
        blank: those that are not, with their points, by the item's id.
        nameless: how many are known by the question above them only.
        figures: names of the files in `figures/` that it shows.
        dropped: pasted pictures that it shows and does not hold, each with its question.
        elsewhere: pictures that it shows from somewhere else than `figures/`.
    """

    answers: int
    blank: dict[str, float] = field(default_factory=dict)
    nameless: int = 0
    figures: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def read_report(path: Path, items: list[dict[str, Any]]) -> Report:
    """Read a notebook.

    Args:
        path: of the notebook.
        items: those of `tests/points.json` that a person marks.

    Raises:
        OSError, ValueError, KeyError, TypeError, AttributeError: it cannot be read as a notebook.
    """
    report = Report(len(items))
    named: dict[object, str] = {}
    unwritten, asked = set[str](), set[str]()
    question = ""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        about = cell.get("metadata", {}).get("nbgrader", {})
        for name in (about.get("grade_id"), cell.get("id")):
            named.setdefault(name, text)
        if cell["cell_type"] != "markdown":
            continue
        for line in text.splitlines():
            if heading := _QUESTION.match(line):
                question = heading[1]
                asked.add(question)
            elif line.strip() == EMPTY:
                unwritten.add(question)
        _look_at_pictures(text, cell.get("attachments") or {}, question, report)
    for item in items:
        name, of = "q" + item["id"].replace(".", "-"), ".".join(item["id"].split(".")[:2])
        if name in named:
            is_blank = named[name].strip() in ("", EMPTY)
        else:
            is_blank = of in unwritten or of not in asked
            report.nameless += 1
        if is_blank:
            report.blank[item["id"]] = float(item["points"])
    return report


def _look_at_pictures(text: str, attachments: dict[str, Any], question: str, report: Report) -> None:
    """Note what a cell shows."""
    for found in _PICTURE.finditer(text):
        address = unquote(found[1] or found[2])
        kind, _, name = address.partition(":")
        if kind == "attachment":
            if name not in {unquote(known) for known in attachments}:
                report.dropped.append(f"{name} (question {question})" if question else name)
        elif figure := _FIGURE.fullmatch(address):
            report.figures.append(figure[1])
        elif kind != "data":
            report.elsewhere.append(address)
    for names in (report.figures, report.dropped, report.elsewhere):
        names[:] = dict.fromkeys(names)

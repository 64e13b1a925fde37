"""What of a submission may hold written answers: its notebooks, and reports in other forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from grader.files import read_regular
from grader.gradebook.documents import Document, find_documents
from grader.gradebook.handed_in import (
    UNREADABLE,
    BrokenNotebook,
    HandedInCell,
    find_all_notebooks,
    find_notebooks,
    read_cells,
    read_notebook,
)
from grader.release.bundle import KIT
from grader.text import listed, printable


@dataclass(frozen=True)
class Report:
    """A notebook that was handed in.

    Attributes:
        path: where it lies.
        cells: what could be read of it.
        damaged: whether that is not all.
    """

    path: Path
    cells: list[HandedInCell]
    damaged: bool = False


@dataclass
class Reports:
    """All that may hold answers.

    Attributes:
        notebooks: those of which something could be read.
        spare: those that count only for what no other answers: hidden, in deep folders, saved meanwhile.
        texts: reports in other forms.
        unread: names of the files that a person has to look into: not all of them could be read.
        notes: what a person should know, one line each.
    """

    notebooks: list[Report] = field(default_factory=list)
    spare: list[Report] = field(default_factory=list)
    texts: list[Document] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@cache
def _given_texts() -> frozenset[str]:
    """The texts of the notebook for Colab, which lies beside report.ipynb in every student's folder."""
    return frozenset(cell.source.strip() for cell in read_cells(KIT / "colab.ipynb") if not cell.code)


def _is_given(cells: list[HandedInCell]) -> bool:
    """Whether a notebook holds no text but that of the one for Colab, whose code students may edit."""
    texts = {text for cell in cells if not cell.code and (text := cell.source.strip())}
    return bool(texts) and texts <= _given_texts()


def read_reports(raw: Path) -> Reports:
    """Read every notebook and report of a submission; what cannot be read is named.

    Args:
        raw: the submission as it was handed in.
    """
    reports = Reports()
    paths = find_notebooks(raw)
    for path in dict.fromkeys([*paths, *find_all_notebooks(raw)]):
        found = reports.notebooks if path in paths else reports.spare
        shown = printable(path.relative_to(raw).as_posix())
        try:
            read = read_notebook(path)
        except BrokenNotebook as error:
            reports.unread.append(shown)
            rest = f"; {len(error.cells)} cells could be read, and are shown" if error.cells else ""
            reports.notes.append(f"{shown}: cannot be read, it {error}{rest}")
            if error.cells:
                found.append(Report(path, error.cells, damaged=True))
            continue
        if _is_given(read.cells):
            continue
        reports.unread += [shown] if read.remarks else []
        reports.notes += [f"{shown}: {remark}" for remark in read.remarks]
        found.append(Report(path, read.cells, damaged=bool(read.remarks)))
    reports.texts = find_documents(raw)
    names = [document.path.relative_to(raw).as_posix() for document in reports.texts]
    if not paths:
        reports.notes.append("no notebook was handed in")
    if names:
        reports.unread += [printable(name) for name in names]
        what = "a report in another form" if len(names) == 1 else "reports in other forms"
        kept = "kept in collected, and blank answers wait for a person"
        reports.notes.append(f"{what}: {listed(names)}; {kept}")
    for path in sorted((*raw.glob(UNREADABLE), *raw.glob(f"*/{UNREADABLE}"))):
        reports.unread.append("a download that could not be unpacked")
        try:
            reason = read_regular(path, 10_000).decode("utf-8", "replace").strip().removeprefix("# ")
        except OSError:
            continue
        reports.notes.append(f"the download could not be unpacked: {printable(reason)}")
    return reports

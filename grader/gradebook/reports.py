"""What of a submission may hold written answers: its notebooks, and reports in other forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from grader.files import read_regular
from grader.gradebook.documents import find_documents
from grader.gradebook.handed_in import (
    UNREADABLE,
    BrokenNotebook,
    HandedInCell,
    find_all_notebooks,
    find_notebooks,
    read_cells,
    read_notebook,
)
from grader.gradebook.packed import Unpacked
from grader.release.bundle import KIT
from grader.text import listed, printable


@dataclass(frozen=True)
class Report:
    """A notebook that was handed in.

    Attributes:
        path: where it lies.
        name: its place in the submission, for people.
        cells: what could be read of it.
        damaged: whether that is not all.
    """

    path: Path
    name: str
    cells: list[HandedInCell]
    damaged: bool = False


@dataclass
class Reports:
    """All that may hold answers.

    Attributes:
        notebooks: those of which something could be read.
        spare: those that count only for what no other answers: hidden, in deep folders or
            archives, saved meanwhile.
        texts: reports in other forms, by name; None for one that only a person reads.
        unread: names of the files that a person has to look into: not all of them could be read.
        notes: what a person should know, one line each.
    """

    notebooks: list[Report] = field(default_factory=list)
    spare: list[Report] = field(default_factory=list)
    texts: dict[str, HandedInCell | None] = field(default_factory=dict)
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


def read_reports(raw: Path, within: Unpacked | None = None) -> Reports:
    """Read every notebook and report of a submission; what cannot be read is named.

    Args:
        raw: the submission as it was handed in.
        within: what archives in it hold.
    """
    reports = Reports()
    first = find_notebooks(raw)
    notebooks = {path: _name(path, raw) for path in (*first, *find_all_notebooks(raw))}
    documents = {_name(document.path, raw): document.cell for document in find_documents(raw)}
    if within is not None:
        notebooks |= {path: _name(path, within.folder) for path in find_all_notebooks(within.folder)}
        found = find_documents(within.folder)
        documents |= {_name(document.path, within.folder): document.cell for document in found}
    for path, name in notebooks.items():
        _read(path, name, reports, reports.notebooks if path in first else reports.spare)
    reports.texts = documents
    if not notebooks:
        reports.notes.append("no notebook was handed in")
    if documents:
        reports.unread += documents
        what = "a report in another form" if len(documents) == 1 else "reports in other forms"
        kept = "kept in collected, and blank answers wait for a person"
        reports.notes.append(f"{what}: {listed(documents)}; {kept}")
    for name, reason in within.closed.items() if within is not None else ():
        reports.unread.append(printable(name))
        why = f"could not be read ({printable(reason)})"
        reports.notes.append(f"{printable(name)}: may hold a report, and {why}; blank answers wait")
    for path in sorted((*raw.glob(UNREADABLE), *raw.glob(f"*/{UNREADABLE}"))):
        reports.unread.append("a download that could not be unpacked")
        try:
            reason = read_regular(path, 10_000).decode("utf-8", "replace").strip().removeprefix("# ")
        except OSError:
            continue
        reports.notes.append(f"the download could not be unpacked: {printable(reason)}")
    return reports


def _read(path: Path, name: str, reports: Reports, found: list[Report]) -> None:
    """Read one notebook to those that were found, and note what is wrong with it."""
    try:
        read = read_notebook(path)
    except BrokenNotebook as error:
        reports.unread.append(name)
        rest = f"; {len(error.cells)} cells could be read, and are shown" if error.cells else ""
        reports.notes.append(f"{name}: cannot be read, it {error}{rest}")
        if error.cells:
            found.append(Report(path, name, error.cells, damaged=True))
        return
    if _is_given(read.cells):
        return
    reports.unread += [name] if read.remarks else []
    reports.notes += [f"{name}: {remark}" for remark in read.remarks]
    found.append(Report(path, name, read.cells, damaged=bool(read.remarks)))


def _name(path: Path, folder: Path) -> str:
    return printable(path.relative_to(folder).as_posix())

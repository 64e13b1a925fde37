"""Rebuilds a submission's notebook from the released one.

Of what a student handed in, only the written answers and their pictures are carried over. Outputs, metadata,
changes of locked cells and copies of cells do not come along, so that nothing a student does to a notebook
can stop nbgrader or change a mark. What stands in cells of the student's own is shown beneath the cell it
followed.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from grader.gradebook.handed_in import HandedInCell
from grader.submission.names import listed

LOOK_BELOW = "*(This cell was left empty or deleted. The student wrote in cells of their own: see below.)*"
LOOK_ELSEWHERE = (
    "*(The notebook that was handed in cannot be read. It lies in the course's folder, under collected.)*"
)
EXTRA = "*(A cell of the student's own, not an answer cell:)*"


@dataclass(frozen=True)
class Rebuilt:
    """A rebuilt notebook.

    Attributes:
        notebook: what nbgrader gets.
        known: how many of the submission's cells belong to the released notebook.
        notes: what a person should know, one line each.
    """

    notebook: NotebookNode
    known: int
    notes: tuple[str, ...]


def answered(released: NotebookNode, cells: Sequence[HandedInCell]) -> int:
    """How many answers a notebook gives: by this the right one of several is chosen."""
    empty = {name: cell.source.strip() for name, cell in _answer_cells(released).items()}
    return len(
        {
            cell.grade_id
            for cell in cells
            if cell.grade_id in empty and cell.source.strip() not in ("", empty[cell.grade_id])
        }
    )


def rebuild(released: NotebookNode, cells: Sequence[HandedInCell]) -> Rebuilt:
    """The released notebook with the answers of a submission.

    Args:
        released: as nbgrader released it, with checksums.
        cells: what was handed in; none for a submission without a notebook.
    """
    notebook = copy.deepcopy(released)
    answers = _answer_cells(notebook)
    places = {
        cell.metadata.nbgrader.grade_id: number for number, cell in enumerate(notebook.cells) if _named(cell)
    }
    notes: list[str] = []
    chosen, extras, copied = _sort_out(cells, answers, places)
    for name, cell in chosen.items():
        _fill(answers[name], cell)
    for name in answers.keys() - chosen.keys():
        below = [cell for place, cell in extras if _answer_at(notebook, place) == name]
        if below:
            answers[name].source = LOOK_BELOW
    changed = _changed(notebook, cells)
    missing = sorted(places.keys() - {cell.grade_id for cell in cells})
    if cells:
        if copied:
            notes.append(f"cells that are there more than once: {listed(copied)}; all their texts are shown")
        if changed:
            notes.append(f"read-only cells that were changed, and restored: {listed(changed)}")
        if missing:
            notes.append(f"cells that were deleted, and restored: {listed(missing)}")
        if extras:
            notes.append(f"{len(extras)} cells of the student's own, shown where they stood")
    for place, cell in reversed(extras):
        notebook.cells.insert(place + 1, _extra(cell))
    known = sum(cell.grade_id in places for cell in cells)
    _number_cells(notebook)
    return Rebuilt(notebook, known, tuple(notes))


def unreadable(released: NotebookNode) -> Rebuilt:
    """The released notebook for a submission whose own cannot be read: every answer waits for a person."""
    notebook = copy.deepcopy(released)
    for cell in _answer_cells(notebook).values():
        cell.source = LOOK_ELSEWHERE
    return Rebuilt(notebook, 0, ())


def _named(cell: NotebookNode) -> bool:
    return "grade_id" in cell.metadata.get("nbgrader", {})


def _answer_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {
        cell.metadata.nbgrader.grade_id: cell
        for cell in notebook.cells
        if _named(cell) and cell.metadata.nbgrader.get("solution")
    }


def _sort_out(
    cells: Sequence[HandedInCell], answers: dict[str, NotebookNode], places: dict[str, int]
) -> tuple[dict[str, HandedInCell], list[tuple[int, HandedInCell]], list[str]]:
    """Which cell is the answer, and which stand beside the released notebook, each with its place there.

    Returns:
        The answers that were given, by name; the other cells with text; the names that occur twice.
    """
    chosen: dict[str, HandedInCell] = {}
    extras: list[tuple[int, HandedInCell]] = []
    copied: list[str] = []
    seen: set[str] = set()
    place = -1
    for cell in cells:
        name = cell.grade_id
        if name in places:
            place = places[name]
            if name in seen and name not in copied:
                copied.append(name)
            seen.add(name)
        empty = cell.source.strip() in ("", answers[name].source.strip()) if name in answers else False
        if name in answers:
            if empty:
                continue
            if name not in chosen:
                chosen[name] = cell
            elif cell.source != chosen[name].source:
                extras.append((place, cell))
        elif name not in places and (cell.source.strip() or cell.attachments):
            extras.append((place, cell))
    return chosen, extras, copied


def _answer_at(notebook: NotebookNode, place: int) -> str:
    """The answer that a cell at this place must be meant for: that of the place itself, or the next one."""
    for cell in notebook.cells[max(place, 0) :]:
        if _named(cell) and cell.metadata.nbgrader.get("solution"):
            return cell.metadata.nbgrader.grade_id
        if _named(cell) and cell.metadata.nbgrader.get("grade"):
            return ""
    return ""


def _changed(notebook: NotebookNode, cells: Sequence[HandedInCell]) -> list[str]:
    """The read-only cells whose text a student changed."""
    read_only = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in notebook.cells
        if _named(cell) and not cell.metadata.nbgrader.get("solution")
    }
    return sorted(
        {
            cell.grade_id
            for cell in cells
            if cell.grade_id in read_only and cell.source.strip() != read_only[cell.grade_id].strip()
        }
    )


def _fill(answer: NotebookNode, cell: HandedInCell) -> None:
    answer.source = _shown(cell) if cell.code else cell.source
    if cell.attachments:
        answer.attachments = NotebookNode(cell.attachments)


def _extra(cell: HandedInCell) -> NotebookNode:
    extra = new_markdown_cell(f"{EXTRA}\n\n{_shown(cell) if cell.code else cell.source}")
    if cell.attachments:
        extra.attachments = NotebookNode(cell.attachments)
    extra.metadata.grader = NotebookNode(extra=True)
    return extra


def _shown(cell: HandedInCell) -> str:
    """A code cell as Markdown: its text, not to be run, and the pictures it had drawn."""
    fence = "```"
    while fence in cell.source:
        fence += "`"
    pictures = "".join(f"\n\n![{name}](attachment:{name})" for name in cell.attachments)
    return (f"{fence}python\n{cell.source}\n{fence}" if cell.source.strip() else "") + pictures


def _number_cells(notebook: NotebookNode) -> None:
    """Ids for the cells that were added: the same ones for the same notebook."""
    for number, cell in enumerate(notebook.cells):
        if not _named(cell):
            cell.id = f"extra-{number}"

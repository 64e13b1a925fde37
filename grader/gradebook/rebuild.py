"""Rebuilds a submission's notebook from the released one.

Of what a student handed in, only texts and their pictures are carried over: the answers into their cells,
and what was typed anywhere else beneath the cell that it followed. Outputs, metadata and changes of locked
cells do not come along, so that nothing a student does to a notebook can stop nbgrader or change a mark.

A blank answer is 0 without a person, by nbgrader, only while it reads as released. It does not where the
student wrote anything outside the answer cells, for that may be the answer.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from grader.gradebook.align import Alignment, Kind, Piece, align
from grader.gradebook.handed_in import HandedInCell
from grader.gradebook.released_notebook import Released
from grader.text import listed, printable

LOOK_BELOW = (
    "*(This cell was left empty or deleted. The student wrote outside the answer cells: see the cells around "
    "it.)*"
)
LOOK_THROUGH = (
    "*(This cell was left empty or deleted. The student wrote outside the answer cells, at {where}: that may "
    "be meant for it.)*"
)
LOOK_WITHIN = (
    "*(This cell was left empty or deleted. The answer may stand within that to {where}, which goes on to "
    "other questions.)*"
)
LOOK_ELSEWHERE = (
    "*(This cell was left empty or deleted. The answer may be in {where}, which lies in the course's folder, "
    "under collected or downloaded.)*"
)
EXTRA = "*(A cell of the student's own, not an answer cell:)*"
TYPED = "*(Typed by the student into the cell above, which is not for answers:)*"
FROM_ANOTHER = "*(From another file that was handed in, {name}:)*"


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


@dataclass(frozen=True)
class _Shown:
    """A text that is shown outside the answer cells, with what is said about it."""

    piece: Piece
    label: str


def answered(released: NotebookNode | Released, cells: Sequence[HandedInCell]) -> int:
    """How many answers a notebook gives: by this the right one of several is chosen."""
    return len(align(_view(released), cells).answers)


def known_cells(released: NotebookNode | Released, cells: Sequence[HandedInCell]) -> int:
    """How many cells of a notebook are of this assignment."""
    return align(_view(released), cells).known


def adds(
    released: NotebookNode | Released, cells: Sequence[HandedInCell], others: Iterable[Sequence[HandedInCell]]
) -> bool:
    """Whether a notebook may hold an answer that others do not give."""
    view = _view(released)
    missing = view.answers.keys() - {name for cells in others for name in align(view, cells).answers}
    if not missing:
        return False
    found = align(view, cells)
    return not missing.isdisjoint(found.answers) or any(not piece.is_a_tools for piece in found.pieces)


def rebuild(
    released: NotebookNode | Released,
    cells: Sequence[HandedInCell],
    elsewhere: Sequence[str] = (),
    others: Mapping[str, Sequence[HandedInCell]] | None = None,
) -> Rebuilt:
    """The released notebook with the answers of a submission.

    Args:
        released: as nbgrader released it, with checksums; with earlier releases, or alone.
        cells: what was handed in; none for a submission without a notebook.
        elsewhere: files that may hold answers and are not, or not wholly, shown.
        others: further notebooks and reports of the submission, by their names; what they say besides is
            shown, too.
    """
    view = _view(released)
    notebook = copy.deepcopy(view.notebook)
    found = align(view, cells)
    by_name = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells}
    shown = [_Shown(piece, TYPED if piece.kind is Kind.TYPED else EXTRA) for piece in found.pieces]
    shown += _of_others(view, found, others or {})
    for name, cell in found.answers.items():
        _fill(by_name[name], cell)
    blank = [name for name in view.answers if name not in found.answers]
    written = [text.piece for text in shown if not text.piece.is_a_tools]
    for name in blank:
        if text := _why_not_blank(view, found, name, written, elsewhere):
            by_name[name].source = text
    _remember_what_stands_around(view, by_name, shown, blank)
    _insert(notebook, shown)
    _number_cells(notebook)
    return Rebuilt(notebook, found.known, tuple(_notes(view, found, blank, written) if cells else ()))


def _view(released: NotebookNode | Released) -> Released:
    return released if isinstance(released, Released) else Released(released)


def _of_others(
    view: Released, found: Alignment, others: Mapping[str, Sequence[HandedInCell]]
) -> list[_Shown]:
    """What other notebooks of this assignment say, and the one that counts does not."""
    said = {cell.source.strip() for cell in found.answers.values()}
    said |= {piece.cell.source.strip() for piece in found.pieces}
    shown = []
    for name, cells in others.items():
        another = align(view, cells)
        pieces = [Piece(view.places[answer], Kind.COPY, cell) for answer, cell in another.answers.items()]
        for piece in [*pieces, *another.pieces]:
            if piece.cell.source.strip() not in said:
                said.add(piece.cell.source.strip())
                shown.append(_Shown(piece, FROM_ANOTHER.format(name=_plain(name))))
    return shown


def _why_not_blank(
    view: Released, found: Alignment, name: str, written: Sequence[Piece], elsewhere: Sequence[str]
) -> str:
    """What stands in the place of a blank answer that waits for a person; empty for one that does not."""
    if any(view.answer_near(piece.place) == name for piece in written):
        return LOOK_BELOW
    if holders := [holder for holder, others in found.within.items() if name in others]:
        return LOOK_WITHIN.format(where=listed({view.question(view.places[holder]) for holder in holders}))
    if elsewhere:
        return LOOK_ELSEWHERE.format(where=_plain(listed(elsewhere)))
    if written:
        return LOOK_THROUGH.format(where=listed({view.question(piece.place) for piece in written}))
    return ""


def _remember_what_stands_around(
    view: Released, by_name: Mapping[str, NotebookNode], shown: Sequence[_Shown], blank: Sequence[str]
) -> None:
    """Note for each answer the texts that may belong to it: when they change, it is to be marked again."""
    for name in view.answers:
        around = [
            text.piece.cell for text in shown if name in blank or view.answer_near(text.piece.place) == name
        ]
        if around:
            texts = repr([(cell.source, sorted(cell.attachments)) for cell in around])
            by_name[name].metadata.grader = NotebookNode(around=sha256(texts.encode()).hexdigest())


def _notes(view: Released, found: Alignment, blank: Sequence[str], written: Sequence[Piece]) -> list[str]:
    notes = []
    if found.unnamed:
        notes.append(f"{found.unnamed} cells had lost nbgrader's metadata, and were found by text and place")
    if found.copied:
        notes.append(
            f"cells that are there more than once: {listed(found.copied)}; all their texts are shown"
        )
    if found.changed:
        notes.append(f"read-only cells that were changed, and restored: {listed(found.changed)}")
    if missing := view.places.keys() - found.found:
        notes.append(f"cells that were deleted, and restored: {listed(missing)}")
    typed = {view.names[piece.place] for piece in written if piece.kind is Kind.TYPED and piece.place >= 0}
    if typed:
        notes.append(f"text that was typed into read-only cells, shown beneath them: {listed(typed)}")
    own = sum(piece.kind is not Kind.TYPED for piece in written)
    if own:
        notes.append(f"{own} cells of the student's own, shown where they stood")
    if found.within:
        notes.append(f"answers that go on to other questions: {listed(found.within)}; blank ones there wait")
    if written and blank:
        notes.append(
            f"{len(blank)} blank answers wait for a person: the text elsewhere may be meant for them"
        )
    return notes


def _fill(answer: NotebookNode, cell: HandedInCell) -> None:
    answer.source = _markdown(cell)
    if cell.attachments:
        answer.attachments = NotebookNode(cell.attachments)


def _insert(notebook: NotebookNode, shown: Sequence[_Shown]) -> None:
    """Put each text beneath the released cell that it followed."""
    beneath: dict[int, list[NotebookNode]] = {}
    for text in shown:
        extra = new_markdown_cell(f"{text.label}\n\n{_markdown(text.piece.cell)}")
        if text.piece.cell.attachments:
            extra.attachments = NotebookNode(text.piece.cell.attachments)
        extra.metadata.grader = NotebookNode(extra=True)
        beneath.setdefault(text.piece.place, []).append(extra)
    notebook.cells = [
        *beneath.get(-1, ()),
        *(
            cell
            for place, released in enumerate(notebook.cells)
            for cell in (released, *beneath.get(place, ()))
        ),
    ]


def _markdown(cell: HandedInCell) -> str:
    """A cell as Markdown: code is not to be run, and pictures that nothing refers to are drawn beneath."""
    parts = []
    if cell.source.strip():
        literal = "python" if cell.code else "text" if cell.raw else ""
        parts.append(_fenced(cell.source, literal) if literal else cell.source)
    if cell.printed.strip():
        parts.append(_fenced(cell.printed, "text"))
    parts += [
        f"![{_plain(name)}](attachment:{quote(name)})"
        for name in cell.attachments
        if not cell.refers_to(name)
    ]
    return "\n\n".join(parts)


def _fenced(text: str, language: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _plain(name: str) -> str:
    """A file's name in Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>()#!|$&])", r"\\\1", printable(name, 400))


def _number_cells(notebook: NotebookNode) -> None:
    """Ids for the cells that were added: the same ones for the same notebook."""
    for number, cell in enumerate(notebook.cells):
        if "grade_id" not in cell.metadata.get("nbgrader", {}):
            cell.id = f"extra-{number}"

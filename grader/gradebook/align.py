"""Aligns a notebook that was handed in with the released one: which cell is which, and what was typed where.

nbgrader knows cells by metadata that editors and converters drop, copy, or leave on a cell whose text is
another one. So cells are known by their name, then by the lines of the released notebook that they hold, then
by their place. A line is the student's own unless it is one of the released notebook; what is shown of a cell
that holds both runs from its first such line to its last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from grader.gradebook.handed_in import HandedInCell
from grader.gradebook.named_questions import lines_of
from grader.gradebook.released_notebook import STRONG, Released, next_place, normalized

_BARE_NUMBER = re.compile(r"\s*[-+]?\d*\.?\d*\s*")
# What tools put into a notebook: Colab into one saved to GitHub, marimo 0.25 into each that it exports.
_TOOLS = re.compile(
    r"<a href=\"https://colab\.research\.google\.com/github/[^\"<>\s]*\" target=\"_parent\">"
    r"<img src=\"https://colab\.research\.google\.com/assets/colab-badge\.svg\" alt=\"Open In Colab\"/></a>"
    r"|import marimo as mo"
)


class Kind(StrEnum):
    """Where a text stands that is in no known answer cell."""

    OWN = "own"  # in a cell of the student's own
    TYPED = "typed"  # in a cell of the released notebook that is none for answers
    COPY = "copy"  # in a second cell of the same answer


@dataclass(frozen=True)
class Piece:
    """A text of the student's outside the answer cells.

    Attributes:
        place: index of the released cell that it followed; -1 before the first.
        kind: where it stood.
        cell: the text, with the pictures of the cell that it stood in.
    """

    place: int
    kind: Kind
    cell: HandedInCell

    @property
    def is_a_tools(self) -> bool:
        """Whether it is known to be a tool's and not the student's."""
        return _TOOLS.fullmatch(self.cell.source.strip()) is not None


@dataclass
class Alignment:
    """What a notebook that was handed in holds.

    Attributes:
        answers: the answers that were given, by the name of their cell.
        pieces: all other texts of the student's, in their order.
        found: names of the released cells that are there, by their name or by their text.
        known: how many of the notebook's cells are known, by either.
        unnamed: how many of these have lost their name.
        changed: names of read-only cells with another text.
        copied: names that several cells have.
        within: answers by name whose text goes on to other questions, with the answers to these.
    """

    answers: dict[str, HandedInCell] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    known: int = 0
    unnamed: int = 0
    changed: set[str] = field(default_factory=set)
    copied: list[str] = field(default_factory=list)
    within: dict[str, set[str]] = field(default_factory=dict)


def align(released: Released, cells: Sequence[HandedInCell]) -> Alignment:
    """Find the answers in a notebook that was handed in, and all else that the student wrote.

    No text gets lost: each line of each cell is one of the released notebook, or in an answer, or in a piece.
    """
    result = Alignment()
    by_text: set[int] = set()  # places of cells that are known by their text only
    candidates: dict[str, list[tuple[int, HandedInCell]]] = {}
    seen: set[str] = set()
    place = -1
    for cell in cells:
        name = _name(released, cell)
        result.known += bool(name)
        if name in seen and name not in result.copied:
            result.copied.append(name)
        if name in released.answers:
            candidates.setdefault(name, []).append((place, cell))
            place = released.places[name] if name not in seen else place
        elif name:
            own = released.places[name]
            start = place if name in seen else own
            if normalized(cell.source) not in released.sources[own]:
                result.changed.add(name)
            if not (name in released.automatic and _BARE_NUMBER.fullmatch(cell.source)):
                pieces, _, _ = _pieces(released, cell, start, own)
                result.pieces += pieces
            place = start
        else:
            place = _take_unnamed(released, cell, place, result, by_text)
        if name:
            seen.add(name)
    result.found = seen | {released.names[found] for found in by_text}
    _choose(released, candidates, result)
    _fill(released, seen, by_text, result)
    for name, cell in result.answers.items():
        if others := _answers_within(released, name, cell):
            result.within[name] = others
    result.pieces.sort(key=lambda piece: piece.place)  # stable: pieces of one place stay in their order
    return result


def _name(released: Released, cell: HandedInCell) -> str:
    """The released cell that a cell says it is: by nbgrader's metadata, or by the notebook format's id."""
    for name in (cell.grade_id, cell.cell_id):
        if name in released.places:
            return name
    return ""


def _take_unnamed(
    released: Released, cell: HandedInCell, place: int, result: Alignment, by_text: set[int]
) -> int:
    """Place a cell without a name; returns the place after it."""
    if not cell.source.strip() and not cell.attachments and not cell.printed.strip():
        return place
    if released.is_blank(cell):  # an answer cell, left empty; of the question above it, if that has one
        name = released.answer_beneath(place + 1)
        if name and released.places[name] == place + 1:
            by_text.add(place + 1)
            result.known += 1
            result.unnamed += 1
            return place + 1
        return place
    pieces, owners, last = _pieces(released, cell, place, None)
    by_text.update(owners)
    result.known += bool(owners)
    result.unnamed += bool(owners)
    result.pieces += pieces
    return last


def _pieces(
    released: Released, cell: HandedInCell, start: int, own: int | None
) -> tuple[list[Piece], set[int], int]:
    """What a student typed into a cell, apart for each of the released cells whose lines stand in it.

    Args:
        released: the released notebook.
        cell: any cell but an answer.
        start: the place that it has.
        own: the released cell whose name it has, if any.

    Returns:
        The pieces, the places of the released cells in it, and the last place.
    """
    owners: set[int] = set()
    runs: list[tuple[int, list[tuple[str, bool]]]] = [(start, [])]  # place, lines, each with: is it typed?
    looked_at, in_code = own if own is not None else start, False
    rewrapped = released.rewrapped(cell.source)
    for number, line in enumerate(cell.source.splitlines(keepends=True)):
        if not line.strip() or normalized(line) in released.empty:
            runs[-1][1].append((line if not line.strip() else "\n", False))
            continue
        in_code ^= line.lstrip().startswith(("```", "~~~"))
        owner = released.owner(line, looked_at, known=own is not None or bool(owners))
        if owner is None:
            owner = next_place(rewrapped.get(number, ()), looked_at)
        if owner is None and own is None and not in_code and not cell.code:
            mentioned = released.mentioned(line)
            if mentioned is not None and released.question(mentioned) != released.question(looked_at):
                runs.append((mentioned, []))
                looked_at = mentioned
        if owner is not None:
            owners.add(owner)
            if owner != looked_at:
                runs.append((owner, []))
            looked_at = owner
        runs[-1][1].append((line, owner is None))
    last = runs[-1][0]
    if own is None and not owners and len(runs) == 1:
        return [Piece(start, Kind.OWN, cell)], owners, last
    kind = Kind.OWN if own is None and not owners else Kind.TYPED
    pieces = [Piece(place, kind, part) for place, lines in runs if (part := _typed(cell, lines))]
    if cell.attachments and not pieces:
        pieces = [Piece(start, kind, replace(cell, source=""))]
    return _with_pictures(pieces, cell), owners, last


def _with_pictures(pieces: list[Piece], cell: HandedInCell) -> list[Piece]:
    """Give each piece of a cell the pictures that it refers to, and the first those that none does.

    pandoc 3.9 makes one cell of a whole document, with all pictures attached to it.
    """
    shown: list[Piece] = []
    rest = {name for name in cell.attachments if not any(piece.cell.refers_to(name) for piece in pieces)}
    for piece in pieces:
        kept = {
            name: bundle
            for name, bundle in cell.attachments.items()
            if piece.cell.refers_to(name) or (name in rest and not shown)
        }
        shown.append(replace(piece, cell=replace(piece.cell, attachments=kept)))
    return shown


def _typed(cell: HandedInCell, lines: list[tuple[str, bool]]) -> HandedInCell | None:
    """The lines from the first that was typed to the last, with the short ones beside them."""
    typed = [number for number, (_, own) in enumerate(lines) if own]
    if not typed:
        return None
    first, last = typed[0], typed[-1]
    while first > 0 and _is_short(lines[first - 1][0]):  # such as the `$$` that opens a formula
        first -= 1
    while last + 1 < len(lines) and _is_short(lines[last + 1][0]):
        last += 1
    return replace(cell, source="".join(line for line, _ in lines[first : last + 1]).strip("\n"))


def _is_short(line: str) -> bool:
    return len(line.strip()) > 0 and len(normalized(line)) < STRONG


def _choose(
    released: Released, candidates: dict[str, list[tuple[int, HandedInCell]]], result: Alignment
) -> None:
    """Take the answers; of several cells of one name that which stands where the answer stood."""
    for name, found in candidates.items():
        given = [(place, cell) for place, cell in found if not released.is_blank(cell)]
        if not given:
            continue
        before = released.places[name] - 1
        place, chosen = min(given, key=lambda candidate: abs(candidate[0] - before))
        result.answers[name] = chosen
        for place, cell in given:
            same = (cell.source, cell.attachments) == (chosen.source, chosen.attachments)
            if not same:
                result.pieces.append(Piece(place, Kind.COPY, cell))


def _fill(released: Released, seen: set[str], by_text: set[int], result: Alignment) -> None:
    """Take as answers those cells without a name that stand where the answer stood, beneath such a cell."""
    for name, place in released.answers.items():
        if name in seen or place in by_text or place - 1 not in by_text:
            continue
        if released.names[place - 1] in seen:
            continue  # only the answer cell is gone: the student deleted it
        here = [piece for piece in result.pieces if piece.place == place - 1]
        first = next((piece for piece in here if piece.kind is Kind.OWN), None)
        if first is None:
            continue
        result.answers[name] = first.cell
        result.found.add(name)
        result.known += 1
        result.unnamed += 1
        later = {id(piece) for piece in here[here.index(first) + 1 :]}
        result.pieces = [
            replace(piece, place=place) if id(piece) in later else piece
            for piece in result.pieces
            if piece is not first
        ]


def _answers_within(released: Released, name: str, cell: HandedInCell) -> set[str]:
    """The answers to other questions that an answer may hold: merged, or beneath their questions' names.

    The text stays in the one cell; that others were left empty is then no reason for 0.
    """
    found: set[str] = set()
    here = range(released.places[name], released.places[name] + 1)
    for line in lines_of(cell.source):
        owner = released.owner(line, here[-1], known=False)
        here = range(owner, owner + 1) if owner is not None else released.named(line) or here
        if owner is None:
            found = found.union(*map(released.answers_to, here))
    return found - released.answers_to(released.places[name])

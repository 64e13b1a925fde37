"""Aligns a notebook that was handed in with the released one: which cell is which, and what was typed where.

nbgrader knows cells by metadata that editors and converters drop, copy, or leave on a cell whose text is
another one. So cells are known by their name, then by the lines of the released notebook that they hold, then
by their place. A line is the student's own unless it is one of the released notebook; what is shown of a cell
that holds both runs from its first such line to its last.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from nbformat import NotebookNode

from grader.gradebook.handed_in import HandedInCell

STRONG = 12  # characters by which a line is known in any cell; a shorter one, such as `$$`, in its own only

_NO_MATTER = re.compile(r"[\s*_`\\#]+")  # what converters write in another way
_BARE_NUMBER = re.compile(r"\s*[-+]?\d*\.?\d*\s*")
# A line by which a student says which question they answer, in a cell of their own.
_MENTION = re.compile(
    r"\s*(?:#+\s*)?[*_]*(?:(?:question|answer|exercise|task|q)\s*[:.#]?\s*|(?<=#)\s*|(?<=# ))"
    r"(\d)[.\-_](\d{1,2})\b",
    re.IGNORECASE,
)
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


class Released:
    """The released notebook, with its cells by name and by the lines that they hold.

    Args:
        notebook: as nbgrader released it, with checksums.
        earlier: what was released before, or again: its lines are no student's either.
    """

    def __init__(self, notebook: NotebookNode, earlier: Iterable[NotebookNode] = ()) -> None:
        self.notebook = notebook
        self.names: list[str] = [cell.metadata.nbgrader.grade_id for cell in notebook.cells]
        self.places = {name: place for place, name in enumerate(self.names)}
        self.answers: dict[str, int] = {}  # in order
        self.automatic: set[str] = set()
        for place, cell in enumerate(notebook.cells):
            if cell.metadata.nbgrader.get("solution"):
                self.answers[self.names[place]] = place
            elif cell.metadata.nbgrader.get("grade"):
                self.automatic.add(self.names[place])
        self.empty: set[str] = set()
        self.sources: list[set[str]] = [set() for _ in self.names]
        self.lines: list[set[str]] = [set() for _ in self.names]
        self.owners: dict[str, list[int]] = {}
        for version in (notebook, *earlier):
            self._learn(version)

    def _learn(self, version: NotebookNode) -> None:
        place = 0
        for cell in version.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            place = self.places.get(name, place)
            if name in self.answers:
                self.empty.add(_key(cell.source))
                continue
            self.sources[place].add(_key(cell.source))
            for line in map(_key, filter(str.strip, cell.source.splitlines())):
                if len(line) >= STRONG and line not in self.lines[place]:
                    self.owners.setdefault(line, []).append(place)
                    self.owners[line].sort()
                self.lines[place].add(line)

    def is_blank(self, cell: HandedInCell) -> bool:
        """Whether an answer cell holds no more than the released one."""
        shows = cell.attachments or cell.printed.strip()
        return not shows and (not cell.source.strip() or _key(cell.source) in self.empty)

    def owner(self, line: str, place: int, known: bool) -> int | None:
        """The released cell that a line is of: the one here if it has the line, else the next one that has.

        Args:
            line: of any cell.
            place: the released cell here.
            known: whether what stands here is surely that cell: only then a short line says something.

        Returns:
            Its place; None for a line that is not of the released notebook.
        """
        key = _key(line)
        if known and place >= 0 and key in self.lines[place]:
            return place
        owners = self.owners.get(key, ())
        return next((owner for owner in owners if owner >= place), owners[0] if owners else None)

    def mentioned(self, line: str) -> int | None:
        """The place of the question that a line of the student's own names as a heading."""
        found = _MENTION.match(line)
        return self.places.get(f"question-{found[1]}-{int(found[2])}") if found else None

    def question(self, place: int) -> str:
        """What stands at a place, for people: `1.3`, or `the beginning`."""
        found = next((name for name in reversed(self.names[: place + 1]) if re.match(r"\D+\d", name)), "")
        numbers = re.findall(r"\d+", found)
        return (
            ".".join(numbers[:2])
            if len(numbers) > 1
            else f"part {numbers[0]}"
            if numbers
            else "the beginning"
        )

    def answers_to(self, place: int) -> set[str]:
        """The answers to the question at a place."""
        question = self.question(place)
        return {name for name, other in self.answers.items() if self.question(other) == question}

    def answer_near(self, place: int) -> str:
        """The answer that a text at this place must be meant for, if any: the next one, or the one before."""
        beneath = self.answer_beneath(place)
        return beneath or next((name for name in reversed(self.names[:place]) if name in self.answers), "")

    def answer_beneath(self, place: int) -> str:
        """The answer that stands next after a place, with nothing that is marked between; empty if none."""
        for name in self.names[max(place, 0) :]:
            if name in self.answers:
                return name
            if name in self.automatic:
                return ""
        return ""


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
            if _key(cell.source) not in released.sources[own]:
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
    for line in cell.source.splitlines(keepends=True):
        if not line.strip() or _key(line) in released.empty:
            runs[-1][1].append((line if not line.strip() else "\n", False))
            continue
        in_code ^= line.lstrip().startswith(("```", "~~~"))
        owner = released.owner(line, looked_at, known=own is not None or bool(owners))
        if owner is None and own is None and not in_code and not cell.code:
            mentioned = released.mentioned(line)
            if mentioned is not None and mentioned != looked_at:
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
    return pieces, owners, last


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
    return len(line.strip()) > 0 and len(_key(line)) < STRONG


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
    place = released.places[name]
    for line in filter(str.strip, cell.source.splitlines()):
        owner = released.owner(line, place, known=False)
        place = owner if owner is not None else released.mentioned(line) or place
        if owner is None:
            found |= released.answers_to(place)
    return found - released.answers_to(released.places[name])


def _key(line: str) -> str:
    """A line without what tools change in it; never empty for a line that is not."""
    key = _NO_MATTER.sub("", unicodedata.normalize("NFKC", line)).lstrip("-+")
    return key or line.strip()

"""The released notebook, known again by its text in what students and their tools made of it.

Tools write the same text in another way: with other signs of Markdown, and with lines broken elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from nbformat import NotebookNode

from grader.gradebook.handed_in import HandedInCell
from grader.gradebook.named_questions import named

STRONG = 12  # characters by which a line is known in any cell; a shorter one, such as `$$`, in its own only

_NO_MATTER = re.compile(r"[\s*_`\\#]+")  # what converters write in another way


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
        self.paragraphs: dict[str, list[int]] = {}  # places, by text without line ends
        for version in (notebook, *earlier):
            self._learn(version)

    def _learn(self, version: NotebookNode) -> None:
        place = 0
        for cell in version.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            place = self.places.get(name, place)
            if name in self.answers:
                self.empty.add(normalized(cell.source))
                continue
            self.sources[place].add(normalized(cell.source))
            for _, text in _paragraphs(cell.source):
                if place not in (places := self.paragraphs.setdefault(text, [])):
                    places.append(place)
            for line in map(normalized, filter(str.strip, cell.source.splitlines())):
                if len(line) >= STRONG and line not in self.lines[place]:
                    self.owners.setdefault(line, []).append(place)
                    self.owners[line].sort()
                self.lines[place].add(line)

    def is_blank(self, cell: HandedInCell) -> bool:
        """Whether an answer cell holds no more than the released one."""
        shows = cell.attachments or cell.printed.strip()
        return not shows and (not cell.source.strip() or normalized(cell.source) in self.empty)

    def owner(self, line: str, place: int, known: bool) -> int | None:
        """The released cell that a line is of: the one here if it has the line, else the next one that has.

        Args:
            line: of any cell.
            place: the released cell here.
            known: whether what stands here is surely that cell: only then a short line says something.

        Returns:
            Its place; None for a line that is not of the released notebook.
        """
        text = normalized(line)
        if known and place >= 0 and text in self.lines[place]:
            return place
        return next_place(self.owners.get(text, ()), place)

    def rewrapped(self, source: str) -> dict[int, list[int]]:
        """For lines of released paragraphs, wherever they are broken: number -> the places of it."""
        return {
            number: self.paragraphs[text]
            for numbers, text in _paragraphs(source)
            if text in self.paragraphs
            for number in numbers
        }

    def mentioned(self, line: str) -> int | None:
        """The place of the question that a line of the student's own surely names, as a heading does."""
        name = named(line)
        return self.place_of(name.first) if name and name.surely else None

    def named(self, line: str) -> range:
        """The places of the questions that a line of the student's own may name; of several all between."""
        name = named(line)
        first, last = (self.place_of(one) for one in (name.first, name.last)) if name else (None, None)
        if first is None:
            return range(0)
        return range(first, max(first, last or first) + 1)

    def place_of(self, question: str) -> int | None:
        """The place of a question such as `1.3`; None where this notebook has none."""
        return self.places.get(f"question-{question.replace('.', '-')}")

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


def next_place(places: Sequence[int], place: int) -> int | None:
    """The first of some places that does not come before another, else the first of all."""
    return next((one for one in places if one >= place), places[0] if places else None)


def _paragraphs(source: str) -> list[tuple[range, str]]:
    """The numbers of the lines of each paragraph, with its normalized text; short ones are left out."""
    lines = source.splitlines()
    ends = [number for number, line in enumerate([*lines, ""]) if not line.strip()]
    found = [
        (range(start, end), normalized("\n".join(lines[start:end])))
        for start, end in zip([0, *(end + 1 for end in ends)], ends, strict=False)
    ]
    return [(numbers, text) for numbers, text in found if len(text) >= STRONG]


def normalized(text: str) -> str:
    """A text without what tools change in it; never empty for a line that is not."""
    left = _NO_MATTER.sub("", unicodedata.normalize("NFKC", text)).lstrip("-+")
    return left or text.strip()

"""What students answered, question by question, from the notebooks that nbgrader has marked."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.files import read_regular
from grader.gradebook.course import NOTEBOOK, Course
from grader.gradebook.handed_in import MAX_NOTEBOOK_BYTES
from grader.release.notebook import EMPTY_ANSWER, item_id

Attachments = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Piece:
    """A text of a student's, with the pictures that were pasted into it: `{name: {media type: base64}}`."""

    source: str
    attachments: Attachments

    def digest(self) -> str:
        """SHA-256 of text and pictures."""
        content = json.dumps([self.source.strip(), self.attachments], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class Answer:
    """The answer to one question.

    Attributes:
        text: what stands in the answer's cell, Markdown.
        around: what the student wrote into other cells beside it.
        pictures: whether something was pasted into it.
        digest: SHA-256 of all of it.
    """

    text: str
    around: tuple[str, ...]
    pictures: bool
    digest: str

    @property
    def blank(self) -> bool:
        """Whether nothing was answered, here or beside it."""
        return not (self.around or self.pictures) and self.text.strip() in ("", EMPTY_ANSWER)

    @property
    def source(self) -> str:
        """All of its text."""
        return "\n\n".join((self.text, *self.around))


NOTHING = Answer("", (), False, hashlib.sha256(b"").hexdigest())


class AnswerBook:
    """The answers of a course: each notebook is read once, and again when it has changed."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[int, int], dict[str, Answer]]] = {}
        self._places: dict[str, str] = {}

    def answer(self, student: str, cell: str) -> Answer:
        """A student's answer as it is now; `NOTHING` where there is no notebook."""
        return self._of(student).get(cell, NOTHING)

    def pieces(self, student: str, cell: str) -> list[Piece]:
        """A student's answer with all its pictures: first what stands in the answer's cell."""
        return _pieces(self.notebook(student)).get(cell, [])

    def notebook(self, student: str) -> Path:
        """Where a student's marked notebook lies."""
        return self._course.autograded(student) / f"{NOTEBOOK}.ipynb"

    def figures(self, student: str) -> Path:
        """The folder of the figures that a student handed in."""
        return self._course.autograded(student) / "figures"

    def _of(self, student: str) -> dict[str, Answer]:
        # Of every student, whenever one is marked: a path is not put together each time.
        place = self._places.get(student) or self._places.setdefault(student, str(self.notebook(student)))
        try:
            status = os.stat(place)
        except OSError:  # no notebook, or one that a run is just replacing
            return {}
        stamp = (status.st_mtime_ns, status.st_size)
        with self._lock:
            known = self._known.get(student)
        if known is not None and known[0] == stamp:
            return known[1]
        found = {cell: _answer(pieces) for cell, pieces in _pieces(Path(place)).items()}
        with self._lock:
            self._known[student] = (stamp, found)
        return found


def _answer(pieces: list[Piece]) -> Answer:
    digest = hashlib.sha256("".join(piece.digest() for piece in pieces).encode()).hexdigest()
    first, *rest = pieces
    pictures = any(piece.attachments for piece in pieces)
    return Answer(first.source, tuple(piece.source for piece in rest), pictures, digest)


def _pieces(path: Path) -> dict[str, list[Piece]]:
    """The texts of all answers, by cell, each after the answer's own."""
    try:
        cells = json.loads(read_regular(path, MAX_NOTEBOOK_BYTES))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    found: dict[str, list[Piece]] = {}
    beside: dict[str, list[Piece]] = {}
    for cell, piece, is_own in _assigned(cells):
        (beside if is_own else found).setdefault(cell, []).append(piece)
    return {cell: [*pieces, *beside.get(cell, ())] for cell, pieces in found.items()}


def _assigned(cells: list[dict[str, Any]]) -> Iterator[tuple[str, Piece, bool]]:
    """Each text of the student's with the answer it stands at, and whether it is in a cell of their own.

    A cell that follows an answer belongs to it. One that follows the text of a question, which comes before
    the answer, belongs to the answer that comes next.
    """
    last = ""
    early: list[Piece] = []
    for cell in cells:
        about = cell.get("metadata", {})
        nbgrader, ours = about.get("nbgrader", {}), about.get("grader", {})
        piece = Piece(_text(cell.get("source", "")), cell.get("attachments") or {})
        if nbgrader.get("solution") and nbgrader.get("grade"):
            last = nbgrader["grade_id"]
            yield last, piece, False
            for one in early:
                yield last, one, True
            early = []
        elif ours.get("extra"):
            if last:
                yield last, piece, True
            else:
                early.append(piece)
        elif nbgrader and _begins_question(nbgrader.get("grade_id", "")):
            last = ""


def _begins_question(grade_id: str) -> bool:
    """Whether this is a cell that shows a question, and no figures and no marks of code."""
    try:
        item_id(grade_id)
    except ValueError:
        return grade_id.startswith(("question-", "part-"))
    return False


def _text(value: str | list[str]) -> str:
    return "".join(value) if isinstance(value, list) else value

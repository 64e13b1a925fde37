"""Reads the model answers and marking guides in `solutions/answers/`, to be shown beside a student's answer.

A file is named after its item, and is plain Markdown of a fixed form:

    # 1.3: Why it is a lower bound (2 points)
    ## Answer
    ## What earns points
    - **1**: the first thing
    ## Misconceptions
    - **0.5**: what is wrong with it

An item with a choice has a folder of its own besides, such as `3.1/`, with a model answer for each choice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader.release.stubs import REPOSITORY
from grader.rubric import points_in_words

ANSWERS = REPOSITORY / "solutions" / "answers"
SECTIONS = ("Answer", "What earns points", "Misconceptions")

_HEAD = re.compile(r"# (?P<item>\S+): (?P<title>.+) \((?P<points>[\d.]+) points?\)")
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_ENTRY = re.compile(r"- \*\*(?P<points>\d+(?:\.5)?)\*\*: (?P<text>\S.*)", re.DOTALL)


class AnswerError(ValueError):
    """A file does not have the form of a marking guide; the message names it and says what was expected."""


@dataclass(frozen=True)
class Entry:
    """A line of a marking guide.

    Attributes:
        points: what it earns, or what the misconception costs.
        text: Markdown.
    """

    points: float
    text: str


@dataclass(frozen=True)
class Answer:
    """Model answer and marking guide of one item.

    Attributes:
        item: id of the item, such as `1.7.curves`.
        title: what the item is about.
        points: what the item is worth; the marks add up to it.
        text: the model answer, Markdown.
        marks: what earns points.
        misconceptions: what costs points.
        choices: further model answers, Markdown, for an item that lets students choose.
    """

    item: str
    title: str
    points: float
    text: str
    marks: tuple[Entry, ...]
    misconceptions: tuple[Entry, ...]
    choices: tuple[str, ...] = ()

    def guide(self) -> str:
        """All of it as Markdown, in the order in which one marks."""

        def listed(entries: tuple[Entry, ...], sign: str) -> str:
            return "\n".join(
                f"- **{sign if entry.points else ''}{entry.points:g}**: {entry.text}" for entry in entries
            )

        sections = [
            f"**{head(self.item, self.title, self.points)[2:]}**",
            f"**What earns points**\n\n{listed(self.marks, '+')}",
            f"**Misconceptions**\n\n{listed(self.misconceptions, '-')}",
            f"**Model answer**\n\n{self.text}",
            *self.choices,
        ]
        return "\n\n".join(sections)


def head(item: str, title: str, points: float) -> str:
    """The first line of a guide."""
    return f"# {item}: {title} ({points_in_words(points)})"


def parse(markdown: str, name: str, choices: tuple[str, ...] = ()) -> Answer:
    """Reads one file.

    Args:
        markdown: its text.
        name: its name, for error messages.
        choices: further model answers.

    Raises:
        AnswerError: it does not have the form described above.
    """
    head_line, _, body = markdown.partition("\n")
    head = _HEAD.fullmatch(head_line.strip())
    if not head:
        raise AnswerError(f"{name}: the first line must be like '# 1.3: Title (2 points)', not {head_line!r}")
    before, *parts = _SECTION.split(body)
    if before.strip() or tuple(parts[::2]) != SECTIONS:
        raise AnswerError(f"{name}: expected exactly the sections {', '.join('## ' + s for s in SECTIONS)}")
    text, marks, misconceptions = (part.strip() for part in parts[1::2])
    answer = Answer(
        item=head["item"],
        title=head["title"],
        points=float(head["points"]),
        text=text,
        marks=_entries(marks, name),
        misconceptions=_entries(misconceptions, name),
        choices=choices,
    )
    total = sum(mark.points for mark in answer.marks)
    if total != answer.points:
        raise AnswerError(f"{name}: the marks add up to {total:g}, the head says {answer.points:g}")
    return answer


def _entries(section: str, name: str) -> tuple[Entry, ...]:
    """The list of a section; an entry may go on in indented lines."""
    entries = []
    for piece in re.split(r"\n(?=\S)", section):
        entry = _ENTRY.fullmatch(piece.strip())
        if not entry:
            raise AnswerError(f"{name}: expected a line like '- **0.5**: text', not {piece[:60]!r}")
        entries.append(Entry(float(entry["points"]), " ".join(entry["text"].split())))
    return tuple(entries)


@cache
def load_answers(folder: Path = ANSWERS) -> dict[str, Answer]:
    """Reads all answers, by item id.

    Raises:
        AnswerError: the folder is missing, a file does not have the form of a guide, or is not named after
            its item.
    """
    if not folder.is_dir():
        raise AnswerError(f"{folder}: there is no such folder; the model answers belong there")
    answers = {}
    for file in sorted(folder.glob("*.md")):
        if file.name == "README.md":
            continue
        choices = sorted((folder / file.stem).glob("*.md"))
        answer = parse(
            file.read_text(encoding="utf-8"),
            file.name,
            tuple(choice.read_text(encoding="utf-8").strip() for choice in choices),
        )
        if answer.item != file.stem:
            raise AnswerError(f"{file.name}: its first line names item {answer.item}")
        answers[answer.item] = answer
    return answers


def guide(item_id: str) -> str:
    """The marking guide and model answer of an item, as Markdown.

    Raises:
        KeyError: the item has none: automatic items need none.
    """
    return load_answers()[item_id].guide()

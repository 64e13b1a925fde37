"""Writes into the handout's pages what the manifest decides: headings, points, tables, what is asked.

The manifest is `rubric.toml` and `questions.toml`. On a page, what comes from it stands between two comments,
which no reader sees:

    <!-- manifest: question 1.3 -->
    ### Question 1.3 (2 points)
    ...
    <!-- end -->

All else on a page is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from grader.questions import Questions
from grader.rubric import Item, Rubric, points_in_words

Content = TypeVar("Content")

OVERVIEW = "README.md"
PRACTICALITIES = "practicalities.md"
END = "<!-- end -->"
MARKED = {"auto": "automatic", "written": "by a person", "manual": "by a person"}

_BLOCK = re.compile(
    r"^<!-- manifest: (?P<name>[\w .]+) -->\n(?P<body>.*?)^<!-- end -->$", re.DOTALL | re.MULTILINE
)
_QUESTION_HEADING = re.compile(r"^#+ Question \d.*$", re.MULTILINE)
_NAMES = re.compile(r"[A-Za-z_][\w.]*(, [A-Za-z_][\w.]*)*")
_WORDS = ("no", "one", "two", "three", "four", "five")


@dataclass(frozen=True)
class Rewritten:
    """A page with today's blocks.

    Attributes:
        text: the page.
        problems: what only a person can mend, one line each.
    """

    text: str
    problems: tuple[str, ...]


def anchor(question: str, points: float) -> str:
    """The anchor of a question's heading, by GitHub's rule."""
    heading = f"question {question} ({points_in_words(points)})"
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


class Handout:
    """What the manifest says on the handout's pages."""

    def __init__(self, rubric: Rubric, questions: Questions) -> None:
        self._rubric = rubric
        self._texts = questions
        self._items: dict[str, list[Item]] = {}  # by question
        for item in rubric.items:
            self._items.setdefault(item.question, []).append(item)

    @property
    def anchors(self) -> set[str]:
        """The anchors of all questions."""
        return {anchor(question, self._worth(question)) for question in self._items}

    def rewrite(self, page: str, text: str) -> Rewritten:
        """A page of the handout as the manifest wants it.

        Args:
            page: its name, such as `vae.md`.
            text: as it is now.
        """
        wanted = dict(self._blocks(page))
        left_out = {f"question {item.question}" for item in self._rubric.left_out} - wanted.keys()
        problems = []

        def block(match: re.Match[str]) -> str:
            if match["name"] in left_out:
                return _block(match["name"], "")
            if match["name"] not in wanted:
                problems.append(
                    f"it has a block for {match['name']}, which is not in the manifest; remove it, "
                    "and what belongs to it"
                )
                return match[0]
            return _block(match["name"], wanted[match["name"]])

        there = _names(text)
        problems += [
            f"it has the block {name} twice; remove one"
            for name in sorted(set(there))
            if there.count(name) > 1
        ]
        text = _BLOCK.sub(block, text)
        before = ""
        for name, body in wanted.items():
            if name not in there:
                text = _with_block(text, name, body, before)
            before = name
        order = [name for name in _names(text) if name in wanted]
        if order != list(wanted):
            problems.append(
                f"its blocks come in the order {', '.join(order)}, and in rubric.toml not; move them"
            )
        problems += [
            f"{heading!r} stands outside the manifest's blocks; remove it, questions.toml holds what is asked"
            for heading in _QUESTION_HEADING.findall(_BLOCK.sub("", text))
        ]
        return Rewritten(text, tuple(problems))

    def _blocks(self, page: str) -> Iterator[tuple[str, str]]:
        """Name and text of the blocks of a page, in order."""
        if page == OVERVIEW:
            yield "parts", self._overview_of_parts()
            yield "questions", self._overview_of_questions()
        if page == PRACTICALITIES:
            yield "figures", self._figures()
        for part in self._texts.parts.values():
            if part.page == page and any(item.part == part.number for item in self._rubric.items):
                yield f"part {part.number}", self._part(part.number)
                for question, items in self._items.items():
                    if items[0].part == part.number and question in self._texts.questions:
                        yield f"question {question}", self._question(question)

    def _worth(self, question: str) -> float:
        return sum(item.points for item in self._items[question])

    def _overview_of_parts(self) -> str:
        parts = dict.fromkeys(item.part for item in self._rubric.items)
        rows = []
        for number in parts:
            part = self._texts.parts.get(number)
            worth = sum(item.points for item in self._rubric.items if item.part == number)
            if part is not None:
                rows.append(f"| [{number}]({part.page}) | {part.title} | {part.how} | {worth:g} |")
        count = _WORDS[len(parts)] if len(parts) < len(_WORDS) else str(len(parts))
        plural = "" if len(parts) == 1 else "s"
        said = f"This assignment has {count} part{plural}, worth {self._total()} together."
        return "\n".join([said, "", "| part | about | how | points |", "|---|---|---|---|", *rows])

    def _total(self) -> str:
        return points_in_words(sum(item.points for item in self._rubric.items))

    def _overview_of_questions(self) -> str:
        rows = []
        for question, items in self._items.items():
            part, text = self._texts.parts.get(items[0].part), self._texts.questions.get(question)
            if part is None or text is None:
                continue
            worth = self._worth(question)
            link = f"[{question}]({part.page}#{anchor(question, worth)})"
            rows.append(f"| {link} | {worth:g} | {text.title} | {_who_marks(items)} |")
        total = f"| sum | {sum(item.points for item in self._rubric.items):g} | | |"
        return "\n".join(
            ["| question | points | what is asked | how it is marked |", "|---|---|---|---|", *rows, total]
        )

    def _figures(self) -> str:
        rows = []
        for question, items in self._items.items():
            ids = dict.fromkeys([question, *(item.id for item in items)])
            texts = [self._texts.items.get(one) or self._texts.questions.get(one) for one in ids]
            files = [f"`{figure.file}`" for text in texts if text for figure in text.figures]
            if files:
                rows.append(f"| {question} | {', '.join(files)} |")
        return "\n".join(["| question | files |", "|---|---|", *rows])

    def _part(self, number: int) -> str:
        questions = [question for question, items in self._items.items() if items[0].part == number]
        worth = sum(self._worth(question) for question in questions)
        links = [f"[{question}](#{anchor(question, self._worth(question))})" for question in questions]
        which = links[0] if len(links) == 1 else f"{links[0]} to {links[-1]}"
        return f"{points_in_words(worth)}: {'question' if len(links) == 1 else 'questions'} {which}."

    def _question(self, question: str) -> str:
        items, text = self._items[question], self._texts.questions[question]
        # A list needs an empty line before it.
        gap = "\n\n" if re.match(r"(\d+\.|[-*]) ", text.text) else "\n"
        pieces = [
            f"### Question {question} ({points_in_words(self._worth(question))})",
            f"*{text.title}.*{gap}{text.text}",
        ]
        if len(items) > 1:
            rows = [
                f"| `{item.id}` | {item.points:g} | {_what(item)} | {MARKED[item.how]} |" for item in items
            ]
            pieces.append("\n".join(["| item | points | what | marked |", "|---|---|---|---|", *rows]))
            asked = [self._texts.items.get(item.id) for item in items]
            pieces += [f"`{one.id}`:\n{one.text}" for one in asked if one is not None]
        return "\n\n".join(pieces)


def shipped_pages(questions: Questions, rubric: Rubric, pages: Mapping[str, Content]) -> dict[str, Content]:
    """The files of a handout, by name, without the pages of parts that are left out."""
    asked = {item.part for item in rubric.items}
    absent = {part.page for part in questions.parts.values() if part.number not in asked}
    return {name: content for name, content in pages.items() if name not in absent}


def _names(text: str) -> list[str]:
    """The names of the blocks of a page, in order."""
    return [match["name"] for match in _BLOCK.finditer(text)]


def _block(name: str, body: str) -> str:
    return f"<!-- manifest: {name} -->\n" + (f"\n{body}\n\n" if body else "") + END


def _with_block(text: str, name: str, body: str, before: str) -> str:
    """A page with a new block, behind that of the question before; else at the end."""
    place = next(
        (match.end() for match in _BLOCK.finditer(text) if match["name"] == before), len(text.rstrip())
    )
    return f"{text[:place]}\n\n{_block(name, body)}{text[place:]}"


def _what(item: Item) -> str:
    """What an item is about; names from the code are set as code, with the file that they are in."""
    if item.how != "auto" or not _NAMES.fullmatch(item.title):
        return item.title
    return ", ".join(f"`{name}`" for name in item.title.split(", ")) + f" in `{item.files[-1]}`"


def _who_marks(items: list[Item]) -> str:
    automatic = sum(item.points for item in items if item.how == "auto")
    by_hand = sum(item.points for item in items if item.how != "auto")
    if not automatic:
        return "written" if all(item.how == "written" for item in items) else "by a person"
    return f"{automatic:g} automatic" + (f", {by_hand:g} by a person" if by_hand else "")

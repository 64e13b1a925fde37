"""The student's page: what they got, why, and what to try next. Made to be handed to them.

Nothing of the grader's inside is on it: no seed, no messages about its own failures, no other submission.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from grader.evidence.facts import Evidence
from grader.evidence.words import NONE, NOT_LOOKED, for_student, title
from grader.marking.result import GRADER_ERROR
from grader.questions import load_questions
from grader.report.by_eye import ByEye, by_eye
from grader.report.figures import REPORT
from grader.report.pages.findings import ItemFindings, find
from grader.report.pages.load import FigureFile, Record
from grader.report.pages.render import data_address, policy, render
from grader.report.pages.style import link, on_one_line
from grader.rubric import Item, load_rubric

FILE_NAME = "feedback.html"
MARKDOWN_NAME = "feedback.md"
MOST_BYTES = 480 * 2**10  # of a page; pictures beyond it are linked, not held
MOST_FIRST_STEPS = 3

CAPTIONS = {
    "samples": "Samples of your model after the short training; so early they need not look like digits yet",
    "manifold": "What your visualize_manifold draws of a decoder of the grader's: in every image the upper "
    "half follows one latent and the lower half the other",
    "reconstructions": "Images your model has not seen, and below them what it made of them after the short "
    "training",
    "curve": "The loss of the short training in bits per dimension, beside the band of right solutions",
}


@dataclass(frozen=True)
class Shown:
    """A picture on the page.

    Attributes:
        address: the picture itself, or where it lies.
        file: where it lies.
        kind: what it shows, for the style sheet.
        caption: what it shows, in words.
    """

    address: str
    file: str
    kind: str
    caption: str


@dataclass(frozen=True)
class FigureGroup:
    """The figures of an item that a person marks.

    Attributes:
        by_eye: the item; None for figures of no item in particular.
        pictures: the figures, none where none was handed in.
    """

    by_eye: ByEye | None
    pictures: tuple[Shown, ...]


@dataclass(frozen=True)
class Entry:
    """An item on the page."""

    item: Item
    findings: ItemFindings
    pictures: tuple[Shown, ...]


@dataclass(frozen=True)
class Question:
    """A question with its items."""

    number: str
    title: str
    entries: tuple[Entry, ...]

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(entry.findings.result.points for entry in self.entries)

    @property
    def max_points(self) -> float:
        """Points to be earned."""
        return sum(entry.findings.result.max_points for entry in self.entries)


def student_pages(record: Record) -> dict[str, bytes]:
    """The page and its Markdown version, by file name."""
    # Pictures are held as long as there is room, the small ones of the grader's first.
    bare = render("student.html.j2", **_values(record, lambda path: False), policy=policy(None))
    room = MOST_BYTES - len(bare)
    held: dict[Path, str] = {}
    for path in (*(picture.path for picture in record.pictures), *(one.small for one in record.figures)):
        size = path.stat().st_size * 4 // 3 + 100
        if size <= room:
            room -= size
            held[path] = ""
    page = render("student.html.j2", **_values(record, held.__contains__), policy=policy(None))
    return {
        FILE_NAME: page if record.pictures or record.figures else bare,
        MARKDOWN_NAME: render("student.md.j2", **_values(record, lambda path: False)),
    }


def _values(record: Record, is_held: Callable[[Path], bool]) -> dict[str, Any]:
    """What the templates show."""
    rubric = load_rubric()
    known = {item.id: item for item in rubric.items}
    findings = [here for here in find(record.result) if here.result.id in known]

    def address(path: Path) -> str:
        return link(*path.relative_to(record.folder).parts)

    def picture(path: Path, kind: str, caption: str, larger: Path | None = None) -> Shown:
        shown_here = data_address(path) if is_held(path) else address(path)
        return Shown(shown_here, address(larger or path), kind, caption)

    titles = load_questions().questions
    entries = [
        Entry(
            known[here.result.id],
            here,
            tuple(
                picture(one.path, one.kind, CAPTIONS[one.kind])
                for one in record.pictures
                if one.item == here.result.id
            ),
        )
        for here in findings
    ]
    questions = [
        Question(number, titles[number].title if number in titles else "", tuple(group))
        for number, group in groupby(entries, lambda entry: entry.item.question)
    ]
    steps = _first_steps(findings)
    return {
        "name": on_one_line(record.name),
        "result": record.result,
        "unmarked": [here.result.id for here in findings if here.result.status == GRADER_ERROR],
        "reviews": [(on_one_line(reason), items) for reason, items in record.result.reviews.items()],
        "by_hand": sum(item.points for item in rubric.items) - record.result.max_points,
        "in_all": sum(item.points for item in rubric.items),
        "questions": questions,
        "first_steps": steps[:MOST_FIRST_STEPS],
        "more": max(0, len(steps) - MOST_FIRST_STEPS),
        "violations": [on_one_line(line) for line in record.result.for_students("rule")],
        "warnings": [on_one_line(line) for line in record.result.for_students("hand_in", "figures")],
        "hand_in": on_one_line(record.result.hand_in),
        "trainings": _trainings(record.evidence),
        "figures": [
            FigureGroup(
                item,
                tuple(picture(one.small, "figure", caption, one.path) for one, caption in figures),
            )
            for item, figures in _by_item(record.figures)
        ],
    }


def _trainings(evidence: Evidence | None) -> list[tuple[str, str]]:
    """What is said of each full training: a title and a sentence; one line where there is nothing to say."""
    if evidence is None:
        return []
    if evidence.absent:
        return [("", f"{NONE[:1].upper()}{NONE[1:]}: that costs no points.")]
    if not evidence.images:
        return [("", f"{NOT_LOOKED}.")]
    return [(title(run), for_student(run)) for run in evidence.runs]


def _by_item(figures: Sequence[FigureFile]) -> list[tuple[ByEye | None, list[tuple[FigureFile, str]]]]:
    """Every item that asks for figures with those handed in and their captions, then those of no item.

    Nothing, where nothing was handed in.
    """
    if not figures:
        return []
    groups: list[tuple[ByEye | None, list[tuple[FigureFile, str]]]] = []
    for item in (*by_eye(), None):
        known = {figure.stem.casefold(): figure.shows for figure in item.figures} if item else {}
        order = list(known)
        here = [one for one in figures if one.item == (item.item.id if item else "")]
        here.sort(key=lambda one: order.index(stem) if (stem := one.path.stem.casefold()) in order else 99)
        if item or here:
            groups.append((item, [(one, _caption(one.path.stem, known)) for one in here]))
    return groups


def _caption(stem: str, known: dict[str, str]) -> str:
    """What a figure shows, where its name tells; else its name."""
    if stem.startswith(REPORT):
        return "in report.ipynb"
    shows = known.get(stem.casefold(), "")
    return shows[:1].upper() + shows[1:] or on_one_line(stem, 60)


@dataclass(frozen=True)
class FirstStep:
    """An item to start with: what it costs, and what is seen of its costliest cause."""

    item: str
    lost: float
    message: str
    follow_ons: int


def _first_steps(findings: list[ItemFindings]) -> list[FirstStep]:
    """The items whose own causes cost points, the costliest first.

    None where that says nothing new: a single item, and nothing follows from it.
    """
    steps = []
    for here in findings:
        if here.findings:
            worst = max(here.findings, key=lambda finding: finding.lost_in_all)
            lost = sum(finding.lost_in_all for finding in here.findings)
            if not lost:
                continue
            follow_ons = {one.item for finding in here.findings for one in finding.follow_ons}
            steps.append(FirstStep(here.result.id, lost, worst.message, len(follow_ons)))
    steps.sort(key=lambda step: -step.lost)
    return steps if len(steps) > 1 or any(step.follow_ons for step in steps) else []

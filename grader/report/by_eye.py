"""The items that a person marks by eye, with the figures that training writes for them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from grader.rubric import Item, load_rubric

# Read here and not by `grader.release`, whose notebooks take a second to import.
QUESTIONS_FILE = Path(__file__).parents[1] / "release" / "questions.toml"

_QUESTION = re.compile(r"(\d\.\d)(?!\d)")


@dataclass(frozen=True)
class Expected:
    """A figure that an item asks for.

    Attributes:
        stem: its file name without the suffix.
        shows: what is to be seen in it.
    """

    stem: str
    shows: str


@dataclass(frozen=True)
class ByEye:
    """An item, and what a person looks at for it."""

    item: Item
    figures: tuple[Expected, ...]


@cache
def by_eye() -> tuple[ByEye, ...]:
    """All items with figures, in the order of the rubric."""
    texts = tomllib.loads(QUESTIONS_FILE.read_text(encoding="utf-8"))
    figures = {
        text["id"]: tuple(
            Expected(PurePosixPath(figure["file"]).stem, figure["shows"]) for figure in text["figures"]
        )
        for text in (*texts["question"], *texts["item"])
        if "figures" in text
    }
    return tuple(ByEye(item, figures[item.id]) for item in load_rubric().items if item.id in figures)


def item_of(stem: str) -> str:
    """The item that a figure of this name belongs to; empty where that cannot be told.

    Names that training gives are known; others count by the question they begin with: `1.8 my samples`.
    """
    exact = {figure.stem.casefold(): one.item.id for one in by_eye() for figure in one.figures}
    if stem.casefold() in exact:
        return exact[stem.casefold()]
    if match := _QUESTION.match(stem.removeprefix("report-")):
        return next((one.item.id for one in by_eye() if one.item.question == match[1]), "")
    return ""


def is_expected(stem: str) -> bool:
    """Whether training gives a figure this name."""
    return any(stem.casefold() == figure.stem.casefold() for one in by_eye() for figure in one.figures)

"""The items that a person marks by eye, with the figures that training writes for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from grader.questions import Figure, load_questions
from grader.rubric import Item, load_rubric

_QUESTION = re.compile(r"(\d\.\d{1,2})(?!\d)")


@dataclass(frozen=True)
class ByEye:
    """An item, and what a person looks at for it."""

    item: Item
    figures: tuple[Figure, ...]


@cache
def by_eye() -> tuple[ByEye, ...]:
    """All items with figures, in the order of the rubric."""
    texts = load_questions()
    figures = {text.id: text.figures for text in (*texts.questions.values(), *texts.items.values())}
    return tuple(ByEye(item, figures[item.id]) for item in load_rubric().items if figures.get(item.id))


def item_of(stem: str) -> str:
    """The item that a figure of this name belongs to; empty where that cannot be told.

    Names that training gives are known; others count by the question they begin with: `1.8 my samples`.
    """
    if item := _expected().get(stem.casefold()):
        return item
    if match := _QUESTION.match(stem.removeprefix("report-")):
        return next((one.item.id for one in by_eye() if one.item.question == match[1]), "")
    return ""


def is_expected(stem: str) -> bool:
    """Whether training gives a figure this name."""
    return stem.casefold() in _expected()


@cache
def _expected() -> dict[str, str]:
    """The items by the names that training gives their figures."""
    return {figure.stem.casefold(): one.item.id for one in by_eye() for figure in one.figures}

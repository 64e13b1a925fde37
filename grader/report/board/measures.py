"""Difficulty and discrimination of items, as classical test theory has them, where they are defined."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from grader.report.board.years import Loss, Year

FEWEST = 10  # complete marks: with fewer, a correlation says next to nothing


@dataclass(frozen=True)
class Measure:
    """A number, or why there is none.

    Attributes:
        value: the number; None where it is not defined.
        why_not: empty where it is.
    """

    value: float | None
    why_not: str = ""


@dataclass(frozen=True)
class ItemFigures:
    """How an item did in a year.

    Attributes:
        item: its id.
        worth: its most points.
        marked: how many students have points for it.
        mean: of their points.
        difficulty: the share of its points that was earned, 0 to 1: the lower, the harder.
        discrimination: the correlation of its points with those of all other items, -1 to 1.
    """

    item: str
    worth: float
    marked: int
    mean: Measure
    difficulty: Measure
    discrimination: Measure


@dataclass(frozen=True)
class YearFigures:
    """How a year did.

    Attributes:
        label: what it is called.
        students: how many.
        complete: how many have points for every item that anybody has points for.
        worth: the most points of these items.
        mean, median, deviation: of the sums of the complete ones.
        alpha: Cronbach's, how much the items agree, at most 1.
        by_chance: a discrimination closer to 0 than this may be chance (two standard errors of none).
        items: by id.
    """

    label: str
    students: int
    complete: int
    worth: float
    mean: Measure
    median: Measure
    deviation: Measure
    alpha: Measure
    by_chance: Measure
    items: dict[str, ItemFigures]


@dataclass(frozen=True)
class CauseFigures:
    """What points of an item were lost for.

    Attributes:
        item: its id.
        kind: of the cause.
        cause: in words.
        points: lost in all.
        students: how many lost points for it.
        share: of the points that this item lost in all, 0 to 1.
    """

    item: str
    kind: str
    cause: str
    points: float
    students: int
    share: float


def measure(year: Year) -> YearFigures:
    """The figures of a year."""
    used = [item for item in year.worth if any(one.points.get(item) is not None for one in year.students)]
    rows = [[one.points.get(item) for item in used] for one in year.students]
    kept = [row for row in rows if row and None not in row]
    complete = np.array(kept, dtype=float).reshape(len(kept), len(used))
    sums = complete.sum(axis=1)
    count = len(complete)
    items = {}
    for item, worth in year.worth.items():
        given = [points for one in year.students if (points := one.points.get(item)) is not None]
        mean = Measure(statistics.fmean(given)) if given else Measure(None, "nobody has points for it")
        share = mean.value / worth if mean.value is not None and worth else None
        difficulty = Measure(share, mean.why_not or ("" if worth else "it is worth nothing"))
        if item in used and len(used) > 1:
            own = complete[:, used.index(item)]
            discrimination = correlation(own, sums - own)
        else:
            discrimination = Measure(None, mean.why_not or "there is no other item")
        items[item] = ItemFigures(item, worth, len(given), mean, difficulty, discrimination)
    none = Measure(None, "no mark is complete")
    return YearFigures(
        year.label,
        len(year.students),
        count,
        sum(year.worth[item] for item in used),
        Measure(float(sums.mean())) if count else none,
        Measure(float(np.median(sums))) if count else none,
        Measure(float(sums.std(ddof=1))) if count > 1 else Measure(None, "it takes two complete marks"),
        cronbachs_alpha(complete),
        Measure(2 / math.sqrt(count - 1)) if count >= FEWEST else _too_few(count),
        items,
    )


def correlation(item: np.ndarray, rest: np.ndarray) -> Measure:
    """Pearson's of an item's points and those of the rest, `[students]` each."""
    if len(item) < FEWEST:
        return _too_few(len(item))
    if _same(item):
        return Measure(None, "all have the same points for it")
    if _same(rest):
        return Measure(None, "all have the same points for the rest")
    return Measure(float(np.corrcoef(item, rest)[0, 1]))


def cronbachs_alpha(points: np.ndarray) -> Measure:
    """Of points `[students, items]`."""
    students, items = points.shape
    if students < FEWEST:
        return _too_few(students)
    if items < 2:
        return Measure(None, "there is no other item")
    whole = points.sum(axis=1)
    if _same(whole):
        return Measure(None, "all have the same sum")
    of_items = float(points.var(axis=0, ddof=1).sum())
    return Measure(items / (items - 1) * (1 - of_items / float(whole.var(ddof=1))))


def causes(years: Iterable[Year]) -> dict[str, list[CauseFigures]]:
    """What points were lost for, by item, the costliest first; of several years together."""
    found: dict[str, dict[tuple[str, str], list[tuple[tuple[str, str], Loss]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for year in years:
        for student in year.students:
            for loss in student.losses:
                found[loss.item][loss.kind, loss.cause].append(((year.label, student.name), loss))
    costliest = {}
    for item, by_cause in found.items():
        points = {key: math.fsum(loss.points for _, loss in losses) for key, losses in by_cause.items()}
        whole = math.fsum(points.values())
        costliest[item] = [
            CauseFigures(item, *key, points[key], len({who for who, _ in by_cause[key]}), points[key] / whole)
            for key in sorted(points, key=lambda key: (-points[key], key))
        ]
    return costliest


def _too_few(count: int) -> Measure:
    return Measure(None, f"it takes {FEWEST} complete marks, and there are {count}")


def _same(values: Sequence[float] | np.ndarray) -> bool:
    """Whether there is nothing but rounding between the largest and the smallest."""
    return float(np.ptp(np.asarray(values, dtype=float))) < 1e-9

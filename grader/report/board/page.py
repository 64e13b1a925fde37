"""The board's page, which prints on two sheets of A4: the items, and what points were lost for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from grader.report.board.measures import CauseFigures, YearFigures, causes
from grader.report.board.tables import NOT_DEFINED, items_of, short
from grader.report.board.years import Year
from grader.report.chart import as_svg, chart
from grader.report.pages.render import policy, render
from grader.report.pages.style import on_one_line
from grader.report.theme import COLOURS
from grader.rubric import Item

MOST_YEARS = 5  # that fit on a sheet, the last ones
MOST_CAUSES = 3  # of an item
MOST_CHANGES = 16
MOST_TEXT = 64  # of a cause; causes.csv has all of it
LOW = 0.2  # discrimination: below, an item hardly tells the strong from the weak
WIDE, HIGH = 0.135, 0.085  # of a name in the chart, in its units
WHY = {
    "marked": "marked again",
    "decided": "decided",
    "withdrawn": "withdrawn",
    "accepted": "run taken over",
}


@dataclass(frozen=True)
class Row:
    """An item in the first table.

    Attributes:
        item: of the rubric.
        cells: difficulty and discrimination by year; each as text, and why it is not defined.
        low: by year, whether the discrimination is low.
    """

    item: Item
    cells: list[tuple[str, str, str, str, bool]]


@dataclass(frozen=True)
class Changes:
    """The marks of a year that were changed after they were given.

    Attributes:
        label: the year's.
        students: how many.
        up, down: how many marks.
        why: how many marks, by `Change.why`.
    """

    label: str
    students: int
    up: int
    down: int
    why: dict[str, int]


def as_page(years: Sequence[Year], figures: Sequence[YearFigures]) -> bytes:
    """The page.

    Args:
        years: what was read.
        figures: of each.
    """
    shown = list(figures)[-MOST_YEARS:]
    items = items_of(figures)
    lost = causes(years)
    changes = [
        (on_one_line(year.label, 20), on_one_line(student.name, 60), change)
        for year in years
        for student in year.students
        for change in student.changes
    ]
    changes.sort(key=lambda one: one[2].when, reverse=True)
    return render(
        "board.html.j2",
        policy=policy(None),
        years=[(on_one_line(one.label, 20), one) for one in shown],
        hidden=len(figures) - len(shown),
        rows=[_row(item, shown) for item in items],
        worth=sum(item.points for item in items),
        whole=all(year.whole for year in years),
        chart=_chart(shown[-1]),
        latest=on_one_line(shown[-1].label, 20),
        causes=[(item, _shares(lost.get(item.id, []))) for item in items],
        changed=_counted(years[-MOST_YEARS:]),
        reasons=WHY,
        changes=changes[:MOST_CHANGES],
        more=max(0, len(changes) - MOST_CHANGES),
        notes=[on_one_line(line, 300) for year in years for line in (*year.problems, *year.notes)],
        short=short,
        defined=lambda one, places: NOT_DEFINED if one.value is None else f"{one.value:.{places}f}",
        low=LOW,
    )


def _row(item: Item, years: Sequence[YearFigures]) -> Row:
    cells = []
    for year in years:
        figures = year.items.get(item.id)
        if figures is None:
            cells.append(("", "not asked", "", "not asked", False))
            continue
        one, other = figures.difficulty, figures.discrimination
        is_low = other.value is not None and other.value < LOW
        cells.append((short(one), one.why_not, short(other), other.why_not, is_low))
    return Row(item, cells)


def _shares(found: Sequence[CauseFigures]) -> list[tuple[int, str, int]]:
    """The costliest causes: percent of the points lost, the cause, and how many lost points for it."""
    return [
        (round(100 * one.share), on_one_line(one.cause, MOST_TEXT), one.students)
        for one in found[:MOST_CAUSES]
    ]


def _counted(years: Sequence[Year]) -> list[Changes]:
    """How many marks were changed, by year."""
    found = []
    for year in years:
        changes = [(student.name, change) for student in year.students for change in student.changes]
        moved = [(change.after or 0.0) - (change.before or 0.0) for _, change in changes]
        found.append(
            Changes(
                on_one_line(year.label, 20),
                len({name for name, _ in changes}),
                sum(by > 0 for by in moved),
                sum(by < 0 for by in moved),
                dict(Counter(change.why for _, change in changes)),
            )
        )
    return found


def _chart(year: YearFigures) -> Markup | None:
    """Difficulty and discrimination of a year's items; None where too few are defined."""
    places = [
        (item, figures.difficulty.value, figures.discrimination.value)
        for item, figures in year.items.items()
        if figures.difficulty.value is not None and figures.discrimination.value is not None
    ]
    if len(places) < 2:
        return None
    ink, dot, line = COLOURS["ink"][0], COLOURS["link"][0], COLOURS["line"][0]
    named: list[tuple[float, float]] = []
    with chart(6.8, 2.0) as axes:
        axes.scatter([one[1] for one in places], [one[2] for one in places], s=16, color=dot)
        axes.axhline(LOW, color=line, linewidth=1.2)
        for item, difficulty, discrimination in sorted(places, key=lambda one: one[2]):
            left = difficulty > 1 - WIDE
            start = difficulty - WIDE if left else difficulty
            if any(abs(start - x) < WIDE and abs(discrimination - y) < HIGH for x, y in named):
                continue  # from the lowest on, as many as there is room for
            named.append((start, discrimination))
            axes.annotate(
                item,
                (difficulty, discrimination),
                (-5 if left else 5, 0),
                textcoords="offset points",
                color=ink,
                fontsize=7,
                ha="right" if left else "left",
                va="center",
            )
        axes.set_xlim(0, 1.02)
        axes.set_ylim(min(-0.02, *(one[2] - 0.06 for one in places)), 1)
        axes.set_xlabel("difficulty: share of the points earned")
        axes.set_ylabel("discrimination")
        text = as_svg(axes, standalone=False)
    text = re.sub(r"^.*?(?=<svg)", "", text, flags=re.DOTALL)
    return Markup(text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))

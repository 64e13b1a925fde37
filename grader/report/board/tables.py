"""What the board reads, as text and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from grader.report.board.measures import ItemFigures, Measure, YearFigures, causes
from grader.report.board.years import Year
from grader.report.cells import harmless
from grader.report.marks_csv import number
from grader.rubric import Item, load_rubric
from grader.text import counted, printable

NOT_DEFINED = "not defined"
UNDEFINED = "-"  # where there is no room for words


def items_of(years: Sequence[YearFigures]) -> list[Item]:
    """The items of these years in the order of today's rubric; those that it has no more come last."""
    rubric = load_rubric()
    known = {item.id: item for item in (*rubric.items, *rubric.left_out)}
    asked = dict.fromkeys(item for year in years for item in year.items)
    mine = [item for id_, item in known.items() if id_ in asked]
    worth = {id_: figures.worth for year in years for id_, figures in year.items.items()}
    return mine + [Item(id_, worth[id_], "", "not in today's rubric") for id_ in asked if id_ not in known]


def as_text(years: Sequence[YearFigures]) -> str:
    """For a terminal: a row for each item, two columns for each year."""
    labels = [printable(year.label, 20) for year in years]
    widths = [max(len(label), 12) for label in labels]
    head = "  ".join(f"{label:>{width}}" for label, width in zip(labels, widths, strict=True))
    lines = [f"{'item':24}  {'points':>6}  {head}"]
    for item in items_of(years):
        pairs = [_pair(year.items.get(item.id)) for year in years]
        cells = "  ".join(f"{pair:>{width}}" for pair, width in zip(pairs, widths, strict=True))
        lines.append(f"{item.id:24}  {number(item.points):>6}  {cells}".rstrip())
    lines += [
        "",
        "for each year: difficulty (share of the points earned: low is hard), then discrimination",
        f"(correlation with the rest of the mark); {UNDEFINED} is not defined, items.csv says why",
    ]
    return "\n".join([*lines, *map(_in_a_line, years)])


def _pair(figures: ItemFigures | None) -> str:
    return "" if figures is None else f"{short(figures.difficulty)} {short(figures.discrimination):>6}"


def _in_a_line(year: YearFigures) -> str:
    who = counted(year.students, "student")
    line = f"{printable(year.label)}: {who}, {year.complete} with complete marks"
    if year.mean.value is not None:
        line += f", mean {year.mean.value:.1f} of {number(year.worth)}"
    return line + (f", Cronbach's alpha {year.alpha.value:.2f}" if year.alpha.value is not None else "")


def short(measure: Measure) -> str:
    """Two places, without the zero in front: `.83`, `-.05`, `1.00`; a dash where it is not defined."""
    if measure.value is None:
        return UNDEFINED
    text = f"{measure.value:.2f}"
    text = "0.00" if text == "-0.00" else text
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def items_csv(years: Sequence[YearFigures]) -> bytes:
    """A row for every year and item."""
    head = ["year", "item", "title", "points", "students", "mean", "difficulty", "discrimination"]
    return _table(
        [*head, "complete", "by_chance", "not_defined_because"],
        (
            [
                harmless(year.label),
                item.id,
                item.title,
                number(figures.worth),
                figures.marked,
                *(_cell(one) for one in (figures.mean, figures.difficulty, figures.discrimination)),
                year.complete,
                _cell(year.by_chance),
                figures.difficulty.why_not or figures.discrimination.why_not,
            ]
            for year in years
            for item in items_of(years)
            if (figures := year.items.get(item.id)) is not None
        ),
    )


def causes_csv(years: Sequence[Year]) -> bytes:
    """A row for every year, item and cause of lost points."""
    return _table(
        ["year", "item", "kind", "cause", "points_lost", "students", "share"],
        (
            [
                harmless(year.label),
                item,
                one.kind,
                harmless(printable(one.cause, 500)),
                number(one.points),
                one.students,
                f"{one.share:.4f}",
            ]
            for year, lost in ((year, causes([year])) for year in years)
            for item in year.worth
            for one in lost.get(item, ())
        ),
    )


def again_csv(years: Sequence[Year]) -> bytes:
    """A row for every mark that was changed after it was given."""
    return _table(
        ["year", "submission", "item", "before", "after", "why", "who", "when", "suite"],
        (
            [
                harmless(year.label),
                harmless(student.name),
                change.item,
                *("" if points is None else number(points) for points in (change.before, change.after)),
                change.why,
                harmless(change.who),
                change.when,
                change.suite,
            ]
            for year in years
            for student in year.students
            for change in student.changes
        ),
    )


def _cell(measure: Measure) -> str:
    return NOT_DEFINED if measure.value is None else f"{measure.value:.4f}"


def _table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> bytes:
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return table.getvalue().encode("utf-8", "replace")

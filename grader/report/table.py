"""The table of marks: a row per submission and a place for every item, at any width of the terminal.

Sixteen items do not fit into 80 columns by name. So there are three layouts, and the first that fits is
taken: items by name with points; items by number with points; items by number with signs. Items of a
question stand together, and a legend says what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.marking.result import PARTIAL, PASSED, ItemResult, SubmissionResult
from grader.report.marks_csv import number
from grader.report.status_style import STATUS_STYLES, sign, wrapped
from grader.rubric import Item, load_rubric
from grader.text import readable

NAME_COLUMNS = 20  # what a name is granted before a layout is given up for a narrower one
FRAME = 3  # a cell's padding and the line beside it


@dataclass(frozen=True)
class Layout:
    """How to label an item, by its position in its question, and how to show a result."""

    label: Callable[[int, Item], tuple[str, ...]]
    cell: Callable[[ItemResult, str], str]
    by_name: bool


def marks_table(results: Sequence[SubmissionResult], console: Console) -> RenderableType:
    """The table of marks and its legend, in the layout that fits the console."""
    automatic = load_rubric().automatic
    questions = [
        (question, tuple(items)) for question, items in groupby(automatic, lambda item: item.question)
    ]
    for layout in LAYOUTS:
        widths = _widths(layout, questions, results, console.encoding)
        name_width = min(NAME_COLUMNS, max([len("submission"), *(cell_len(r.submission) for r in results)]))
        needed = name_width + len("points") + 2 * FRAME + 1
        needed += sum(sum(row) + len(row) - 1 + FRAME for row in widths)
        if needed <= console.width:
            break
    table = Table(box=box.ROUNDED, header_style="bold")
    table.add_column(Text("submission"), overflow="fold", vertical="bottom")
    labels = {
        item.id: layout.label(index, item) for _, items in questions for index, item in enumerate(items, 1)
    }
    height = max(len(label) for label in labels.values())
    for (question, items), row in zip(questions, widths, strict=True):
        columns = [
            [line.rjust(width) for line in ("",) * (height - len(labels[item.id])) + labels[item.id]]
            for item, width in zip(items, row, strict=True)
        ]
        lines = [" ".join(line) for line in zip(*columns, strict=True)]
        table.add_column(Text("\n".join([question, *lines])), no_wrap=True, vertical="bottom")
    table.add_column(Text("points"), justify="right", no_wrap=True, vertical="bottom")
    for result in results:
        table.add_row(*_row(result, layout, questions, widths, console.encoding))
    return Group(table, *_legend(results, layout, questions, console))


def _points_or_sign(item: ItemResult, encoding: str) -> str:
    """Points where there are any; a sign says more than a zero."""
    return number(item.points) if item.status in (PASSED, PARTIAL) else sign(item.status, encoding)


def _sign(item: ItemResult, encoding: str) -> str:
    return sign(item.status, encoding)


LAYOUTS = (
    Layout(lambda index, item: (*_words(item), f"/{number(item.points)}"), _points_or_sign, by_name=True),
    Layout(lambda index, item: (str(index), f"/{number(item.points)}"), _points_or_sign, by_name=False),
    Layout(lambda index, item: (str(index),), _sign, by_name=False),
)


def _words(item: Item) -> tuple[str, ...]:
    """The item's own part of its id, a line for each word."""
    return tuple(item.id.split(".", 2)[-1].split("_"))


Questions = Sequence[tuple[str, tuple[Item, ...]]]


def _widths(
    layout: Layout, questions: Questions, results: Sequence[SubmissionResult], encoding: str
) -> list[list[int]]:
    """The width of every item, question by question."""
    cells: dict[str, int] = {}
    for result in results:
        for item in result.items:
            cells[item.id] = max(cells.get(item.id, 1), len(layout.cell(item, encoding)))
    return [
        [
            max(cells.get(item.id, 1), *(len(line) for line in layout.label(index, item)))
            for index, item in enumerate(items, 1)
        ]
        for _, items in questions
    ]


def _row(
    result: SubmissionResult, layout: Layout, questions: Questions, widths: list[list[int]], encoding: str
) -> list[Text]:
    marked = {item.id: item for item in result.items}
    row = [Text(readable(result.submission))]
    for (_, items), item_widths in zip(questions, widths, strict=True):
        text = Text()
        for index, (item, width) in enumerate(zip(items, item_widths, strict=True)):
            outcome = marked.get(item.id)
            shown = "" if outcome is None else layout.cell(outcome, encoding)
            text.append(
                " " * (index > 0) + shown.rjust(width), STATUS_STYLES[outcome.status].style if outcome else ""
            )
        row.append(text)
    row.append(Text(number(result.points), "bold") if result.marked else Text("!", "bold magenta"))
    return row


def _legend(
    results: Sequence[SubmissionResult], layout: Layout, questions: Questions, console: Console
) -> list[Text]:
    lines: list[Text] = []
    if not layout.by_name:
        for question, items in questions:
            names = (f"{index} {' '.join(_words(item))}" for index, item in enumerate(items, 1))
            lines += wrapped(Text(f"{question}  " + ", ".join(names), "dim"), console, indent=1, hang=5)
    present = {item.status for result in results for item in result.items}
    signs = Text()
    for item_status, look in STATUS_STYLES.items():
        if item_status not in present:
            continue
        if layout.cell is _points_or_sign and item_status in (PASSED, PARTIAL):
            signs.append(f"{look.word}  ", look.style)
        else:
            signs.append(f"{sign(item_status, console.encoding)} {look.word}  ", look.style)
    return [*lines, *wrapped(signs, console, indent=1)]

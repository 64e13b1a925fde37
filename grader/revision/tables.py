"""A comparison of two runs as text, as CSV and as a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from grader.report.cells import harmless
from grader.report.marks_csv import number
from grader.report.pages.findings import in_words
from grader.report.pages.render import policy, render
from grader.report.pages.style import on_one_line
from grader.revision.compare import CONDITIONS, Comparison, Move
from grader.text import counted, listed, one_line, printable

COLUMNS = ("submission", "item", "before", "after", "max_points", "differs", "checks")
NO_POINTS = "none"
MOST_MESSAGE = 140


def points(value: float | None) -> str:
    """Points as people write them."""
    return NO_POINTS if value is None else number(value)


def reasons(move: Move) -> Iterator[str]:
    """Why an item's points would change, a line each."""
    if move.decided[0] and not move.decided[1]:
        yield "a person's decision holds no more"
    for check in move.checks:
        change = f"{check.before or 'no such check'} -> {check.after or 'no such check'}"
        message = f": {one_line(check.message, MOST_MESSAGE)}" if check.message else ""
        yield f"{in_words(check.name)}, {change}{message}"


def conditions(move: Move) -> str:
    """What else differs between the two results."""
    return ", ".join(CONDITIONS[key] for key in move.conditions) or "nothing else"


def overtaken(found: Comparison) -> list[str]:
    """The decisions to look at again, a line each."""
    return [
        f"{printable(one.submission)}, {one.item}: a person decided on {number(one.decided)} points when the "
        f"checks gave {number(one.before)}; they give {number(one.after)} now: is the decision still right?"
        for one in found.overtaken
    ]


def as_text(found: Comparison) -> str:
    """For a terminal."""
    lines = []
    for name in found.moved:
        moves = [move for move in found.moves if move.submission == name]
        lines.append(f"{printable(name)} ({conditions(moves[0])})")
        for move in moves:
            change = f"{points(move.before)} -> {points(move.after)} of {number(move.max_points)}"
            lines.append(f"  {move.item}: {change}")
            lines += [f"    {printable(reason, 220)}" for reason in reasons(move)]
    lines += overtaken(found)
    same, moved = len(found.same), len(found.moved)
    lines.append(f"{counted(moved, 'submission')} would move, {same} would not")
    for what, names in (("old", found.only_old), ("new", found.only_new)):
        if names:
            lines.append(f"only in {what}: {listed(map(printable, names), 10)}")
    if found.unmarked:
        lines.append(f"not marked in new, through the grader's own fault: {listed(found.unmarked, 10)}")
    return "\n".join(lines)


def as_csv(found: Comparison) -> bytes:
    """For a spreadsheet: a row for each item that would move."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for move in found.moves:
        writer.writerow(
            [
                harmless(move.submission),
                move.item,
                "" if move.before is None else number(move.before),
                "" if move.after is None else number(move.after),
                number(move.max_points),
                conditions(move),
                harmless("; ".join(reasons(move))),
            ]
        )
    return table.getvalue().encode("utf-8", "replace")


def as_page(found: Comparison) -> bytes:
    """For a browser; it loads nothing from elsewhere."""
    rows = [
        (
            on_one_line(move.submission, 120),
            move,
            points(move.before),
            points(move.after),
            conditions(move),
            [on_one_line(reason, 240) for reason in reasons(move)],
        )
        for move in found.moves
    ]
    return render(
        "comparison.html.j2",
        policy=policy(None),
        rows=rows,
        overtaken=[on_one_line(line, 300) for line in overtaken(found)],
        moved=len(found.moved),
        same=len(found.same),
        old=on_one_line(str(found.old), 200),
        new=on_one_line(str(found.new), 200),
        alone=[
            (what, [on_one_line(name, 120) for name in names])
            for what, names in (("old", found.only_old), ("new", found.only_new))
            if names
        ],
    )

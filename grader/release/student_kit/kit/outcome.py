"""What a check shows: a line for every item, one thing to do next in full, the other causes in short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from kit.tests import HERE, STYLES, Failure, Item

BAR = 10  # characters
FULL, EMPTY = "■", "·"
PLAIN = "#", "."  # for a console that has no such signs
COUNTS = 48  # characters to the right of a title
PRINTED_LINES = 10
NARROW = 64  # characters: below it a cause stands beneath its item, not beside it


@dataclass
class Cause:
    """What makes tests fail: one mistake, or one thing that is not written.

    Attributes:
        item: the first item that shows it.
        failure: the first test that does.
        tests: how many there are in that item.
        others: in which items besides.
    """

    item: Item
    failure: Failure
    tests: int = 0
    others: list[Item] = field(default_factory=list)


def causes_of(items: Sequence[Item]) -> list[Cause]:
    """Each cause once, in the order of the exercise."""
    found: dict[str, Cause] = {}
    for item in items:
        for failure in item.failures:
            cause = found.setdefault(failure.cause, Cause(item, failure))
            if item is cause.item:
                cause.tests += 1
            elif item not in cause.others:
                cause.others.append(item)
    return list(found.values())


def first_to_see(causes: Sequence[Cause]) -> Cause | None:
    """The first mistake in what is written; where there is none, the first thing to write."""
    wrong = (cause for cause in causes if not cause.failure.not_written)
    return next(wrong, causes[0] if causes else None)


def signs(console: Console) -> tuple[str, str]:
    """What a bar is made of."""
    try:
        (FULL + EMPTY).encode(console.encoding)
    except (UnicodeError, LookupError):
        return PLAIN
    return FULL, EMPTY


def in_reach(item: Item) -> str:
    """Points of an item: all of them only where all tests pass, but a test that passes is worth something."""
    if item.status == "done":
        return f"{item.points:g} of {item.points:g}"
    return f"part of {item.points:g}" if item.passed else f"0 of {item.points:g}"


def overview(items: Sequence[Item], console: Console) -> Table:
    """A line for every item, with a heading for every question; on a narrow console two, and no bar."""
    full, empty = signs(console)
    narrow = console.width < NARROW
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=not narrow)
    for heading in ("", "tests", "", "points in reach"):
        table.add_column(heading, no_wrap=True)
    question = ""
    for item in items:
        if item.id.split(".")[:2] != question.split("."):
            question = ".".join(item.id.split(".")[:2])
            table.add_row(Text(f"Question {question}", style="bold"))
        filled = BAR * item.passed // max(item.tests, 1)
        title = Text(f"  {item.title}")
        title.truncate(18 if narrow else max(18, console.width - COUNTS), overflow="ellipsis")
        count, status = f"{item.passed:2d} of {item.tests}", Text(item.status, style=STYLES[item.status])
        if narrow:
            table.add_row(title, count, status)
            table.add_row("", in_reach(item))
        else:
            table.add_row(title, f"{full * filled}{empty * (BAR - filled)} {count}", status, in_reach(item))
    return table


def in_full(cause: Cause, hint: bool) -> Panel:
    """All that is known of a cause; a hint on request, but always where there is only something to write."""
    item, failure = cause.item, cause.failure
    body = Text(failure.message)

    def add(title: str, *lines: str) -> None:
        body.append(f"\n\n{title}  ", style="bold").append(("\n" + " " * (len(title) + 2)).join(lines))

    if failure.meaning:
        add("What that means", failure.meaning)
    if failure.not_written:
        add("Where", failure.hint)
    elif failure.places:
        add("Your code", *failure.places)
    if failure.hint and hint and not failure.not_written:
        add("Hint", failure.hint)
    if failure.printed.strip():
        add("It printed", *failure.printed.rstrip().splitlines()[-PRINTED_LINES:])
    add("The test", f"{item.file.relative_to(HERE).as_posix()}: {failure.test}{more(cause)}")
    body.append("\nRun it alone  ", style="bold").append(f"python check.py {item.id}")
    if failure.hint and not hint and not failure.not_written:
        body.append("\nFor a hint  ", style="bold").append(f"python check.py {item.id} --hint")
    heading = "Next" if failure.not_written else "First failure"
    return Panel(body, title=f"{heading}: {item.id}, {item.title}", title_align="left", border_style="cyan")


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])


def more(cause: Cause) -> str:
    """How many other tests fail for the same cause, and where."""
    said = [f"{cause.tests - 1} more of {cause.item.id}"] if cause.tests > 1 else []
    said += [item.id for item in cause.others]
    return f"; the same in {listed(said)}" if said else ""


def in_short(cause: Cause) -> str:
    """A cause in a sentence, with what it concerns."""
    tests = f"{cause.tests} test{'s' if cause.tests > 1 else ''}"
    also = listed([item.id for item in cause.others])
    if cause.failure.not_written:
        wait = f"; {also} wait{'s' if len(cause.others) == 1 else ''} for it" if also else ""
        return f"write {cause.failure.not_written} ({tests}{wait})"
    where = cause.failure.test if cause.tests == 1 else tests
    return f"{where}{f', also in {also}' if also else ''}: {cause.failure.message.splitlines()[0]}"


def the_rest(causes: Sequence[Cause], console: Console) -> Iterator[RenderableType]:
    """A line for each cause; it is wrapped and never cut, since the end of it may be what matters."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for cause in causes:
        status = "to do" if cause.failure.not_written else "wrong"
        name, said = Text(cause.item.id), Text(status, style=STYLES[status])
        if console.width < NARROW:
            yield Padding(name.append("  ").append(said), (0, 0, 0, 2))
            yield Padding(Text(in_short(cause)), (0, 0, 0, 4))
        else:
            table.add_row(name, said, Text(in_short(cause)))
    if table.row_count:
        yield Padding(table, (0, 0, 0, 2))


def show(
    console: Console, items: Sequence[Item], everything: Sequence[Item], unlike: Sequence[str], hint: bool
) -> None:
    """The whole report; `unlike` is what the grader will see in another way."""
    console.print()
    console.print(overview(items, console))
    for what in unlike:
        console.print()
        console.print(Text("The grader will not see this  ", style=STYLES["wrong"]).append(what, "default"))
    causes = causes_of(items)
    first = first_to_see(causes)
    if first is not None:
        console.print()
        console.print(in_full(first, hint))
        rest = [cause for cause in causes if cause is not first]
        if rest:
            console.print(Text("The rest", style="bold"))
            for line in the_rest(rest, console):
                console.print(line)
    automatic = [item for item in everything if item.how == "auto"]
    reached = sum(item.points for item in items if item.status == "done")
    begun = sum(item.points for item in items if item.status != "done" and item.passed)
    of = sum(item.points for item in items)
    rest_of_all = sum(item.points for item in everything) - sum(item.points for item in automatic)
    console.print()
    told = f"In reach: {reached:g} of {of:g} points{f', and a part of {begun:g} more' if begun else ''}"
    where = ", marked by tests." if len(items) == len(automatic) else ", of what was checked here."
    console.print(Text(told, style="bold").append(where, "not bold"))
    console.print(
        "These tests are previews: they come close to those that mark your work, but the points come from "
        f"the grader, which has its own. {rest_of_all:g} more points are for your figures and answers in "
        "report.ipynb."
    )

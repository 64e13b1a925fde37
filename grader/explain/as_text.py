"""An explanation as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grader.explain.explanation import Explanation, Named
from grader.explain.statistic import percent
from grader.text import printable

AGREEMENT = {
    "same": "run again: the same result as in results.json",
    "alike": "run again: it fails in the same way, with other numbers, since the code draws some at random",
    "failed too": "run again: it fails with another message, since the code draws numbers at random",
    "other": "run again: another result than in results.json",
}
SHORT = 28  # lines of one value
MOST_SIGNS = 20_000  # of a line


def as_lines(one: Explanation, with_snippet: bool = True) -> Iterator[str]:
    """The lines; all that a student has a say in is harmless in them."""
    yield f"{one.item}  {one.before.name}: {one.before.status}"
    if one.before.message:
        yield f"  {printable(one.before.message, 800)}"
    if one.before.hint:
        yield f"  Hint: {printable(one.before.hint, 800)}"
    yield f"  ({AGREEMENT[one.agreement]})"
    if one.agreement in ("failed too", "other"):
        message = f": {printable(one.now.message, 800)}" if one.now.message else ""
        yield f"  this time: {one.now.status}{message}"
    if one.others:
        yield f"  {others_of(one)}"
    if one.call:
        yield from _titled("The call", one.call)
        if one.helper:
            yield f"  ({one.helper})"
    if one.steps:
        yield from _titled("What the check did, by helpers of the grader's in the sandbox", one.steps)
    if one.inputs:
        yield from _titled("Its inputs", _named(one.inputs))
    if one.came:
        yield from _titled(f"What came, {one.part}" if one.part else "What came", one.came)
    if one.surprise:
        yield from _titled("What the check could not do with it", [one.surprise])
    if one.expected:
        yield from _titled("What was expected", one.expected)
    if one.compared and not one.condition:
        yield from _titled("What the check had at hand", _named(one.compared))
    if one.condition:
        yield from _titled("What should hold", [printable(one.condition, 500), *_named(one.compared)])
    if one.differences:
        count, total = one.differing
        lines = [f"{'at':<12} {'came':>14} {'expected':>14} {'difference':>14}"]
        for row in one.differences:
            lines.append(
                f"{row.place:<12} {row.came:>14.7g} {row.expected:>14.7g} {row.came - row.expected:>14.7g}"
            )
        yield from _titled(f"Where they differ: {count} of {total}, by more than {one.tolerance}", lines)
    if one.statistics:
        yield from _titled("Figures beside their limits", _figures(one))
    if one.distribution:
        yield from _titled("What was drawn", one.distribution)
    if one.snippet is None:
        yield ""
        yield f"No plain Python for it: {one.why_none}."
    elif with_snippet:
        yield from _titled("The same in plain Python", one.snippet.code.splitlines())


def others_of(one: Explanation) -> str:
    """Which checks ended with the same message, and how to see one of them."""
    count = len(one.others)
    more = "one more check fails" if count == 1 else f"{count} more checks fail"
    return f"{more} with the same message: {', '.join(one.others)}; name one to see it"


def _figures(one: Explanation) -> Iterator[str]:
    for figure in one.statistics:
        chance = (
            ""
            if figure.chance is None
            else (
                f"; right code is so far out with probability {'at most ' if figure.at_most else ''}"
                f"{percent(figure.chance)}"
            )
        )
        unit = f" {figure.unit}" if figure.unit else ""
        yield f"{figure.name}: {figure.value:.4g}{unit}, the limit is {figure.limit:.4g}{chance}"


def _named(values: tuple[Named, ...]) -> Iterator[str]:
    width = max((len(value.name) for value in values), default=0)
    for value in values:
        first, *rest = value.lines
        yield f"{value.name:<{width}}  {first}"
        for line in rest:
            yield f"{'':<{width}}  {line}"


def _titled(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield title
    shown = [printable(line, MOST_SIGNS) for line in lines]
    for line in shown[:SHORT] if len(shown) > SHORT + 40 else shown:
        yield f"  {line}"
    if len(shown) > SHORT + 40:
        yield f"  ... {len(shown) - SHORT} more lines"

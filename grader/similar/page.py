"""A page with the most alike pairs, both sides next to each other and what they share marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader.files import write_atomically
from grader.similar.compare import Pair, Span


@dataclass(frozen=True)
class Piece:
    """Some of a side's code, and whether the other side has it too."""

    text: str
    shared: bool


@dataclass(frozen=True)
class Side:
    """One of the two submissions of a pair."""

    name: str
    share: float
    pieces: tuple[Piece, ...]


def write_page(
    path: Path,
    pairs: Sequence[Pair],
    codes: Mapping[str, str],
    empty: Sequence[str],
    against: Sequence[Pair] = (),
    others: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write the page.

    Args:
        path: where to.
        pairs: within the cohort, from the most alike on.
        codes: what each student wrote, by the submission's name.
        empty: names of submissions without any code of their own.
        against: pairs with submissions of other cohorts, likewise.
        others: what those wrote, by cohort and name.

    Raises:
        OSError: it cannot be written.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    others = others or {}
    text = environment.get_template("page.html.j2").render(
        pairs=[(pair, _sides(pair, codes, codes)) for pair in pairs],
        against=[(pair, _sides(pair, codes, others[pair.cohort])) for pair in against],
        cohorts={cohort: len(theirs) for cohort, theirs in others.items()},
        compared=len(codes) - len(empty),
        empty=empty,
    )
    write_atomically(path, text.encode("utf-8", "replace"))


def _sides(pair: Pair, mine: Mapping[str, str], theirs: Mapping[str, str]) -> list[Side]:
    other = f"{pair.second} of {pair.cohort}" if pair.cohort else pair.second
    return [
        Side(pair.first, pair.shares[0], pieces(mine[pair.first], pair.spans[0])),
        Side(other, pair.shares[1], pieces(theirs[pair.second], pair.spans[1])),
    ]


def pieces(code: str, spans: Sequence[Span]) -> tuple[Piece, ...]:
    """The code cut at the ends of the spans."""
    found: list[Piece] = []
    position = 0
    for start, end in sorted(spans):
        start, end = max(start, position), min(end, len(code))
        if start >= end:
            continue
        if start > position:
            found.append(Piece(code[position:start], shared=False))
        found.append(Piece(code[start:end], shared=True))
        position = end
    if position < len(code):
        found.append(Piece(code[position:], shared=False))
    return tuple(found)

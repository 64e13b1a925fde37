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


def write_page(path: Path, pairs: Sequence[Pair], codes: Mapping[str, str], empty: Sequence[str]) -> None:
    """Write the page.

    Args:
        path: where to.
        pairs: from the most alike on.
        codes: what each student wrote, by the submission's name.
        empty: names of submissions without any code of their own.

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
    sides = [
        [
            Side(name, share, pieces(codes[name], spans))
            for name, share, spans in zip((pair.first, pair.second), pair.shares, pair.spans, strict=True)
        ]
        for pair in pairs
    ]
    text = environment.get_template("page.html.j2").render(
        pairs=list(zip(pairs, sides, strict=True)), compared=len(codes) - len(empty), empty=empty
    )
    write_atomically(path, text.encode("utf-8", "replace"))


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

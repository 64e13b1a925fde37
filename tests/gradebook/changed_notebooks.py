"""Notebooks as students and their tools leave them, for Hypothesis: the released one, changed in steps."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

Cell = dict[str, Any]

# What a student types: a line with a word that no other text holds, and whatever else comes to mind.
_SIGNS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
_ODDITIES = st.sampled_from(
    [
        *(
            "$$",
            "$q(z|x)$",
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "```",
            "```python\nx = 1\n```",
            "- [x] done",
            "7",
        ),
        *(
            "YOUR ANSWER HERE",
            "## Question 1.3: not at all",
            "## Question 2.6",
            "1.5",
            "---",
            "<!--",
            "> quote",
        ),
        *(
            "**Answer:**",
            "<div>",
            "[1]: here",
            "\\begin{align}",
            "![](attachment:lost.png)",
            "",
            " ",
            "\t1. a",
        ),
    ]
)


@st.composite
def changed(draw: st.DrawFn, released: list[Cell]) -> list[Cell]:
    """The cells of a notebook that was handed in."""
    cells = [dict(cell) for cell in released]
    words = iter(range(1_000))
    if draw(st.booleans()):  # somebody who has answered
        for cell in cells:
            if cell["metadata"]["nbgrader"]["solution"] and draw(st.integers(0, 3)):
                cell["source"] = f"typed{next(words)}word."
    for _ in range(draw(st.integers(1, 8))):
        if cells:
            draw(st.sampled_from(_STEPS))(draw, cells, words)
    if draw(st.integers(0, 3)) == 0:  # a converter, or nb-clean
        _strip(cells, draw(st.booleans()), draw(st.booleans()))
    return cells


def _text(draw: st.DrawFn, words: Any) -> str:
    before, after = draw(_SIGNS), draw(_SIGNS)
    text = f"{before} typed{next(words)}word {after}"
    odd = draw(st.lists(_ODDITIES, max_size=2))
    return "\n".join([*odd[:1], text, *odd[1:]])


def _place(draw: st.DrawFn, cells: list[Cell]) -> int:
    return draw(st.integers(0, len(cells) - 1))


def _type_into(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    cell = cells[_place(draw, cells)]
    lines = cell["source"].split("\n")
    line = draw(st.integers(0, len(lines)))
    cell["source"] = "\n".join([*lines[:line], _text(draw, words), *lines[line:]])


def _type_behind(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    cells[_place(draw, cells)]["source"] += draw(st.sampled_from(["", " ", "\n", "\n\n"])) + _text(
        draw, words
    )


def _write_over(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    cells[_place(draw, cells)]["source"] = _text(draw, words)


def _add(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    kind = draw(st.sampled_from(["markdown", "code", "raw"]))
    new = {"cell_type": kind, "metadata": {}, "source": _text(draw, words)}
    cells.insert(draw(st.integers(0, len(cells))), new)


def _move(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    cell = cells.pop(_place(draw, cells))
    cells.insert(draw(st.integers(0, len(cells))), cell)


def _merge(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    place = _place(draw, cells)
    merged = cells[place + 1 : place + 1 + draw(st.integers(1, 4))]
    cells[place]["source"] = "\n\n".join(cell["source"] for cell in (cells[place], *merged))
    del cells[place + 1 : place + 1 + len(merged)]


def _split(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    """As JupyterLab does: both halves keep the metadata."""
    place = _place(draw, cells)
    source = cells[place]["source"]
    cut = draw(st.integers(0, len(source)))
    second = copy.deepcopy(cells[place]) | {"source": source[cut:], "id": "another"}
    cells[place]["source"] = source[:cut]
    cells.insert(place + 1, second)


def _copy(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    twin = copy.deepcopy(cells[_place(draw, cells)])
    if draw(st.booleans()):
        twin["source"] += "\n" + _text(draw, words)
    cells.insert(draw(st.integers(0, len(cells))), twin)


def _delete(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    del cells[_place(draw, cells)]


def _strip_some(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    first = _place(draw, cells)
    _strip(cells[first : first + draw(st.integers(1, 6))], True, draw(st.booleans()))


def _exchange(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    """Metadata that a tool leaves on another cell."""
    one, other = cells[_place(draw, cells)], cells[_place(draw, cells)]
    one["metadata"], other["metadata"] = other["metadata"], one["metadata"]


def _change_kind(draw: st.DrawFn, cells: list[Cell], words: Any) -> None:
    cells[_place(draw, cells)]["cell_type"] = draw(st.sampled_from(["markdown", "code", "raw", "heading"]))


def _strip(cells: list[Cell], metadata: bool, ids: bool) -> None:
    for number, cell in enumerate(cells):
        if metadata:
            cell["metadata"] = {}
        if ids:
            cell["id"] = str(number)


_STEPS = [
    *(_type_into, _type_behind, _write_over, _add, _move, _merge, _split, _copy, _delete, _strip_some),
    *(_exchange, _change_kind),
]

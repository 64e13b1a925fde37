"""Markdown as JupyterLab shows it: what differs from nbconvert's, which draws formgrader's pages.

nbconvert 7.17 reads Markdown with mistune 3, which gives up a whole table for one row with another number of
bars: one in a formula, in code, or a cell too few. JupyterLab takes formulas out first, pads short rows, and
draws task lists with boxes. What comes out of here is not safe: `safe_html` cleans it.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum, auto
from re import Match
from typing import Any

from mistune import BlockParser, BlockState, InlineState, Markdown, import_plugin
from mistune.helpers import BLOCK_TAGS, PRE_TAGS
from mistune.plugins.table import table as table_plugin
from mistune.plugins.table import table_in_list, table_in_quote
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, MathInlineParser

TICKED, UNTICKED = "\N{BALLOT BOX WITH CHECK}", "\N{BALLOT BOX}"

_ROW = r"^ {0,3}[^\s][^\n]*(?:\n|$)"
_DELIMITER = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
# A bar, what begins a formula, in any of the marks that JupyterLab knows, or code, and what is escaped.
_SIGN = re.compile(
    r"(?P<bar>\|)|(?P<opening>`+|\$\$?|\\\\[(\[]|\\begin\{[a-z]*\*?\})|\\(?:\\(?!\$)|[^\\])", re.DOTALL
)
_CLOSING = re.compile(r"`+|(?<!\\)\$\$?|\\\\[)\]]|\\end\{[a-z]*\*?\}")
_TAGS = "|".join((*BLOCK_TAGS, *PRE_TAGS))
# What begins another block is no row of the table above: nor is a formula that goes on below, or an element
# that holds all of its line.
_OTHER_BLOCK = re.compile(
    r" {4}| {0,3}(?:\t|>|#{1,6}[ \t]|(?:[*+-]|\d{1,9}[.)])[ \t]|~{3}|`{3,}[^`\n]*$"
    r"|\$\$(?!.*\$\$)|\\\\\[(?!.*\\\\\])|\\begin\{(?!.*\\end\{)"
    rf"|</?(?:{_TAGS})(?=[\s/>])|<[!?]"
    r"|<(?P<tag>[a-z][a-z\d-]*+)[^>\n]*>(?:(?!</(?P=tag)\b).)*</(?P=tag)>\s*$)",
    re.IGNORECASE | re.MULTILINE,
)


class _Held(Enum):
    """Which of what looks like a formula or code holds its bars together."""

    NONE = auto()
    SURE = auto()  # but not the amounts of `| 5$ | 6$ |`
    ALL = auto()


def to_html(source: str) -> str:
    """Markdown to HTML, with all the HTML that is in it, and pictures by the names that they have there."""
    renderer = _Renderer(escape=False, exclude_anchor_links=True)
    plugins = [
        *(import_plugin(name) for name in MarkdownWithMath.DEFAULT_PLUGINS if name != "table"),
        _tables,
        _ticked_boxes,
    ]
    parser = MarkdownWithMath(renderer=renderer, inline=_Inline(hard_wrap=False), plugins=plugins)
    return parser.render(source)


class _Renderer(IPythonRenderer):
    def _embed_image_or_attachment(self, src: str) -> str:
        return src  # nbconvert shows no page at all where an attachment is missing


class _Inline(MathInlineParser):
    def parse_escape(self, m: Match[str], state: InlineState) -> int:
        """Leave `\\$` to MathJax, for which a bare `$` begins a formula."""
        for index, piece in enumerate(m[0].split("\\$")):
            if index:
                state.append_token({"type": "text", "raw": "\\$"})
            if piece:
                self.process_text(re.sub(r"\\(.)", r"\1", piece), state, parse_emphasis=False)
        return m.end()


def _ticked_boxes(md: Markdown) -> None:
    """Draw the boxes of a task list as signs: a form element gets through to no page."""

    def item(renderer: Any, text: str, checked: bool = False) -> str:
        box = f"{TICKED if checked else UNTICKED} "
        text = text.replace("<p>", f"<p>{box}", 1) if text.startswith("<p>") else box + text
        return f"<li>{text}</li>\n"

    if md.renderer:
        md.renderer.register("task_list_item", item)


def _tables(md: Markdown) -> None:
    """mistune's tables, read by the rules of GitHub: https://github.github.com/gfm/#tables-extension-."""
    table_plugin(md)
    for rule in ("table", "nptable"):
        md.block.rules.remove(rule)
    md.block.register("table", _ROW, _parse_table, before="paragraph")
    table_in_quote(md)
    table_in_list(md)
    for rules in (md.block.block_quote_rules, md.block.list_rules):
        if "nptable" in rules:
            rules.remove("nptable")


def _parse_table(block: BlockParser, m: Match[str], state: BlockState) -> int | None:
    delimiters = state.get_line(m.end())
    if "|" not in m[0] or "|" not in delimiters or not _DELIMITER.fullmatch(delimiters.rstrip("\n")):
        return None
    sides = [_side(mark) for mark in _cells(delimiters, _Held.NONE)]
    readings = (_cells(m[0], held) for held in (_Held.SURE, _Held.ALL, _Held.NONE))
    heads = next((cells for cells in readings if len(cells) == len(sides)), None)
    if heads is None:
        return None
    position = m.end() + len(delimiters)
    rows = []
    while position < state.cursor_max:
        line = state.get_line(position)
        if _OTHER_BLOCK.match(line) or all(sign != "|" for sign, _, _ in _signs(line, _Held.SURE)):
            break
        rows.append({"type": "table_row", "children": _row(_fitted(line, len(sides)), sides, head=False)})
        position += len(line)
    head = {"type": "table_head", "children": _row(heads, sides, head=True)}
    children = [head, {"type": "table_body", "children": rows}] if rows else [head]
    state.append_token({"type": "table", "children": children})
    return position


def _row(cells: list[str], sides: list[str | None], head: bool) -> list[dict[str, Any]]:
    return [
        {"type": "table_cell", "text": text, "attrs": {"align": side, "head": head}}
        for text, side in zip(cells, sides, strict=True)
    ]


def _fitted(line: str, columns: int) -> list[str]:
    """A row's cells, as many as there are columns.

    Cells that are missing are empty. Of too many none is dropped: the last holds the rest.
    """
    readings = [_cells(line, held) for held in (_Held.SURE, _Held.ALL)]
    cells = next((cells for cells in readings if len(cells) == columns), readings[-1])
    if len(cells) > columns:
        cells = [*cells[: columns - 1], " \\| ".join(cells[columns - 1 :])]
    return cells + [""] * (columns - len(cells))


def _cells(line: str, held: _Held) -> list[str]:
    cells, start = [], 0
    line = line.strip()
    for sign, place, end in _signs(line, held):
        if sign == "|":
            cells.append(line[start:place])
            start = end
    if not cells:
        return [line]
    if cells[0].strip() == "" and line.startswith("|"):
        cells = cells[1:]
    if line[start:].strip():
        cells.append(line[start:])
    return [_unescaped_code(cell.strip()) for cell in cells]


def _signs(line: str, held: _Held) -> Iterator[tuple[str, int, int]]:
    """The borders, and the formulas and code between them: what begins each, its place and its end.

    The places of all that closes are gathered once, so that a row takes no longer than its length.
    """
    closings = defaultdict[str, list[int]](list)
    for end in _CLOSING.finditer(line) if held is not _Held.NONE else ():
        closings[end[0]].append(end.start())
        if end[0] == "$$":  # may also end one formula and begin the next
            closings["$"] += (end.start(), end.start() + 1)
    place = 0
    while found := _SIGN.search(line, place):
        start, place = found.span()
        opening = found["opening"]
        if found["bar"]:
            yield "|", start, place
        if not opening:
            continue
        closing = opening.replace("begin", "end", 1).replace("(", ")").replace("[", "]")
        places = closings[closing]
        at = bisect(places, place)  # behind it: nothing between the two is no formula
        if at < len(places) and (held is _Held.ALL or _is_sure(line, opening, place, places[at])):
            place = places[at] + len(closing)
            yield opening, start, place
        elif opening == "$$":
            place -= 1


def _is_sure(line: str, opening: str, start: int, end: int) -> bool:
    """Whether it is a formula or code, and not a cell's end and the next one's start: `5$ | 6$`."""
    content = line[start:end]
    inner = content.strip()
    if inner != content and "|" in (inner[:1], inner[-1:]):
        return False
    return opening != "$" or not (line[start - 2 : start - 1].isdigit() or line[end + 1 : end + 2].isdigit())


def _unescaped_code(cell: str) -> str:
    """The cell with bars in code as they are meant: only in a table are they written `\\|`."""
    pieces, start = [], 0
    for sign, place, end in _signs(cell, _Held.ALL) if "`" in cell and "\\|" in cell else ():
        if sign.startswith("`"):
            pieces += [cell[start:place], cell[place:end].replace("\\|", "|")]
            start = end
    return "".join(pieces) + cell[start:]


def _side(mark: str) -> str | None:
    left, right = mark.startswith(":"), mark.endswith(":")
    return "center" if left and right else "left" if left else "right" if right else None

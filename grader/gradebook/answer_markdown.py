"""Markdown as JupyterLab shows it: what differs from nbconvert's, which draws formgrader's pages.

nbconvert 7.17 reads Markdown with mistune 3, which gives up a whole table for one row with another number of
bars: one in a formula, in code, or a cell too few. JupyterLab takes formulas out first, pads short rows, and
draws task lists with boxes. What comes out of here is not safe: `safe_html` cleans it.
"""

from __future__ import annotations

import re
from re import Match
from typing import Any

from mistune import BlockParser, BlockState, InlineState, Markdown, import_plugin
from mistune.plugins.table import table as table_plugin
from mistune.plugins.table import table_in_list, table_in_quote
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, MathInlineParser

TICKED, UNTICKED = "\N{BALLOT BOX WITH CHECK}", "\N{BALLOT BOX}"

MAX_ROW = 2_000  # characters in which formulas and code are looked for: that takes the square of them

_ROW = r"^ {0,3}[^\s][^\n]*(?:\n|$)"
_DELIMITER = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
# What holds its bars together: a formula, in any of the marks that JupyterLab knows, or code.
_WHOLE = re.compile(
    r"(?P<escaped>\\[|$`])"
    r"|(?P<formula>\$\$.+?(?<!\\)\$\$|\$[^$]+?(?<!\\)\$|\\\\\(.+?\\\\\))"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|(?P<bar>\|)"
)
_BARS = re.compile(r"(?P<escaped>\\.)|(?P<bar>\|)")


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
    sides = [_side(mark) for mark in _cells(delimiters, _BARS)]
    heads = _fitted(m[0], len(sides), exact=True)
    if heads is None:
        return None
    position = m.end() + len(delimiters)
    rows = []
    while position < state.cursor_max:
        line = state.get_line(position)
        if "|" not in line:
            break
        cells = _fitted(line, len(sides)) or []
        rows.append({"type": "table_row", "children": _row(cells, sides, head=False)})
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


def _fitted(line: str, columns: int, exact: bool = False) -> list[str] | None:
    """A row's cells, as many as there are columns.

    Where the bars in formulas and code are no borders, and the number fits only if they are, they are. Cells
    that are missing are empty. Of too many none is dropped: the last holds the rest.
    """
    split = _cells(line, _BARS)
    whole = _cells(line, _WHOLE) if len(line) <= MAX_ROW else split
    cells = split if len(whole) != columns == len(split) else whole
    if exact and len(cells) != columns:
        return None
    if len(cells) > columns:
        cells = [*cells[: columns - 1], " \\| ".join(cells[columns - 1 :])]
    return cells + [""] * (columns - len(cells))


def _cells(line: str, pattern: re.Pattern[str]) -> list[str]:
    cells, start = [], 0
    line = line.strip()
    for found in pattern.finditer(line):
        if found.lastgroup != "bar" and found.group("bar") is None:
            continue
        cells.append(line[start : found.start()])
        start = found.end()
    if not cells:
        return [line]
    if cells[0].strip() == "" and line.startswith("|"):
        cells = cells[1:]
    if line[start:].strip():
        cells.append(line[start:])
    return [_unescaped_code(cell.strip()) for cell in cells]


def _unescaped_code(cell: str) -> str:
    """The cell with bars in code as they are meant: only in a table are they written `\\|`."""
    if "`" not in cell or len(cell) > MAX_ROW:
        return cell
    return _WHOLE.sub(lambda found: found[0].replace("\\|", "|") if found["ticks"] else found[0], cell)


def _side(mark: str) -> str | None:
    left, right = mark.startswith(":"), mark.endswith(":")
    return "center" if left and right else "left" if left else "right" if right else None

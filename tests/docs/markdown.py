"""Markdown files as GitHub reads them: links, headings with their anchors, and formulas."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HANDOUT = DOCS / "handout"

_FORMULA = re.compile(r"\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$\n]+)\$", re.DOTALL)
_CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def parse(text: str) -> list[Token]:
    """The blocks of a page, as CommonMark with tables."""
    return MarkdownIt("commonmark").enable("table").parse(text)


def links(text: str) -> list[str]:
    """Targets of all links and pictures of a page."""
    found = []
    for block in parse(text):
        for token in block.children or []:
            if token.type in ("link_open", "image"):
                found.append(str(token.attrs["href" if token.type == "link_open" else "src"]))
    return found


def headings(text: str) -> list[tuple[int, str]]:
    """Level and text of each heading."""
    blocks = parse(text)
    return [
        (int(block.tag[1]), content.content)
        for block, content in pairwise(blocks)
        if block.type == "heading_open"
    ]


def anchors(text: str) -> set[str]:
    """What can follow the # of a link to a page: headings by GitHub's rule, and ids given in HTML."""
    seen: Counter[str] = Counter()
    found = set(re.findall(r'<a id="([^"]+)"', text))
    for _, heading in headings(text):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a page: rows of cells, the header row first, as they are written."""
    found: list[list[list[str]]] = []
    blocks = parse(text)
    for block, content in zip(blocks, [*blocks[1:], None], strict=False):
        if block.type == "table_open":
            found.append([])
        elif block.type == "tr_open":
            found[-1].append([])
        elif block.type in ("th_open", "td_open") and content is not None:
            found[-1][-1].append(content.content)
    return found


def formulas(text: str) -> list[tuple[str, bool]]:
    """The formulas of a page, outside code: the TeX, and whether it is a block of its own."""
    return [
        (match["block"] or match["inline"], match["block"] is not None)
        for match in _FORMULA.finditer(_CODE.sub("", text))
    ]

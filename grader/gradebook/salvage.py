"""What can still be read of a notebook file that is not valid JSON: cut off, merged by git, edited by hand.

Cells that are whole are read as they are. Of the others, each string that stands where a cell's text stands
is taken, to the last line that is there. A file that holds no cell at all is one text.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_TRIES = 20_000
MAX_FAILED = 20_000_000  # characters looked at in vain

_OBJECT = re.compile(
    r'\{\s*"(?:attachments|cell_type|collapsed|execution_count|id|input|language|level|metadata|outputs|source)"'
)
_TEXT_FOLLOWS = re.compile(r'"(?:source|input)"\s*:\s*')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)("|\\?\Z)', re.DOTALL)
_NAME = re.compile(r'"grade_id"\s*:\s*"([\w.-]+)"')
_KIND = re.compile(r'"cell_type"\s*:\s*"(code|markdown|raw)"')
_DECODER = json.JSONDecoder(strict=False)


def salvaged_rows(text: str) -> list[dict[str, Any]]:
    """Cells of a damaged notebook, as the notebook format has them."""
    rows: list[dict[str, Any]] = []
    position, failed, tries = 0, 0, 0
    gap = 0  # where what is not read yet begins
    while tries < MAX_TRIES and failed < MAX_FAILED and (found := _OBJECT.search(text, position)):
        tries += 1
        try:
            value, end = _DECODER.raw_decode(text, found.start())
        except (ValueError, RecursionError) as error:
            failed += getattr(error, "pos", len(text)) - found.start() + 1
            position = found.start() + 1
            continue
        if "cell_type" in value and ("source" in value or "input" in value):
            rows += _loose_rows(text[gap : found.start()])
            rows.append(value)
            gap = end
        position = end
    rows += _loose_rows(text[gap:])
    if rows:
        return rows
    readable = sum(char.isprintable() or char.isspace() for char in text[:10_000])
    if any(char.isalnum() for char in text) and readable >= 0.9 * min(len(text), 10_000):
        return [{"cell_type": "raw", "source": text}]
    return []


def _loose_rows(text: str) -> list[dict[str, Any]]:
    """Cells of what is no JSON: the strings behind each name under which a cell has its text."""
    rows = []
    starts = list(_TEXT_FOLLOWS.finditer(text))
    for number, found in enumerate(starts):
        begin = starts[number - 1].end() if number else 0
        before = text[begin : found.start()]
        until = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        source = _strings(text, found.end(), until)
        name, kind = _last(_NAME, before), _last(_KIND, before) or "markdown"
        if source.strip():
            metadata = {"nbgrader": {"grade_id": name}} if name else {}
            rows.append({"cell_type": kind, "metadata": metadata, "source": source})
    return rows


def _strings(text: str, start: int, until: int) -> str:
    """The strings up to the end of a list, or the only one, where none opens."""
    listed = text.startswith("[", start)
    parts, position = [], start
    while position < until and (found := _STRING.search(text, position, until)):
        if listed and "]" in text[position : found.start()]:
            break
        parts.append(_unescaped(found[1]))
        position = found.end()
        if not listed:
            break
    return "".join(parts)


def _unescaped(body: str) -> str:
    try:
        return json.loads(f'"{body}"', strict=False)
    except ValueError:
        return body


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    return found[-1] if found else ""

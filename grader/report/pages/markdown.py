"""Text in Markdown that says what it says, in every reader: no markup, no links, no HTML of a student's."""

from __future__ import annotations

import re

# An underscore inside a word, as in names of functions, marks nothing up.
_SPECIAL = re.compile(r"([\\`*~|#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def prose(text: str) -> str:
    """Text on one line as plain text."""
    text = _SPECIAL.sub(r"\\\1", text).translate(_ENTITIES)
    # Brackets are left as they are where they can make no link: shapes are full of them.
    if re.search(r"\]\s*[(\[:]", text):
        text = text.replace("[", "&#91;").replace("]", "&#93;")
    return re.sub(r"^(\s*)([-+=]|\d+[.)])", r"\1&#8203;\2", text)


def code(text: str) -> str:
    """Text on one line as a code span, which no character in it can end."""
    text = text.replace("\n", " ").replace("`", "'")
    return f"`{text}`" if text.strip() else ""

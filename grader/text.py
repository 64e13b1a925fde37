"""Text that students influence, made harmless for people to read: on a terminal, on a page, in a message."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

MAX_TEXT = 400
MOST_MARKS = 4  # on one letter; Vietnamese, Hebrew and Thai need two or three

_NO_ASCII = re.compile(rf"[^\x00-\x7f]{{{MOST_MARKS + 1},}}")


def printable(text: str, limit: int = 200) -> str:
    """The text on one line, without anything that a terminal would act on.

    Control and formatting characters, and bytes that are not UTF-8, show as escapes such as `\\x1b`.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return "".join(_escape(char) for char in text)


def _escape(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as the file system functions hand it over
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def one_line(text: Any, limit: int = MAX_TEXT) -> str:
    """A student's text on one line, without control characters; empty if it is no text."""
    if not isinstance(text, str):
        return ""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def readable(text: str, limit: int = 200) -> str:
    """The text on one line, without anything that a terminal would act on or that covers other lines."""
    return printable(without_piles(text), limit)


def without_piles(text: str) -> str:
    """The text without those accents and other marks on a letter that are one too many.

    They are printable, but hundreds of them on one letter reach over the lines above and below.
    """
    return _NO_ASCII.sub(_thinned, text)


def _thinned(found: re.Match[str]) -> str:
    kept, run = [], 0
    for char in found[0]:
        kind = unicodedata.category(char)
        if kind in ("Mn", "Me"):
            run += 1
            if run > MOST_MARKS:
                continue
        elif kind != "Cf":  # an invisible character does not end the letter
            run = 0
        kept.append(char)
    return "".join(kept)


def listed(names: Iterable[str], limit: int = 5) -> str:
    """The names for a message, in order: `a, b, c and 4 more`."""
    ordered = sorted(names)
    shown = ", ".join(printable(name, 80) for name in ordered[:limit])
    return shown if len(ordered) <= limit else f"{shown} and {len(ordered) - limit} more"


def counted(number: int, noun: str) -> str:
    """How many there are, in words: `1 submission`, `2 submissions`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"

"""Text from the box, made safe to show."""

from __future__ import annotations

from typing import Any

MAX_TEXT = 400


def one_line(text: Any, limit: int = MAX_TEXT) -> str:
    """A student's text on one line, without control characters; empty if it is no text."""
    if not isinstance(text, str):
        return ""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"

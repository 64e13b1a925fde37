"""Text that students influence, made harmless for people to read: on a terminal, on a page."""

from __future__ import annotations

import re
import unicodedata

from grader.submission.names import printable

MOST_MARKS = 4  # on one letter; Vietnamese, Hebrew and Thai need two or three

_NO_ASCII = re.compile(rf"[^\x00-\x7f]{{{MOST_MARKS + 1},}}")


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

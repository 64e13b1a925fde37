"""Whether a page shows every word of the Markdown it was made of.

Markdown and HTML hide text: comments, declarations, definitions of links that nothing refers to, a footnote
of one word, a tag that is never closed. What a student wrote is not to be lost to whoever marks it.
"""

from __future__ import annotations

import html
import re
import unicodedata

_WORD = re.compile(r"\w+")
# What Markdown writes for itself: the language of code, the numbers and boxes of a list, names of links.
_MARKS = (
    re.compile(r"^[ \t>]*(?:[-*+]\s+|\d+[.)]\s+)*(?:`{3,}|~{3,})[^`\n]*$", re.MULTILINE),
    re.compile(r"^[ \t>]*(?:[-*+][ \t]+|\d{1,9}[.)][ \t]+)+(?:\[[ xX]\][ \t])?", re.MULTILINE),
    re.compile(r"(?<=\])\[[^\]\n]*\]|(?<=\])\([^()\s]*"),
    re.compile(r"(?:https?://|mailto:|attachment:|data:|figures/)[^\s<>\")\]]*"),
)
_DEFINITION = re.compile(
    r"^ {0,3}(\[[^\]\n]+\]):[ \t]*(?:https?|mailto|attachment|figures)[:/]\S*", re.MULTILINE
)
# A tag by its look. One with bare words in it, as in `<a larger loss>`, is rather a text.
_ATTRIBUTE = r"(?:\s+[\w:-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'=<>`]+)|\s+(?:open|checked|disabled))"
_TAG = re.compile(rf"</?[a-zA-Z][\w-]*{_ATTRIBUTE}*\s*/?>")
_SHOWN_ATTRIBUTE = re.compile(r"\b(?:href|alt|title)=\"([^\"]*)\"")


def lost(source: str, page: str) -> list[str]:
    """The words of a Markdown text that its page does not show.

    Args:
        source: Markdown.
        page: the HTML made of it.
    """
    shown = _letters(" ".join([re.sub(r"<[^>]*>", "", page), *_SHOWN_ATTRIBUTE.findall(page)]))
    typed = _DEFINITION.sub(lambda found: " " if source.count(found[1]) > 1 else found[0], source)
    typed = _TAG.sub(" ", html.unescape(typed))
    for mark in _MARKS:
        typed = mark.sub(" ", typed)
    words = dict.fromkeys(map(_letters, _WORD.findall(typed)))
    return [word for word in words if word not in shown]


def _letters(text: str) -> str:
    """Letters and digits only, in one form: marks and invisible signs may be taken out of a page."""
    folded = unicodedata.normalize("NFKD", html.unescape(text)).casefold()
    return "".join(char for char in folded if char.isalnum())

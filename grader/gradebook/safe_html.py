"""Students' Markdown as harmless HTML, for formgrader and for the feedback page.

nbgrader renders Markdown with all the HTML that is in it. A script in an answer would run in the browser of
whoever marks it, with the right to change every mark. Here what is rendered is cleaned by an allow-list
before it reaches a page. What the cleaning, or Markdown itself, takes out of sight is shown as it was typed.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from pygments.token import STANDARD_TYPES

from grader.gradebook.answer_markdown import to_html
from grader.gradebook.answer_pictures import FIGURE, PICTURE, with_figures, with_pictures
from grader.gradebook.lost_words import lost
from grader.text import printable, without_piles

TAGS = frozenset(
    (
        *("a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl", "dt"),
        *("em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p"),
        *("pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody"),
        *("td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var"),
    )
)
_CELL = frozenset(("align", "colspan", "rowspan", "style"))
_ATTRIBUTES = {
    "details": frozenset(("open",)),
    "div": frozenset(("align", "style")),
    "img": frozenset(("align", "alt", "style")),
    "ol": frozenset(("start",)),
    "p": frozenset(("align", "style")),
    "td": _CELL,
    "th": _CELL,
}
_STYLES = ("text-align", "width", "max-width")
_SIZE = re.compile(r"\d{1,4}(px|%)?\Z")
# nbgrader's scripts know elements by their classes: a click on one of class `full-credit` gives full points.
# No class stays but those by which code is coloured.
_COLOURED = frozenset(STANDARD_TYPES.values()) - {""}
# Never to pages of the server itself, where whoever marks is logged in.
_LINK = re.compile(r"(?i:https?://|mailto:)|#")
# An inequality in a formula: HTML takes `$a<b$` for the start of a tag. A space after it changes no formula.
_INEQUALITY = re.compile(r"\$[^$\n]+\$")
# What MathJax would turn into a link or a style.
_UNSAFE_MATHS = re.compile(r"\\(href|style|require|cssId|class|mmlToken)\b")
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);?")
# What turns the direction of the text that follows it; the marks that Hebrew and Arabic need do not.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


@pass_context
def markdown2html(context: Any, source: str) -> str:
    """The filter that nbconvert's templates call for every Markdown cell and every comment."""
    cell = context.get("cell", {})
    folder = context.get("resources", {}).get("metadata", {}).get("path", "")
    return render(source, cell.get("attachments", {}), Path(folder) if folder else None)


def render(
    source: str, attachments: dict[str, dict[str, str]] | None = None, folder: Path | None = None
) -> str:
    """Markdown to HTML that holds no script, no form and no link to one.

    Args:
        source: Markdown.
        attachments: pictures by name, each `{media type: base64}`.
        folder: that of the notebook; its `figures/` are drawn.
    """
    source = _INEQUALITY.sub(lambda found: re.sub(r"<(?=[\w/!?])", "< ", found[0]), source)
    try:
        rendered = to_html(source)
    except Exception:  # a text that breaks the renderer is still to be read
        rendered = f"<pre>{html.escape(source)}</pre>"
    rendered = with_pictures(rendered, attachments or {}, folder)
    cleaned = _ENTITY.sub(lambda found: html.escape(html.unescape(found[0])), _clean(rendered))
    if lost(source, cleaned):
        cleaned += f"<p>As it was typed, for a part of it does not show:</p><pre>{html.escape(source)}</pre>"
    cleaned = _TURNING.sub(lambda found: printable(found[0]), without_piles(cleaned))
    cleaned = _UNSAFE_MATHS.sub(lambda found: f"\\text{{{found[1]} }}", cleaned)
    return with_figures(cleaned, folder)


def _clean(rendered: str) -> str:
    return bleach.clean(
        rendered,
        tags=TAGS,
        attributes=_allowed,
        protocols={"http", "https", "mailto", "data"},
        css_sanitizer=CSSSanitizer(
            allowed_css_properties=_STYLES,
            allowed_svg_properties=[],
        ),
    )


def _allowed(tag: str, name: str, value: str) -> bool:
    if tag == "a" and name == "href":
        return _LINK.match(value.strip()) is not None
    if tag == "img" and name == "src":  # never from elsewhere: it would tell who reads which answer, and when
        return PICTURE.match(value) is not None or FIGURE.match(unquote(value)) is not None
    if name == "class":
        return (tag == "div" and value == "highlight") or (tag == "span" and value in _COLOURED)
    if name in ("width", "height"):
        return tag == "img" and _SIZE.match(value) is not None
    return name == "title" or name in _ATTRIBUTES.get(tag, ())

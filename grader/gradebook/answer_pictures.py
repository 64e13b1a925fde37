"""The pictures of an answer: put into the page itself, or named where they are not there.

A picture is one of the notebook's own, pasted into a cell, or a file of the submission's `figures/`. No other
file and nothing from elsewhere is drawn. Converters and editors drop pasted pictures: the page then says so.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from grader.files import read_regular
from grader.gradebook.handed_in import IMAGE_SUFFIXES, MAX_IMAGE_BYTES
from grader.text import readable

PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=]*\Z")
FIGURE = re.compile(r"(?:\./)?(figures/[^/\\]+)\Z")

_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_SOURCE = re.compile(r"""(\bsrc\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*("[^"]*"|'[^']*')""", re.IGNORECASE)
_ATTACHMENT = "attachment:"
# One transparent pixel, in the place of a pasted picture that is lost.
_BLANK = '<img src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">'


def with_pictures(
    rendered: str, attachments: Mapping[str, Mapping[str, str]], folder: Path | None = None
) -> str:
    """HTML with the pasted pictures in it, and with words for those that are not there. It is not safe yet.

    Args:
        rendered: HTML.
        attachments: pictures by name, each `{media type: base64}`.
        folder: that of the notebook, with its `figures/`; without one they are taken to be there.
    """

    def drawn(found: re.Match[str]) -> str:
        source = _SOURCE.search(found[0])
        if source is None:
            return found[0]
        address = html.unescape(source[2].strip("\"'"))
        if PICTURE.match(address) or (FIGURE.match(unquote(address)) and not folder):
            return found[0]
        if _figure(address, folder):
            return found[0]
        if data := _attached(address, attachments):
            return f'{found[0][: source.start()]}src="{data}"{found[0][source.end() :]}'
        alt = _ALT.search(found[0])
        return _missing(address, html.unescape(alt[1].strip("\"'")) if alt else "")

    return _IMAGE.sub(drawn, rendered)


def with_figures(cleaned: str, folder: Path | None) -> str:
    """Clean HTML with the pictures of `figures/` in it."""

    def embedded(found: re.Match[str]) -> str:
        data = _figure(html.unescape(found[2]), folder)
        return f"{found[1]}{data}{found[3]}" if data else found[0]

    return re.sub(r'(<img\b[^>]*?\bsrc=")([^"]*)(")', embedded, cleaned)


def _attached(address: str, attachments: Mapping[str, Mapping[str, str]]) -> str:
    """A pasted picture as a data URL; empty where there is none."""
    if not address.startswith(_ATTACHMENT):
        return ""
    name = address.removeprefix(_ATTACHMENT)
    bundle = attachments.get(name) or attachments.get(unquote(name)) or {}
    return next((f"data:{kind};base64,{content}" for kind, content in bundle.items()), "")


def _figure(address: str, folder: Path | None) -> str:
    """A picture of `figures/` as a data URL; empty where there is none."""
    figure = FIGURE.match(unquote(address))
    media_type = IMAGE_SUFFIXES.get(Path(figure[1]).suffix.lower()) if figure else None
    if not (figure and folder and media_type):
        return ""
    try:
        content = read_regular(folder / figure[1], MAX_IMAGE_BYTES)
    except OSError:
        return ""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def _missing(address: str, alt: str) -> str:
    """What stands in a picture's place. Of an address only the last part is told, so that none is loaded."""
    try:
        path = "" if address.startswith("data:") else unquote(urlsplit(address).path)
    except ValueError:
        path = ""
    name = path.replace("\\", "/").rstrip("/").rpartition("/")[2]
    about = f"picture {readable(name, 80)}" if name else "a picture"
    said = f"({about} is not in what was handed in, or is none that can be shown)"
    lost = _BLANK if address.startswith(_ATTACHMENT) else ""
    return f"{lost}{html.escape(alt.strip())} <em>{html.escape(said)}</em>"

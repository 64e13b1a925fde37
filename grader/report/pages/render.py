"""The Jinja2 environment of all pages, and what goes into every one of them."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grader.report.pages import style
from grader.report.pages.findings import in_words
from grader.report.pages.markdown import code, prose
from grader.report.theme import FONT, stylesheet

TEMPLATES = Path(__file__).with_name("templates")


@cache
def environment() -> Environment:
    """Everything that stands in a template is escaped, unless we made it ourselves and say so."""
    made = Environment(
        loader=PackageLoader("grader.report.pages"),
        autoescape=lambda name: name is not None and not name.endswith(".md.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "points": style.points,
        "on_one_line": style.on_one_line,
        "in_words": in_words,
        "status_style": style.PAGE_STYLES.__getitem__,
        "evidence_style": style.EVIDENCE_STYLES.__getitem__,
        "md": prose,
        "md_code": code,
    }
    made.globals |= {"link": style.link, "styles": style.PAGE_STYLES, "style": _style, "script": _script}
    return made


def render(template: str, **values: Any) -> bytes:
    """A page as the bytes of its file."""
    text = environment().get_template(template).render(**values)
    return text.encode("utf-8", "replace")


def data_address(path: Path) -> str:
    """The picture itself as an address, so that a page can be passed on as one file."""
    kind = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}.get(
        path.suffix.lower(), "image/jpeg"
    )
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


@cache
def _style() -> Markup:
    rules = (TEMPLATES / "pages.css").read_text(encoding="utf-8")
    return Markup(f"{stylesheet()}body{{font-family:{FONT}}}{rules}")


@cache
def _script(name: str) -> Markup:
    """A script and the policy that lets this one run and no other."""
    code = (TEMPLATES / name).read_text(encoding="utf-8")
    return Markup(code)


@cache
def policy(script: str | None) -> str:
    """A content security policy: nothing from elsewhere, and no script but this one.

    Escaping keeps students' text from being markup; should it ever fail, this keeps it from running.
    """
    rule = "'none'"
    if script is not None:
        digest = hashlib.sha256((TEMPLATES / script).read_text(encoding="utf-8").encode()).digest()
        rule = f"'sha256-{base64.b64encode(digest).decode()}'"
    return (
        f"default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; script-src {rule}; "
        "base-uri 'none'; form-action 'none'"
    )

"""What MkDocs has no option for: the site's MathJax, pages that may be missing, and GitHub's Markdown.

The pages are written for GitHub first. Three things differ there: boxes have no titles of their own, links
may leave `docs/`, and formulas are set by GitHub.
"""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

# MathJax as its project releases it, with all TeX extensions in one file. SVG output needs no fonts.
MATHJAX = "mathjax/static/mathjax/es5/tex-svg-full.js"

_BOX_WITH_TITLE = re.compile(r"^> \[!TIP\]\n> \*\*(?P<title>[^*]+)\*\*\n", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[(?P<text>(?:[^][]|\[[^][]*\])*)\]\((?P<target>[^)\s]+)\)")


def on_config(config: Any) -> Any:
    """Leaves out of the navigation what does not exist."""
    config.nav = existing(config.nav, Path(config.docs_dir))
    return config


def existing(entries: list[Any], folder: Path) -> list[Any]:
    """The entries of a navigation whose pages exist; a section without pages is left out as well."""
    kept = []
    for entry in entries:
        ((title, target),) = entry.items()
        if isinstance(target, list):
            target = existing(target, folder)
            if target:
                kept.append({title: target})
        elif (folder / target).is_file():
            kept.append({title: target})
    return kept


def on_files(files: Any, config: Any) -> Any:
    """Adds MathJax, which comes as a Python package, so that formulas are set without a network."""
    script = Path(str(distribution("django-static-mathjax").locate_file(MATHJAX)))
    files.append(File.generated(config, "site/tex-svg-full.js", abs_src_path=str(script)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Gives boxes their titles, and turns links that leave the site into plain text."""
    markdown = _BOX_WITH_TITLE.sub(r"> [!TIP] \g<title>\n", markdown)
    folder, root = Path(page.file.abs_src_path).parent, Path(config.docs_dir).resolve()

    def inside(link: re.Match[str]) -> str:
        target = link["target"].split("#")[0]
        if not target or re.match(r"[a-z]+:", target) or (folder / target).resolve().is_relative_to(root):
            return link[0]
        return link["text"]

    return _LINK.sub(inside, markdown)

"""MathJax in the pages themselves: formulas are set in formgrader and on the feedback page without a network.

nbconvert's templates fetch MathJax from a server on the internet. Where there is none, formulas show as they
are typed, and until the browser gives up the page stays blank. The kit brings MathJax as a Python package.
It makes a feedback page 2.3 MB large, and leaves it one file.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from markupsafe import Markup

# Each folder stands before nbgrader's templates of the same name.
TEMPLATES = Path(__file__).parent / "templates"
# MathJax as its project releases it, with all TeX extensions in one file. SVG output needs no fonts.
_SCRIPT = "mathjax/static/mathjax/es5/tex-svg-full.js"
# Without html and require: a student's formula makes no link and loads nothing.
_PACKAGES = (
    *("base", "ams", "amscd", "boldsymbol", "braket", "cancel", "cases", "centernot", "color", "gensymb"),
    *("mathtools", "newcommand", "noerrors", "noundefined", "textmacros", "upgreek"),
)
_SETTINGS = {
    "tex": {
        "inlineMath": [["$", "$"], ["\\(", "\\)"]],
        "displayMath": [["$$", "$$"], ["\\[", "\\]"]],
        "processEscapes": True,
        "processEnvironments": True,
        "tags": "ams",
        "packages": list(_PACKAGES),
    },
    "svg": {"fontCache": "global"},
    "options": {"enableMenu": False},
}
# `mmlToken` is of the base: it gives what is set any link, and any class, which nbgrader's scripts act on.
_CHOSEN = ("class", "href", "id", "style")
_WITHOUT_CHOSEN = f"""
window.MathJax.startup = {{ready() {{
  MathJax.startup.defaultReady();
  const without = (node) => {{
    for (const name of {json.dumps(_CHOSEN)}) delete node.attributes?.getAllAttributes()[name];
  }};
  MathJax.startup.document.inputJax[0].postFilters.add(({{data}}) => data.root.walkTree(without));
}}}};
"""


def mathjax_settings() -> str:
    """The script that tells MathJax, before it runs, how to set formulas."""
    return f"window.MathJax = {json.dumps(_SETTINGS)};{_WITHOUT_CHOSEN}"


@cache
def mathjax_code() -> str:
    """MathJax itself."""
    return Path(str(distribution("django-static-mathjax").locate_file(_SCRIPT))).read_text("utf-8")


@cache
def mathjax_scripts(_: object = None) -> Markup:
    """The elements for a page's head, as a filter of nbconvert's templates."""
    script = mathjax_code().replace("</script", "<\\/script")
    return Markup(f"<script>{mathjax_settings()}</script>\n<script>{script}</script>")

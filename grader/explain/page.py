"""An explanation as one HTML page that loads nothing from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from grader.explain.as_text import AGREEMENT, others_of
from grader.explain.explanation import Drawn, Explanation
from grader.explain.statistic import percent
from grader.report.pages.render import policy, render
from grader.text import printable

MOST_SIGNS = 20_000  # of a line
KINDS = {"svg": "image/svg+xml", "png": "image/png"}


def page_of(found: Sequence[Explanation]) -> bytes:
    """The page's bytes.

    Args:
        found: of one item of one submission, at least one.
    """
    return render(
        "explain.html.j2",
        policy=policy(None),
        first=found[0],
        found=found,
        agreement=AGREEMENT,
        others_of=others_of,
        address=_address,
        percent=percent,
        shown=_shown,
    )


def _shown(line: str) -> str:
    return printable(line, MOST_SIGNS)


def _address(picture: Drawn) -> str:
    return f"data:{KINDS[picture.suffix]};base64,{base64.b64encode(picture.content).decode()}"

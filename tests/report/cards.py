"""What stands on a contact sheet, read from its page."""

from __future__ import annotations

import re
from pathlib import Path

CARD = re.compile(r'<li[^>]*><a href="[^"]*">.*?<span class="who"><span>(.*?)</span>', re.DOTALL)


def cards_on(page: Path, kind: str) -> list[str]:
    """The names on the cards of a kind, in their order."""
    sheet = page.read_text().partition(f'id="cards-{kind}"')[2].partition("</ul>")[0]
    return CARD.findall(sheet)

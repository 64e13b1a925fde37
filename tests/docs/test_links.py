"""Every link in the documentation leads somewhere, as GitHub resolves it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import DOCS, HANDOUT, ROOT, anchors, links

PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def problem(page: Path, target: str, root: Path = ROOT) -> str | None:
    """What is wrong with a link on a page, None if nothing is."""
    if re.match(r"https?://|mailto:", target):
        return None
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.exists():
        return f"{target}: no such file"
    if not file.is_relative_to(root):
        return f"{target}: leaves the repository"
    if anchor and (file.suffix != ".md" or anchor not in anchors(file.read_text())):
        return f"{target}: no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert [found for target in links(page.read_text()) if (found := problem(page, target))] == []


@pytest.mark.parametrize("page", sorted(HANDOUT.glob("*.md")), ids=lambda page: page.name)
def test_the_handout_travels_alone(page):
    """It is shipped without the rest of the repository."""
    own = [target for target in links(page.read_text()) if not target.startswith("https://")]
    assert [target for target in own if not (page.parent / target).resolve().is_relative_to(HANDOUT)] == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("other.md#two-words-12", None),
        ("other.md#own", None),
        ("missing.md", "no such file"),
        ("other.md#absent", "no such heading"),
        ("#absent", "no such heading"),
    ],
)
def test_a_broken_link_is_seen(tmp_path, target, expected):
    (tmp_path / "other.md").write_text('# Two words: 1.2\n\n<a id="own"></a>\n')
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n[text]({target})\n")
    (found,) = links(page.read_text())
    assert (problem(page, found, tmp_path) or "").partition(": ")[2] == (expected or "")

"""The formulas survive Markdown, and are balanced.

GitHub, the site and a notebook differ in what they read first, formulas or Markdown. These formulas are
written so that it does not matter: no backslash before punctuation, which Markdown would take away, and no
pair of underscores that it would take for emphasis.
"""

from __future__ import annotations

import re

import pytest

from tests.docs.markdown import HANDOUT, formulas, parse

PAGES = sorted(HANDOUT.glob("*.md"))
NUMBERED = {"vae.md": range(1, 15), "aae.md": range(15, 19), "kl.md": range(19, 22)}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def changed_by_markdown(text: str) -> list[str]:
    """Lines with formulas in which Markdown would find an emphasis, an escape or a link of its own."""
    found = []
    for block in parse(text):
        if block.type != "inline" or "$" not in block.content:
            continue
        # Between formulas Markdown may do what it likes; within, the text must come out as it went in.
        rendered = "".join(
            {"text": token.content, "softbreak": "\n", "code_inline": f"`{token.content}`"}.get(
                token.type, ""
            )
            for token in block.children or []
        )
        found += [tex for tex, _ in formulas(block.content) if tex not in rendered]
    return found


@each_page
def test_markdown_leaves_the_formulas_alone(page):
    assert changed_by_markdown(page.read_text()) == []


@pytest.mark.parametrize("tex", [r"\{1\}", r"\mathbf{x}_n, \mathbf{x}_{n} y_{n}", r"a \\ b", "a * b * c*d*e"])
def test_a_formula_that_markdown_changes_is_seen(tex):
    assert changed_by_markdown(f"Some text with ${tex}$ in it.") == [tex]


@each_page
def test_dollars_stand_where_github_sees_them(page):
    """A formula within a line opens after a space or bracket, and closes before a space or punctuation."""
    text = re.sub(r"\$\$.+?\$\$", "", page.read_text(), flags=re.DOTALL)
    for line in re.sub(r"```.*?```|`[^`\n]+`", "", text, flags=re.DOTALL).splitlines():
        assert line.count("$") % 2 == 0, line
        for match in re.finditer(r"(^|.)\$([^$]+)\$(.|$)", line):
            assert match[1] in ("", " ", "("), line
            assert match[3] in ("", " ", ".", ",", ";", ":", ")", "?"), line
            assert match[2].strip() == match[2], line


@each_page
def test_blocks_stand_alone(page):
    """A block of its own begins and ends with a line of two dollars between empty lines."""
    lines = ["", *page.read_text().splitlines(), ""]
    fences = [number for number, line in enumerate(lines) if "$$" in line]
    assert all(lines[number] == "$$" for number in fences)
    assert len(fences) % 2 == 0
    for first, last in zip(fences[::2], fences[1::2], strict=True):
        assert (lines[first - 1], lines[last + 1]) == ("", "")
        assert "" not in lines[first:last]


@each_page
def test_formulas_are_balanced(page):
    for tex, _ in formulas(page.read_text()):
        assert tex.count("{") == tex.count("}"), tex
        assert len(re.findall(r"\\left\b", tex)) == len(re.findall(r"\\right\b", tex)), tex
        assert re.findall(r"\\begin\{(\w+)\}", tex) == re.findall(r"\\end\{(\w+)\}", tex), tex


def test_the_equations_are_numbered_through():
    """Docstrings, tests and the rubric speak of equations by these numbers."""
    for page in PAGES:
        numbers = [
            int(number)
            for tex, _ in formulas(page.read_text())
            for number in re.findall(r"\\tag\{(\d+)\}", tex)
        ]
        assert numbers == list(NUMBERED.get(page.name, [])), page.name

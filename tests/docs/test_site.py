"""The site builds without a warning, and needs nothing from outside to be read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

# What a browser fetches by itself, by element and attribute; links that one has to click are not among it.
FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


def build(configuration: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--config-file",
        configuration,
        "--site-dir",
        site,
    ]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    outcome = build(ROOT / "mkdocs.yml", folder)
    assert outcome.returncode == 0, outcome.stderr
    return folder


class Fetches(HTMLParser):
    """Collects what a page fetches."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in FETCHED and values.get("rel") != "canonical" and (value := values.get(FETCHED[tag])):
            self.found.append(value)


def test_every_page_stands_in_the_menu_once(site):
    menu = re.findall(r'<a href="([^"#]+)" class="md-nav__link', (site / "grading.html").read_text())
    guides = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"README"}
    assert {f"{guide}.html" for guide in guides} <= set(menu)
    assert {name for name in menu if menu.count(name) > 1} <= {"index.html"}


def test_pages_fetch_only_files_of_the_site(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 8
    for page in pages:
        fetches = Fetches()
        fetches.feed(page.read_text())
        for target in fetches.found:
            assert not re.match(r"(https?:)?//", target), f"{page.name} fetches {target}"
            if page.name != "404.html":  # whose links start at the root of the site
                assert (page.parent / target.split("?")[0]).exists(), f"{page.name}: {target} is missing"


def test_mathjax_is_part_of_the_site(site):
    script = (site / "site" / "tex-svg-full.js").read_text()
    assert '"3.2.2"' in script or "'3.2.2'" in script
    assert "site/tex-svg-full.js" in (site / "handout" / "vae.html").read_text()


def test_formulas_are_marked_for_mathjax(site):
    page = (site / "handout" / "vae.html").read_text()
    assert len(re.findall(r'<div class="arithmatex">\\\[', page)) > 20
    assert len(re.findall(r'<span class="arithmatex">\\\(', page)) > 100
    assert "$" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_boxes_have_their_titles(site):
    page = (site / "handout" / "vae.html").read_text()
    assert page.count('<p class="admonition-title">Food for thought</p>') == 2
    assert "[!TIP]" not in page


def test_only_pages_and_pictures_are_published(site):
    assert [path for path in site.rglob("*") if path.suffix in (".py", ".csv", ".pyc")] == []


def small_site(folder: Path, page: str) -> Path:
    """A site of one page with our configuration."""
    (folder / "docs").mkdir()
    (folder / "docs" / "README.md").write_text(page)
    text = (
        (ROOT / "mkdocs.yml")
        .read_text()
        .replace("docs/site/hooks.py", str(ROOT / "docs" / "site" / "hooks.py"))
    )
    configuration = folder / "mkdocs.yml"
    configuration.write_text(re.sub(r"extra_(css|javascript): .*\n", "", text))
    return configuration


def test_pages_that_are_not_there_are_left_out(tmp_path):
    outcome = build(small_site(tmp_path, "# Alone\n\n[out](../README.md)\n"), tmp_path / "site")
    assert outcome.returncode == 0, outcome.stderr
    page = (tmp_path / "site" / "index.html").read_text()
    assert "Instructors" not in page
    assert "<p>out</p>" in page


@pytest.mark.parametrize("link", ["absent.md", "#absent"])
def test_a_broken_link_stops_the_build(tmp_path, link):
    outcome = build(small_site(tmp_path, f"# Alone\n\n[text]({link})\n"), tmp_path / "site")
    assert outcome.returncode == 1
    assert link in outcome.stderr

"""The page of an explanation: whole in one file, and harmless whatever a student's code says."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html import unescape

import pytest
import torch

from grader.explain.as_text import as_lines
from grader.explain.explanation import Difference, Drawn, Explanation, Named
from grader.explain.page import page_of
from grader.explain.snippet import Snippet
from grader.explain.statistic import Chance, draw_distribution, text_histogram
from grader.marking.result import FAILED, CheckResult

EVIL = "<script>alert(1)</script>\x1b[31m\u202e"
CHECK = CheckResult("follows_the_normal_distribution", FAILED, 1.0, f"it raised {EVIL}", "look at eps")


@pytest.fixture(scope="module")
def explanation():
    sample = torch.randn(5000, generator=torch.Generator().manual_seed(1)) * 1.1
    return Explanation(
        submission="mia",
        item="1.7.reparameterize",
        seed=7,
        python="3.11.2",
        before=CHECK,
        now=CHECK,
        agreement="same",
        call=("came = sample_reparameterize(mean, std)",),
        inputs=(Named("mean", ("float32 [2]", "[0.5, 1. ]")),),
        came=(EVIL,),
        expected=("float32 [2]",),
        tolerance="0.01% of the expected value plus 1e-05",
        differences=(Difference("[1]", 2.5, 1.5),),
        differing=(1, 2),
        statistics=(Chance("normal: variance", 9.0, 5.5, 2.3e-19, False, True),),
        distribution=tuple(text_histogram(sample)),
        pictures=(Drawn("what was drawn", draw_distribution(sample), "svg"),),
        snippet=Snippet("import torch\nprint('<b>')\n", b"data"),
    )


def test_it_holds_what_the_terminal_shows(explanation):
    page = page_of([explanation]).decode()
    text = "\n".join(as_lines(explanation))
    for words in ("sample_reparameterize(mean, std)", "normal: variance", "2.3e-19", "[0.5, 1. ]"):
        assert words in page
        assert words in text
    assert "data:image/svg+xml;base64," in page
    assert "--snippet FILE.py" in page


def test_checks_with_the_same_message_are_named_once(explanation):
    one = replace(explanation, others=("a_check", "another"))
    words = "2 more checks fail with the same message: a_check, another; name one to see it"
    assert words in "\n".join(as_lines(one))
    assert words in page_of([one]).decode()
    assert "the same message" not in page_of([explanation]).decode()


def test_the_part_that_is_looked_at_and_what_a_check_could_not_do_with_it_are_named(explanation):
    one = replace(explanation, part="came[1]", surprise="ValueError: too many values to unpack")
    page, text = page_of([one]).decode(), "\n".join(as_lines(one))
    assert "What came, came[1]" in text
    assert "What came, <code>came[1]</code>" in page
    for shown in (page, text):
        assert "ValueError: too many values to unpack" in shown
        assert "What the check could not do with it" in shown
    assert "could not do" not in page_of([explanation]).decode()


def test_nothing_of_a_student_acts_on_page_or_terminal(explanation):
    page = page_of([explanation]).decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "script-src 'none'" in unescape(page)
    for text in (page, "\n".join(as_lines(explanation))):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_it_loads_nothing_from_elsewhere(explanation, tmp_path):
    page = page_of([explanation]).decode()
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)


def test_a_browser_shows_it_without_complaint(explanation, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    axe_of = pytest.importorskip("axe_playwright_python.sync_playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed; `make browser` installs it")
    path = tmp_path / "explained.html"
    path.write_bytes(page_of([explanation]))
    complaints: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto(path.as_uri())
        assert page.locator("img").evaluate("image => image.naturalWidth") > 100
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        found = axe_of.Axe().run(page)
        browser.close()
    assert complaints == []
    assert found.violations_count == 0, found.generate_report()

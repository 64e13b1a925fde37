"""nbgrader's own page in a real browser, on a real Jupyter server: what a teaching assistant does there."""

from __future__ import annotations

import io
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from gradebook.courses import copied, hand_in, notebook, pretend_to_grade, roster, run
from gradebook.formgrader import IN_A_BROWSER, LIST, asked, browser, served, visitor
from grader.gradebook import steps
from grader.gradebook.course import Course, inside
from grader.release.notebook import grade_id
from grader.rubric import load_rubric

FIGURE_WIDTH = 321
# GRADER_SCREENSHOTS=docs/images writes the picture of docs/instructors.md anew.
SCREENSHOTS = os.environ.get("GRADER_SCREENSHOTS")

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def graded(template: Course, tmp_path_factory) -> Course:
    """A course with one submission in the gradebook, whose answers try to run a script."""
    course = copied(template, tmp_path_factory.mktemp("formgrader") / "course")
    roster(course, "ada", first_name="Ada", last_name="Lovelace")
    patch = pytest.MonkeyPatch()
    pretend_to_grade(patch)
    figure = io.BytesIO()
    Image.new("RGB", (FIGURE_WIDTH, 40), "navy").save(figure, "PNG")
    attack = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"
    attack += (
        '<div class="full-credit" style="height:300px">a long answer</div><p class="comment score">.</p>'
    )
    text = "A latent vector is drawn from the prior, $z \\sim \\mathcal{N}(0, I)$, and decoded."
    extra = {"figures/1.9_manifold.png": figure.getvalue()}
    hand_in(
        course,
        "ada",
        notebook(course, lambda name: text if name == "q1-1" else f"{attack} {name}"),
        extra=extra,
    )
    assert run(course) == 0
    patch.undo()
    return course


@pytest.fixture(scope="module")
def server(graded: Course, tmp_path_factory) -> Iterator[str]:
    """The address of a Jupyter server with formgrader."""
    with served(graded, tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture
def page(server):
    """A page of a browser that has logged in. Nothing may go wrong on it."""
    with browser() as one, visitor(one, server) as page:
        yield page


def open_submission(page, server: str) -> None:
    page.goto(server + LIST)
    page.get_by_role("link", name="Submission #1").click()
    page.wait_for_selector("input.score")


def score_of(server: str) -> float:
    return asked(server, "submitted_notebooks/a3/report")[0]["score"]


def test_without_the_token_nothing_is_shown(server):
    with urllib.request.urlopen(f"{server}/formgrader/api/assignments", timeout=30) as answer:
        assert "/login" in answer.url
        assert b"max_score" not in answer.read()


def test_the_assignment_is_there(page, server):
    for place in ("manage_assignments", "gradebook"):
        page.goto(f"{server}/formgrader/{place}")
        page.get_by_role("link", name="a3", exact=True).first.wait_for()


def test_a_mark_and_a_comment_change_the_total(page, server):
    open_submission(page, server)
    before = score_of(server)
    assert before == 11.25
    box = page.locator("#q1-1")
    box.fill("1.5")
    box.blur()
    comment = page.locator("#q1-1-comment")
    comment.fill("Draws the pixels, too?")
    comment.blur()
    deadline = time.monotonic() + 30
    while score_of(server) == before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert score_of(server) == before + 1.5
    open_submission(page, server)
    page.wait_for_function("document.querySelector('#q1-1').value === '1.5'")
    page.wait_for_function("document.querySelector('#q1-1-comment').value === 'Draws the pixels, too?'")


def test_points_feedback_and_guides_stand_beside_the_answers(page, server):
    open_submission(page, server)
    text = page.content()
    assert "the message of 1.7.kld" in text
    assert "the hint of 1.7.kld" in text
    page.wait_for_function("document.querySelector('#q1-7-kld').placeholder === '0.75'")
    guide = page.locator("details", has_text="Marking guide for 1.1")
    assert not guide.locator("li").first.is_visible()
    guide.locator("summary").click()
    assert guide.locator("li").first.is_visible()
    assert guide.get_by_text("What earns points").is_visible()
    if SCREENSHOTS:
        page.locator("#q1-1").scroll_into_view_if_needed()
        page.screenshot(path=Path(SCREENSHOTS) / "formgrader.png")


@pytest.fixture
def offline(page):
    """What a page asks of other machines, which it never gets."""
    asked = []

    def refuse(route):
        asked.append(route.request.url)
        route.abort()

    page.route(lambda url: not url.startswith(("http://127.0.0.1:", "data:", "file:")), refuse)
    return asked


def test_formulas_are_set_without_a_network(page, server, offline):
    open_submission(page, server)
    answer = page.locator("#q1-1").locator("xpath=ancestor::*[contains(@class, 'nbgrader_cell')]")
    answer.locator("mjx-container svg").first.wait_for()
    assert "\\mathcal" not in answer.inner_text()
    page.locator("details", has_text="Marking guide for 1.1").locator("summary").click()
    guide = page.locator("details", has_text="Marking guide for 1.1").locator("mjx-container svg").first
    assert guide.bounding_box()["width"] > 20
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    assert offline == []


def test_the_feedback_page_needs_no_network(page, graded, offline):
    with inside(graded) as config, steps.logged(graded):
        steps.feedback(graded, config, "ada")
    page.goto((graded.feedback("ada") / "report.html").as_uri())
    page.locator("mjx-container svg").first.wait_for()
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    assert page.locator("mjx-container a, mjx-container script").count() == 0
    assert page.title() == "report"
    assert offline == []
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / "feedback-page.png")


def test_every_automatic_item_every_answer_and_the_figures_are_there(page, server):
    open_submission(page, server)
    for item in load_rubric().items:
        box = page.locator(f"#{grade_id(item.id)}")
        assert box.get_attribute("type") == "number"
        if item.how == "auto":
            cell = box.locator("xpath=ancestor::*[contains(@class, 'code_cell')]")
            assert f"the message of {item.id}" in cell.inner_text()
            page.wait_for_function(
                "([id, points]) => document.getElementById(id).placeholder === points",
                arg=[grade_id(item.id), f"{item.points / 2:g}"],
            )
        else:
            assert page.locator("summary", has_text=f"Marking guide for {item.id}").count() >= 1
    pictures = page.locator("#notebook-container img[src^='data:image/png']").all()
    assert [picture.evaluate("picture => picture.naturalWidth") for picture in pictures] == [FIGURE_WIDTH]


def test_no_script_of_a_student_runs(page, server):
    open_submission(page, server)
    page.wait_for_timeout(500)
    assert page.title() != "taken"
    assert page.locator("#notebook-container script").count() == 0
    assert page.locator("img[src='x']").count() == 0


def test_a_click_on_an_answer_gives_no_points_and_a_comment_stays(page, server):
    open_submission(page, server)
    before = score_of(server)
    comment = page.locator("#q1-2-comment")
    cell = comment.locator("xpath=ancestor::*[contains(@class, 'nbgrader_cell')]")
    cell.get_by_text("a long answer").click()
    comment.fill("See the lecture.")
    comment.blur()
    page.wait_for_timeout(1000)
    assert score_of(server) == before
    assert comment.input_value() == "See the lecture."


def test_formulas_of_students_make_no_links_and_show_their_mistakes(page, offline, tmp_path):
    from grader.gradebook.formulas import mathjax_scripts

    formulas = [
        r"$\href{javascript:alert(1)}{x}$",
        r"$\style{background:url(https://example.org/x)}{y}$ $\class{a}{b}$",
        r"$\require{html}\href{https://example.org}{x}$",
        r'$\mmlToken{mi}[href="javascript:alert(1)" class="full-credit"]{x}$',
        r'$\mmlToken{mi}[id="q1-1" style="position:fixed"]{x}$',
        r"$\let\f\mmlToken \f{mi}[href='https://example.org' class='score']{x}$",
        r"$\frac{a$",
        r"$\nosuchmacro$",
        r"$\boldsymbol{\mu} \in \begin{cases} a & b \\ c & d \end{cases}$",
    ]
    file = tmp_path / "page.html"
    file.write_text(f"<html><head>{mathjax_scripts()}</head><body>{'<p>'.join(formulas)}</body></html>")
    page.goto(file.as_uri())
    page.locator("mjx-container svg").first.wait_for()
    page.wait_for_function("MathJax.startup.promise.then(() => true)")
    assert page.locator("mjx-container").count() >= len(formulas)
    assert page.locator("mjx-container a, mjx-container [style*=url]").count() == 0
    chosen = ("[href^=java]", "[href^=http]", ".full-credit", ".score", "[id=q1-1]", "[style*=position]")
    assert page.locator(", ".join(f"mjx-container {one}" for one in chosen)).count() == 0
    text = page.locator("body").inner_html()
    assert "frac{a" in text
    assert "nosuchmacro" in text
    assert offline == []

"""Formgrader's keyboard in a real browser: every shortcut of its help is pressed, and the place is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from report.results import passed

from gradebook.courses import half, marked_course, notebook, scores
from gradebook.formgrader import (
    IN_A_BROWSER,
    LIST,
    TOKEN,
    arrives,
    asked,
    browser,
    opened,
    ready,
    served,
    submissions,
    visitor,
)
from grader.gradebook.course import Course

STUDENTS = ("ada", "bob", "cleo")
SHORTCUTS = {
    *("tab", "shift-tab", "escape", "enter", "control-.", "control-shift-.", "control-,", "control-shift-,"),
    "control-shift-f",
}

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def course(template: Course, tmp_path_factory) -> Course:
    """A course with three submissions; one has no failed test. One has formulas that MathJax cannot set."""
    broken = "$\\frac{a$ $\\nosuchmacro$ $\\def\\f{\\f\\f}\\f$ and $\\sqrt{z}$"
    formula = "$z \\sim \\mathcal{N}(0, I)$"
    answers = {"ada": formula, "bob": formula, "cleo": broken}
    reports = {
        student: notebook(template, lambda name, answer=answer: answer) for student, answer in answers.items()
    }
    outcomes = {"ada": half, "bob": passed, "cleo": half}
    return marked_course(template, tmp_path_factory.mktemp("keyboard") / "course", reports, outcomes)


@pytest.fixture(scope="module")
def server(course: Course, tmp_path_factory) -> Iterator[str]:
    with served(course, tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture
def page(server):
    with browser() as one, visitor(one, server) as page:
        yield page


def focused(page) -> str:
    return page.evaluate("document.activeElement.id")


def test_the_help_names_every_shortcut(page, server):
    opened(page, submissions(server)[0])
    page.locator(".help").click()
    keys = page.locator("#help-dialog .shortcut-key")
    keys.first.wait_for()
    assert set(keys.all_inner_texts()) == SHORTCUTS
    page.locator("#help-dialog").get_by_role("button", name="Close").last.click()
    page.locator("#help-dialog").wait_for(state="detached")


def test_tab_goes_through_the_fields_and_enter_comes_back(page, server):
    opened(page, submissions(server)[0])
    page.locator("#q1-1").focus()
    for key, place in (
        ("Tab", "q1-1_extra_credit"),
        ("Tab", "q1-1-comment"),
        ("Shift+Tab", "q1-1_extra_credit"),
    ):
        page.keyboard.press(key)
        assert focused(page) == place
    page.keyboard.press("Escape")
    assert focused(page) == ""
    page.keyboard.press("Enter")
    assert focused(page) == "q1-1_extra_credit"


def test_next_and_previous_keep_the_place(page, server):
    first, second, third = submissions(server)
    opened(page, first)
    page.locator("#q1-4").focus()
    for key, place in (
        ("Control+Period", second),
        ("Control+Period", third),
        ("Control+Comma", second),
        ("Control+Comma", first),
    ):
        page.keyboard.press(key)
        arrives(page, place)
        assert focused(page) == "q1-4"
        page.wait_for_function(
            "() => { const box = document.activeElement.getBoundingClientRect();"
            " return box.top > 0 && box.bottom < innerHeight; }"
        )
    page.keyboard.press("Control+Comma")
    page.wait_for_url(server + LIST)


def test_next_with_failed_tests_passes_over_the_others(page, server):
    whole = asked(server, "submitted_notebooks/a3/report")
    failing = {f"{server}/formgrader/submissions/{one['id']}/" for one in whole if one["failed_tests"]}
    order = [address for address in submissions(server) if address in failing]
    assert len(order) == 2
    opened(page, order[0])
    page.locator("#q2-6").focus()
    page.keyboard.press("Control+Shift+Period")
    arrives(page, order[1])
    assert focused(page) == "q2-6"
    page.keyboard.press("Control+Shift+Comma")
    arrives(page, order[0])
    assert focused(page) == "q2-6"


def test_what_was_typed_is_saved_on_the_way_to_the_next(page, server, course):
    first, second, _ = submissions(server)
    opened(page, first)
    page.locator("#q1-2").focus()
    page.keyboard.type("1.5")
    page.keyboard.press("Control+Period")
    arrives(page, second)
    assert focused(page) == "q1-2"
    page.keyboard.press("Control+Comma")
    arrives(page, first)
    assert page.locator("#q1-2").input_value() == "1.5"
    given = [scores(course, student)["q1-2"].manual for student in STUDENTS]
    assert sorted(given, key=str) == [1.5, None, None]


def test_passing_by_gives_no_mark(page, server, course):
    first, second, _ = submissions(server)
    opened(page, first)
    page.locator("#q1-3").focus()
    page.keyboard.press("Control+Period")
    arrives(page, second)
    assert all(scores(course, student)["q1-3"].waits for student in STUDENTS)


def test_a_submission_is_flagged_and_unflagged(page, server):
    first = submissions(server)[0]

    def flagged() -> list[str]:
        return [one["id"] for one in asked(server, "submitted_notebooks/a3/report") if one["flagged"]]

    opened(page, first)
    page.keyboard.press("Control+Shift+F")
    page.get_by_text("Submission flagged").wait_for()
    assert flagged() == [first.rstrip("/").split("/")[-1]]
    page.keyboard.press("Control+Shift+F")
    page.get_by_text("Submission unflagged").wait_for()
    assert flagged() == []


def test_formgrader_within_jupyterlab_has_its_keyboard(page, server):
    """Its menu opens formgrader in a frame."""
    page.goto(f"{server}/lab?token={TOKEN}")
    page.get_by_role("menuitem", name="Nbgrader").click()
    page.get_by_role("menuitem", name="Formgrader", exact=True).click()
    frame = page.frame_locator("#formgrader-iframe iframe")
    frame.get_by_role("link", name="Manual Grading").click()
    frame.get_by_role("link", name="a3", exact=True).click()
    frame.get_by_role("link", name="report", exact=True).click()
    frame.get_by_role("link", name="Submission #1").click()
    inner = next(one for one in page.frames if "/formgrader/" in one.url)
    ready(inner)
    frame.locator("#q1-4").focus()
    page.keyboard.press("Control+Period")
    frame.get_by_text("Submission 2 / 3").wait_for()
    ready(inner)
    assert focused(inner) == "q1-4"

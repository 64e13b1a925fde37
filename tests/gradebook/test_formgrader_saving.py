"""Saves that fail in formgrader, in a browser: each is told with its reason, and nothing typed is lost."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from gradebook.courses import marked_course, notebook, scores
from gradebook.formgrader import (
    IN_A_BROWSER,
    LIST,
    TOKEN,
    arrives,
    asked,
    browser,
    opened,
    served,
    submissions,
    visitor,
)
from grader.gradebook.course import Course

STUDENTS = ("ada", "bob")
# Root may write whatever the file's mode says; not so without this capability.
AS_OTHERS = (
    ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
)

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def course(template: Course, tmp_path_factory) -> Course:
    """A course with two submissions."""
    folder = tmp_path_factory.mktemp("saving") / "course"
    return marked_course(template, folder, dict.fromkeys(STUDENTS, notebook(template)))


@pytest.fixture(scope="module")
def server(course: Course, tmp_path_factory) -> Iterator[str]:
    with served(course, tmp_path_factory.mktemp("home"), AS_OTHERS) as address:
        yield address


@pytest.fixture
def page(server):
    with browser() as one, visitor(one, server) as page:
        page.on("dialog", lambda dialog: dialog.accept())  # on leaving a page with something unsaved
        yield page


def given(course: Course, name: str) -> list[float]:
    """The marks that were given by hand for a cell, of all students."""
    found = [scores(course, student)[name].manual for student in STUDENTS]
    return [points for points in found if points is not None]


def fill(page, name: str, text: str) -> None:
    page.locator(f"#{name}").click()
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def failed(page, part: str, status: str) -> None:
    """Take the errors that a test has made out of the page's."""
    made = [error for error in page.errors if part in error and status in error]
    assert made
    page.errors[:] = [error for error in page.errors if error not in made]


def test_a_gradebook_that_cannot_be_written_is_told_before_anything_is_marked(page, server, course):
    database = course.root / "gradebook.db"
    first, second = submissions(server)
    opened(page, first)
    assert page.locator("#not-saved").count() == 0
    mode = stat.S_IMODE(database.stat().st_mode)
    database.chmod(0o444)
    try:
        opened(page, first)
        banner = page.get_by_role("alert")
        banner.get_by_text(f"Marks cannot be saved here: {database}: cannot be written").wait_for()
        fill(page, "q1-1", "1.5")
        page.keyboard.press("Escape")
        banner.get_by_text(f"Not saved: the points of q1-1: {database}: cannot be written").wait_for()
        assert page.locator("#q1-1").input_value() == "1.5"
        assert page.locator(".glyphicon-refresh:visible").count() == 0
        page.keyboard.press("Control+Shift+F")
        banner.get_by_text("The flag was not changed").wait_for()
        failed(page, "/api/grade/", "status 503")
        failed(page, "/flag", "status 503")
        # The next requests are not spoilt by it.
        assert len(asked(server, "submitted_notebooks/a3/report")) == 2
        beside = page.context.new_page()
        beside.goto(server + LIST)
        opened(beside, second)
        beside.close()
    finally:
        database.chmod(mode)
    banner.get_by_role("button", name="Save again").click()
    page.wait_for_function("!document.querySelector('#not-saved').innerText.includes('Not saved')")
    assert given(course, "q1-1") == [1.5]


def test_every_request_of_a_page_carries_the_token_that_a_hub_asks_for(page, server):
    # JupyterHub 4.1 to 6.1, jupyterhub/_xsrf_utils.py: a GET by script (Sec-Fetch-Mode "cors") is checked
    # like a PUT. Without the token it counts as logged out, is led through the login again, and gets a new
    # _xsrf cookie: a mark that is saved at that moment is refused with 403.
    seen = []
    page.on("request", lambda request: seen.append(request) if "/formgrader/api/" in request.url else None)
    opened(page, submissions(server)[0])
    assert any(request.url.endswith("/api/gradebook") for request in seen)
    assert [request.url for request in seen if "x-csrftoken" not in request.headers] == []


def test_a_gradebook_in_use_is_told_and_the_page_stays(page, server, course):
    first, second = submissions(server)
    opened(page, first)
    with closing(sqlite3.connect(course.root / "gradebook.db", isolation_level=None)) as run_elsewhere:
        run_elsewhere.execute("BEGIN IMMEDIATE")
        fill(page, "q1-2", "2")
        page.keyboard.press("Control+Period")
        page.get_by_text("Not saved: the points of q1-2: the gradebook is in use").wait_for()
        failed(page, "/api/grade/", "status 503")
        assert page.url.startswith(first)
        assert page.locator("#q1-2").input_value() == "2"
        run_elsewhere.execute("ROLLBACK")
    page.keyboard.press("Control+Period")
    arrives(page, second)
    assert page.locator("#not-saved").count() == 0
    assert given(course, "q1-2") == [2.0]


def test_a_server_out_of_reach_keeps_the_page_until_all_is_saved(page, server, course):
    first, second = submissions(server)
    opened(page, first)
    page.route("**/api/comment/*", lambda route: route.abort())
    fill(page, "q1-3-comment", "See the lecture.")
    page.get_by_role("link", name="Next").click()
    page.get_by_text("Not saved: the comment of q1-3: the server cannot be reached.").wait_for()
    assert page.url.startswith(first)
    page.unroute("**/api/comment/*")
    failed(page, "/api/comment/", "net::ERR_FAILED")
    page.get_by_role("link", name="Next").click()
    arrives(page, second)
    page.get_by_role("link", name="Prev").click()
    arrives(page, first)
    assert page.locator("#q1-3-comment").input_value() == "See the lecture."


def test_a_slow_save_is_waited_for(page, server, course):
    first, second = submissions(server)
    opened(page, first)

    def slow(route):
        time.sleep(1.5)
        route.continue_()

    page.route("**/api/grade/*", slow)
    fill(page, "q1-4", "0.5")
    page.get_by_role("link", name="Next").click()
    arrives(page, second)
    assert given(course, "q1-4") == [0.5]


def test_whoever_was_logged_out_logs_in_elsewhere_and_saves(page, server, course):
    opened(page, submissions(server)[0])
    page.context.clear_cookies()
    fill(page, "q1-5", "1")
    page.keyboard.press("Escape")
    page.get_by_text("Not saved: the points of q1-5: you are not logged in any more").wait_for()
    failed(page, "/api/grade/", "status 403")
    page.context.new_page().goto(f"{server}/formgrader?token={TOKEN}")
    page.get_by_role("button", name="Save again").click()
    page.locator("#not-saved").wait_for(state="hidden")
    assert given(course, "q1-5") == [1.0]


def test_what_cannot_be_saved_can_be_given_up(page, server, course):
    first, second = submissions(server)
    opened(page, first)
    page.route("**/api/grade/*", lambda route: route.fulfill(status=404, body="gone"))
    fill(page, "q1-6", "1")
    page.keyboard.press("Control+Period")
    page.get_by_text("Not saved: the points of q1-6: it is not in the gradebook any more").wait_for()
    failed(page, "/api/grade/", "status 404")
    page.get_by_role("button", name="Give up").click()
    page.keyboard.press("Control+Period")
    arrives(page, second)
    assert given(course, "q1-6") == []

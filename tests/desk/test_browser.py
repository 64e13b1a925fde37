"""The desk in a real browser: by keyboard alone, by mouse alone, and for axe-core."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from page_errors import watch

from grader.desk.rubric_items import questions
from grader.gradebook.course import Course, inside
from grader.gradebook.steps import open_gradebook
from grader.release.notebook import grade_id
from tests.desk.serving import CELL, CHROMIUM, TOKEN, Person, Server, scores, served

playwright = pytest.importorskip("playwright.sync_api")
axe_of = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt install chromium"),
]

TITLE = "#stage .task h2"


@pytest.fixture(scope="module")
def running(demo: Course, tmp_path_factory) -> Iterator[tuple[Course, Server]]:
    """A course that the tests of this file share, with a server."""
    folder = tmp_path_factory.mktemp("browser")
    shutil.copytree(demo.root, folder / "dgm")
    course = Course(folder / "dgm")
    with served(course, folder / "home") as server:
        Person(server.address).page("")  # makes the desk's tables
        shutil.copyfile(course.root / "gradebook.db", folder / "before.db")
        yield course, server


@pytest.fixture
def course(running) -> Course:
    """The course as it was before any test."""
    course = running[0]
    with sqlite3.connect(course.root / "gradebook.db", timeout=30) as connection:
        connection.execute("attach ? as was", (str(course.root.parent / "before.db"),))
        connection.execute("pragma foreign_keys = off")
        tables = connection.execute("select name from was.sqlite_master where type = 'table'").fetchall()
        for (table,) in tables:
            if not table.startswith("sqlite_"):
                connection.execute(f"delete from main.{table}")
                connection.execute(f"insert into main.{table} select * from was.{table}")
    return course


@pytest.fixture
def server(running, course) -> Server:
    return running[1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # As root, as in a container, Chromium only starts without its own sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, server):
    """Opens the desk for somebody. In the end nothing went wrong on any page, except what a test took out."""
    contexts = []

    def enter(name: str = "Ana", **options: Any) -> Any:
        context = browser.new_context(viewport={"width": 1360, "height": 900}, **options)
        page = context.new_page()
        page.errors = watch(context)
        page.set_default_timeout(60_000)
        contexts.append((context, page))
        page.goto(f"{server.address}/desk?token={TOKEN}")
        page.get_by_label("Your name").fill(name)
        page.keyboard.press("Enter")
        page.wait_for_url("**/desk")
        return page

    yield enter
    for context, page in contexts:
        context.close()
        assert page.errors == []


def opened(page: Any, server: Server, cell: str = CELL) -> Any:
    page.goto(f"{server.address}/desk/mark/{cell}")
    page.wait_for_selector(TITLE)
    return page


def title(page: Any) -> str:
    return page.locator(TITLE).inner_text()


def number_of(page: Any) -> str:
    """nbgrader's id of the answer that is shown."""
    link = page.locator("#stage a", has_text="whole notebook").get_attribute("href")
    return link.rstrip("/").rpartition("/")[2]


def pressed(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def another(page: Any, before: str) -> None:
    page.wait_for_function(
        "before => document.querySelector('#stage .task h2')?.textContent !== before", arg=before
    )


def status(page: Any, text: str) -> None:
    page.locator("#status", has_text=text).wait_for()


def test_a_whole_question_by_keyboard_alone(visit, server, course):
    page = opened(visit(), server)
    open_before = sum(waits for _, waits in scores(course).values())
    for number in range(open_before):
        before = title(page)
        pressed(page, *("123"[: 1 + number % 3]), "Enter")
        another(page, before)
    page.get_by_text("All answers to this question are marked").wait_for()
    status(page, "Saved")
    points = sorted(manual for manual, _ in scores(course).values() if manual is not None)
    assert points == sorted([1, 1.5, 2][number % 3] for number in range(open_before))


def test_nothing_given_is_not_saved_and_nothing_is_said_by_0(visit, server, course):
    page = opened(visit(), server)
    before = title(page)
    pressed(page, "Enter")
    status(page, "Nothing is given yet")
    assert title(page) == before
    pressed(page, "0", "Enter")
    another(page, before)
    status(page, "Saved: 0 points")
    assert (0.0, False) in scores(course).values()


def test_words_adjustment_undo_back_and_pass(visit, server, course):
    page = opened(visit(), server)
    first = title(page)
    pressed(page, "1", "c")
    page.keyboard.type("Nicely said.")
    pressed(page, "Enter")
    another(page, first)
    status(page, "Saved: 1 point for")
    second = title(page)
    pressed(page, "a")
    page.keyboard.press("Control+a")
    page.keyboard.type("0.5")
    pressed(page, "Enter")
    status(page, "Say why")
    page.keyboard.type("for the effort")
    pressed(page, "Enter")
    another(page, second)
    status(page, "Saved: 0.5 points")
    third = title(page)
    pressed(page, "u")
    status(page, "Taken back")
    page.locator(TITLE, has_text=second).wait_for()
    pressed(page, "n")
    another(page, second)
    pressed(page, "p")
    page.locator(TITLE, has_text=second).wait_for()
    assert third != second
    given = [manual for manual, waits in scores(course).values() if not waits and manual is not None]
    assert given == [1.0]


def test_the_price_of_an_item_changes_by_keyboard_and_says_before_by_how_much(visit, server, course):
    page = opened(visit(), server)
    before = title(page)
    pressed(page, "1", "Enter")
    another(page, before)
    status(page, "Saved")
    pressed(page, "e", "1")
    page.get_by_label("Points; below 0").fill("0.5")
    pressed(page, "Enter")
    page.get_by_text("1 answer has this item").wait_for()
    assert "from 1 to 0.5" in page.locator("#item-preview").inner_text()
    page.get_by_role("button", name="Change 1 answer").click()
    status(page, "1 answer scored anew")
    assert sorted(m for m, _ in scores(course).values() if m) == [0.5]


def test_all_by_mouse(visit, server, course):
    page = visit()
    page.get_by_role("link", name="Sampling an image").click()
    page.wait_for_selector(TITLE)
    before = title(page)
    page.locator(".item").nth(0).click()
    page.locator(".item").nth(1).click()
    assert page.locator("#points").inner_text() == "1.5"
    page.get_by_role("button", name="Save and next").click()
    another(page, before)
    status(page, "Saved: 1.5")
    page.get_by_role("button", name="undo").click()
    status(page, "Taken back")
    page.get_by_role("button", name="keys").click()
    page.get_by_role("heading", name="Keys").wait_for()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="add an item").click()
    page.get_by_label("What the student reads").fill("A new thought.")
    page.get_by_label("Points; below 0").fill("0.25")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator(".item", has_text="A new thought.").wait_for()
    assert scores(course)


def groups_of_some_question(page, server):
    """Open the groups of the first question that has some; returns it."""
    for question in questions():
        page.goto(f"{server.address}/desk/groups/{grade_id(question.id)}")
        if page.locator(".group").count():
            return question
    raise AssertionError("no two answers are alike")


def test_a_group_is_marked_at_once(visit, server, course):
    page = visit()
    question = groups_of_some_question(page, server)
    group = page.locator(".group").first
    group.locator("summary").first.click()
    group.locator(".item").first.click()
    many = group.locator("input[type=checkbox]").count()
    for box in group.locator("input[type=checkbox]").all():
        box.check()
    group.locator(".give").click()
    status(page, f"for {many} answers")
    given = [manual for manual, waits in scores(course, grade_id(question.id)).values() if manual]
    assert len(given) == many > 1


def test_both_versions_are_shown_where_somebody_was_faster(visit, server, course):
    page = opened(visit(), server)
    answer = number_of(page)
    with inside(course) as config, open_gradebook(config) as gradebook:
        notebook = gradebook.find_submission_notebook_by_id(answer)
        grade = next(one for one in notebook.grades if one.name == CELL)
        grade.manual_score, grade.needs_manual_grade = 0.75, False
        student = notebook.student.id
        gradebook.db.commit()
    pressed(page, "1", "2", "Enter")
    page.get_by_text("was marked by formgrader while you had it open").wait_for()
    assert "0.75 points" in page.locator("#theirs").inner_text()
    assert "1.5 points" in page.locator("#mine").inner_text()
    page.get_by_role("button", name="Use mine").click()
    status(page, "Saved: 1.5")
    assert scores(course)[student] == (1.5, False)
    page.errors[:] = [one for one in page.errors if "status 409" not in one]


def test_a_mark_that_cannot_be_saved_stays_until_it_can(visit, server, course):
    page = opened(visit(), server)
    before = title(page)
    page.route("**/api/save", lambda route: route.abort())
    pressed(page, "1", "Enter")
    another(page, before)
    page.get_by_text("Not saved:").wait_for()
    assert "the server cannot be reached" in page.locator("#unsaved").inner_text()
    page.unroute("**/api/save")
    page.get_by_role("button", name="Save again").click()
    status(page, "Saved: 1 point for")
    assert page.locator("#unsaved").is_hidden()
    page.errors[:] = [one for one in page.errors if "api/save" not in one]


def test_a_browser_that_goes_gives_its_answers_back(visit, server, course):
    page = opened(visit(), server)
    held = title(page)
    page.goto(f"{server.address}/desk")
    other = opened(visit("Ben"), server)
    assert title(other) == held


def test_a_changed_answer_stands_beside_the_one_that_was_marked(visit, server, course, request):
    page = opened(visit(), server)
    before = title(page)
    answer = number_of(page)
    pressed(page, "1", "Enter")
    another(page, before)
    status(page, "Saved")
    student = next(name for name, (manual, _) in scores(course).items() if manual == 1.0)
    notebook = course.autograded(student) / "report.ipynb"
    notebook.chmod(0o644)
    text = notebook.read_text()
    table = json.loads(text)
    for cell in table["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == CELL:
            cell["source"] = "Quite another answer."
    request.addfinalizer(lambda: notebook.write_text(text))
    notebook.write_text(json.dumps(table))
    page.goto(f"{server.address}/desk/mark/{CELL}/{answer}")
    page.get_by_text("The answer has changed since it was marked").wait_for()
    assert "Quite another answer." in page.locator(".old > div").nth(1).inner_text()
    assert "Quite another answer." not in page.locator(".old > div").nth(0).inner_text()


PAGES = (
    "",
    "/who",
    f"/mark/{CELL}",
    "/mark/q1-8-grids",
    f"/groups/{CELL}",
    f"/answers/{CELL}",
    "/agreement",
    f"/agreement/{CELL}",
    "/find?of=2",
    "/find?of=1.1+2",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, server, course, scheme):
    ben = Person(server.address, "Ben")
    ben.call("settings", changes={"second_share": 1.0})
    for _ in range(3):
        ben.save(ben.next(), ben.items()[:1])
    cleo = Person(server.address, "Cleo")
    passed: list[str] = []
    while (task := cleo.next(passed=passed)) is not None:
        passed.append(task["answer"])
        if task["second"]:
            cleo.save(task, cleo.items()[:2])
    cleo.call("release")
    ben.call("release")
    page = visit(color_scheme=scheme)
    axe = axe_of.Axe()
    for place in (*PAGES, "/progress", "/history", "/settings", "/nothing"):
        page.goto(f"{server.address}/desk{place}")
        if "/mark/" in place:
            page.wait_for_selector(TITLE)
            pressed(page, "1", "4")
        page.wait_for_timeout(300)
        found = axe.run(page)
        assert found.violations_count == 0, (place, found.generate_report())
    opened(page, server)
    for key, place in (("?", "#help-dialog"), ("+", "#item-dialog")):
        pressed(page, key)
        page.wait_for_selector(f"{place}[open]")
        found = axe.run(page)
        assert found.violations_count == 0, (place, found.generate_report())
        pressed(page, "Escape")
    page.errors[:] = [one for one in page.errors if "/desk/nothing" not in one]


def test_a_student_is_found_by_keyboard_and_each_answer_is_a_link(visit, server, course):
    page = opened(visit(), server)
    about, answer = title(page), number_of(page)
    pressed(page, "1", "Enter")
    another(page, about)
    status(page, "Saved")
    page.goto(f"{server.address}/desk")
    for _ in range(20):
        pressed(page, "Tab")
        if page.evaluate("document.activeElement.id") == "of":
            break
    page.keyboard.type(f"1.1 {about.split()[1]}")
    pressed(page, "Enter")
    page.wait_for_url(f"**/desk/student/{answer}")
    assert page.locator("tbody tr").count() == 17
    assert page.locator("tbody tr", has_text="1.1").first.locator(".r").inner_text() == "1 / 2"
    page.get_by_role("link", name=f"Question 1.1, {about.split(' of ')[0].lower()}").click()
    page.locator(TITLE, has_text=about).wait_for()
    # What is said on leaving a page, Chromium counts as aborted.
    page.errors[:] = [one for one in page.errors if "api/release: net::ERR_ABORTED" not in one]


def test_a_phone_shows_all_without_scrolling_sideways(visit, server):
    page = visit()
    page.set_viewport_size({"width": 390, "height": 800})
    for place in (*PAGES, "/progress", "/history", "/settings"):
        page.goto(f"{server.address}/desk{place}")
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, place


def test_what_was_not_saved_comes_back_with_its_answer(visit, server, course):
    page = opened(visit(), server)
    first, words = title(page), page.locator("#comment")
    pressed(page, "1", "c")
    page.keyboard.type("Half written.")
    pressed(page, "Escape", "n")
    another(page, first)
    assert words.input_value() == ""
    pressed(page, "p")
    page.locator(TITLE, has_text=first).wait_for()
    assert (words.input_value(), page.locator("#points").inner_text()) == ("Half written.", "1")
    page.goto(f"{server.address}/desk")
    opened(page, server)
    assert (title(page), words.input_value()) == (first, "Half written.")
    status(page, "not saved yet")
    pressed(page, "Enter")
    another(page, first)
    status(page, "Saved: 1 point for")
    pressed(page, "u")
    page.locator(TITLE, has_text=first).wait_for()
    page.locator("#offer", has_text="You had given 1 point").wait_for()
    assert words.input_value() == ""
    # What is said on leaving a page, Chromium counts as aborted.
    page.errors[:] = [one for one in page.errors if "api/release: net::ERR_ABORTED" not in one]


def test_undo_shows_what_was_before_and_offers_what_was_taken_back(visit, server, course):
    page = opened(visit(), server)
    first, words, offer = title(page), page.locator("#comment"), page.locator("#offer")
    pressed(page, "1", "c")
    page.keyboard.type("At first.")
    pressed(page, "Enter")
    another(page, first)
    status(page, "Saved: 1 point for")
    pressed(page, "p")
    page.locator(TITLE, has_text=first).wait_for()
    pressed(
        page, "2", "a", "Control+a", *"-0,5", "Tab", *"late", "Escape", "c", "Control+a", *"Then.", "Enter"
    )
    another(page, first)
    status(page, "Saved: 1 point for")
    assert offer.is_hidden()
    pressed(page, "u")
    page.locator(TITLE, has_text=first).wait_for()
    offer.wait_for()
    assert (words.input_value(), page.locator("#points").inner_text()) == ("At first.", "1")
    pressed(page, "n")
    another(page, first)
    assert offer.is_hidden()
    pressed(page, "p")
    page.locator(TITLE, has_text=first).wait_for()
    pressed(page, "r")
    assert offer.is_hidden()
    assert (words.input_value(), page.locator("#points").inner_text()) == ("Then.", "1")
    assert page.locator("#adjustment").input_value() == "-0.5"
    assert page.locator("#reason").input_value() == "late"
    pressed(page, "Enter")
    another(page, first)
    status(page, "Saved: 1 point for")
    pressed(page, "p")
    page.locator(TITLE, has_text=first).wait_for()
    assert (words.input_value(), offer.is_hidden()) == ("Then.", True)


def test_every_answer_begins_at_the_top_of_the_rubric(visit, server, course):
    page = visit()
    page.set_viewport_size({"width": 1280, "height": 600})
    before = title(opened(page, server))
    pressed(page, "c", "x")
    scrolled = "document.querySelector('.giving .middle').scrollTop"
    assert page.evaluate(scrolled) > 0
    pressed(page, "Enter")
    another(page, before)
    assert page.evaluate(scrolled) == 0


def test_points_may_be_typed_with_a_comma(visit, server, course):
    page = opened(visit(), server)
    before = title(page)
    pressed(page, "1", "a", "Control+a", *"-0,25")
    assert page.locator("#points").inner_text() == "0.75"
    pressed(page, "Control+a", *"0,2x", "Enter")
    status(page, "is not a number")
    assert title(page) == before
    pressed(page, "Escape", "e", "1")
    page.get_by_label("Points; below 0").fill("1,5")
    pressed(page, "Enter")
    status(page, "The rubric is changed")
    assert page.locator(".item .price").first.inner_text() == "+1.5"


def test_an_item_and_an_adjustment_beside_the_step_are_refused_with_one_message(visit, server, course):
    """The page and the server say the same of the same number, and a mark that cannot be is not sent."""
    page = opened(visit(), server)
    person = Person(server.address, "Ben")
    told = person.call("item", 400, cell=CELL, do="add", points=0.3, text="x")["problem"]
    assert told == "0.3: points go in steps of 0.25"
    before = title(page)
    pressed(page, "a", "Control+a", *"0,3", "Tab", *"why", "Enter")
    status(page, told)
    assert title(page) == before
    assert page.locator("#unsaved").is_hidden()
    pressed(page, "Escape", "e", "1")
    page.get_by_label("in steps of 0.25").fill("0.3")
    pressed(page, "Enter")
    page.locator("#item-preview .notice.bad", has_text=told).wait_for()
    assert page.evaluate("document.activeElement.id") == "item-points"


def test_digits_choose_in_the_group_that_has_the_focus(visit, server, course):
    page = visit()
    groups_of_some_question(page, server)
    page.locator(".group summary").first.click()
    pressed(page, "1")
    assert page.locator(".group .item").first.get_attribute("aria-pressed") == "true"


def test_second_readings_are_announced_where_nothing_else_is_left(visit, server, course):
    ben = Person(server.address, "Ben")
    ben.call("settings", changes={"second_share": 1.0})
    while (task := ben.next()) is not None:
        ben.save(task, ben.items()[:1])
    ben.call("release")
    page = opened(visit(), server)
    page.locator("#left", has_text="second readings").wait_for()
    assert page.locator(".item").first.get_attribute("aria-keyshortcuts") == "1"

"""The pages in a real browser: sorting, filters, the keyboard, accessibility, and nothing from elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")
axe_of = pytest.importorskip("axe_playwright_python.sync_playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed; `make browser` installs it"
)

COHORT = "index.html"
SHEET = "item-1.9.manifold.html"
STUDENT = "feedback.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    # As root, as in a container, Chromium only starts without its own sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., playwright.Page]]:
    """Opens a file as a reader would; in the end nothing was complained about or asked for elsewhere."""
    complaints: list[str] = []
    contexts = []

    def listen(page: playwright.Page) -> None:
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.on("requestfailed", lambda request: complaints.append(f"not found: {request.url}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("file:", "data:"))
                else complaints.append(f"asked for {request.url}")
            ),
        )

    def open_file(path: Path, width: int = 1280, scheme: str = "light", **options: object) -> playwright.Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        contexts.append(context)
        context.on("page", listen)
        page = context.new_page()
        page.goto(path.as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert complaints == []


def names(page: playwright.Page) -> list[str]:
    """The submissions that the table shows, from top to bottom."""
    return page.locator("#map tbody tr:visible th a").all_inner_texts()


def points(page: playwright.Page) -> list[float]:
    cells = page.locator("#map tbody tr:visible td:nth-child(2)")
    return [float(value) for value in cells.evaluate_all("cells => cells.map(cell => cell.dataset.v)")]


def focused(page: playwright.Page) -> tuple[int, int]:
    """Where in the table the focus is: the row among the visible ones, and the column."""
    place = page.evaluate(
        """() => { const cell = document.activeElement.closest("td,th"), row = cell.parentElement;
        return [[...row.parentElement.rows].filter(r => !r.hidden).indexOf(row), cell.cellIndex]; }"""
    )
    return place[0], place[1]


def student_page(built) -> Path:
    return next(
        path for path in sorted(built.folder.glob(f"*/{STUDENT}")) if (path.parent / "figures").is_dir()
    )


def test_the_table_sorts_by_any_column_and_says_so(visit, with_pictures):
    page = visit(with_pictures.folder / COHORT)
    before = names(page)
    assert len(before) == 24
    page.get_by_role("button", name="points").click()
    assert points(page) == sorted(points(page), reverse=True)
    header = page.locator("#map thead th").nth(1)
    assert header.get_attribute("aria-sort") == "descending"
    assert "sorted by points, descending" in page.locator("#count").inner_text()
    page.get_by_role("button", name="points").click()
    assert points(page) == sorted(points(page))
    assert header.get_attribute("aria-sort") == "ascending"
    page.locator("#map thead button").filter(has_text="1.7.kld").click()
    shares = page.locator("#map tbody tr td:nth-child(4)").evaluate_all(
        "cells => cells.map(c => +c.dataset.v)"
    )
    assert shares == sorted(shares, reverse=True)
    assert page.locator("#map thead th[aria-sort]").count() == 1
    page.get_by_role("button", name="submission", exact=True).click()
    assert names(page) == before


def test_the_table_filters_by_name_item_status_and_look(visit, with_pictures):
    page = visit(with_pictures.folder / COHORT)
    page.get_by_label("Name").fill("ARSLAN")
    found = names(page)
    assert found
    assert all("Arslan" in name for name in found)
    assert page.locator("#count").inner_text() == f"{len(found)} of 24 submissions"
    page.get_by_role("button", name="Show all").click()
    playwright.expect(page.locator("#count")).to_have_text("24 submissions")
    page.get_by_label("Item", exact=True).select_option("1.7.kld")
    page.get_by_label("Status").select_option(label="✗ failed")
    rows = page.locator("#map tbody tr:visible")
    assert 0 < rows.count() < 24
    assert set(rows.locator("td:nth-child(4)").evaluate_all("c => c.map(x => x.classList[0])")) == {"f"}
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("checkbox", name="needs a look").check()
    assert len(names(page)) == 6
    page.get_by_label("Name").fill("nobody of this name")
    assert names(page) == []
    assert page.locator("#count").inner_text() == "0 of 24 submissions"


def test_a_check_that_failed_leads_to_those_who_failed_it(visit, with_pictures):
    page = visit(with_pictures.folder / COHORT)
    button = page.locator(".only").first
    item = button.inner_text()
    button.click()
    column = 3 + page.locator("#item option").all_inner_texts().index(item) - 1
    cells = page.locator(f"#map tbody tr:visible td:nth-child({column})")
    assert 0 < cells.count() < 24
    assert "p" not in cells.evaluate_all("c => c.map(x => x.classList[0])")


def test_a_cell_opens_the_students_page_at_the_item(visit, with_pictures):
    page = visit(with_pictures.folder / COHORT)
    name = names(page)[3]
    page.locator("#map tbody tr").nth(3).locator("td a").nth(1).click()
    page.wait_for_load_state()
    assert page.locator("h1").inner_text() == name
    assert page.url.endswith("#i1.7.kld")
    assert page.locator("article:target h3").inner_text() == "1.7.kld KLD"
    page.go_back()
    page.locator("#map tbody th a").first.click()
    page.wait_for_load_state()
    assert page.locator("h1").inner_text() != name


def test_the_table_is_one_stop_of_the_keyboard_and_arrows_move_in_it(visit, with_pictures):
    page = visit(with_pictures.folder / COHORT)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.locator("#map thead button").last.focus()
    page.keyboard.press("Tab")
    assert focused(page) == (0, 0)
    for key, place in (
        *(("ArrowRight", (0, 2)), ("ArrowDown", (1, 2)), ("End", (1, 17)), ("ArrowRight", (1, 17))),
        *(("PageDown", (11, 17)), ("Home", (11, 0)), ("ArrowUp", (10, 0)), ("Control+End", (23, 17))),
        *(("ArrowDown", (23, 17)), ("Control+Home", (0, 0)), ("ArrowLeft", (0, 0)), ("ArrowDown", (1, 0))),
    ):
        page.keyboard.press(key)
        assert focused(page) == place, key
    name = names(page)[1]
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    assert page.locator("h1").inner_text() == name
    page.go_back()
    page.locator("#map thead button").last.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#map')") is None


def test_the_sheet_filters_orders_and_enlarges(visit, with_pictures):
    page = visit(with_pictures.folder / SHEET)
    cards = page.locator("#cards-manifold li:not(.expected):visible")
    total = cards.count()
    assert total > 5
    widths = page.locator("#cards-manifold img").evaluate_all(
        """images => Promise.all(images.map(async image => {
            image.loading = "eager"; await image.decode(); return image.naturalWidth; }))"""
    )
    assert widths == [560] * (cards.locator("img").count() + 1), "theirs and the expected one"
    off = cards.evaluate_all("cards => cards.map(card => Number(card.dataset.d))")
    assert off == sorted(off, reverse=True)
    assert off[0] > off[-1] == 0
    first = cards.first.locator(".who span").first.inner_text()
    cards.first.click()
    dialog = page.get_by_role("dialog")
    playwright.expect(dialog).to_be_visible()
    assert dialog.locator("h2").inner_text() == first
    page.keyboard.press("ArrowRight")
    second = dialog.locator("h2").inner_text()
    assert second != first
    alts = dialog.locator("img").evaluate_all("images => images.map(image => image.alt)")
    assert alts == [f"manifold of {second}", "the expected manifold"]
    page.keyboard.press("Escape")
    playwright.expect(dialog).to_be_hidden()
    # The browser tells of the close a moment after the dialog is hidden; the focus moves then.
    playwright.expect(page.locator("#cards-manifold a:focus .who span").first).to_have_text(second)
    page.get_by_label("Name").fill(second)
    assert cards.count() == 1
    assert page.locator("#count-cards-manifold").inner_text() == f"1 of {total} pictures"
    page.get_by_label("Name").fill("")
    page.get_by_label("Order").select_option("points")
    worth = cards.evaluate_all("cards => cards.map(card => Number(card.dataset.v))")
    assert worth == sorted(worth)
    assert page.locator("#cards-manifold li").first.locator(".who").inner_text() == "expected", "in any order"


def test_the_sheet_by_keyboard(visit, with_pictures):
    page = visit(with_pictures.folder / SHEET)
    page.get_by_label("Size").focus()
    page.keyboard.press("Tab")
    place = (
        "[...document.querySelectorAll('#cards-manifold li')].indexOf(document.activeElement.closest('li'))"
    )
    assert page.evaluate(place) == 0
    page.keyboard.press("ArrowRight")
    assert page.evaluate(place) == 1
    page.keyboard.press("ArrowDown")
    columns = page.evaluate(place) - 1
    assert columns > 1
    page.keyboard.press("ArrowUp")
    assert page.evaluate(place) == 1
    page.keyboard.press("End")
    assert page.evaluate(place) == page.locator("#cards-manifold li").count() - 1
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("dialog")).to_be_visible()
    with page.expect_navigation():
        page.get_by_role("link", name="Student's page").click()
    assert page.url.endswith("feedback.html#i1.9.manifold")


KINDS = ("cohort", "sheet", "item", "student", "by-eye")
WINDOWS = [(360, "dark"), (1280, "light"), (360, "light"), (1280, "dark")]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize(
    ("kind", "width", "scheme"),
    [
        # One look at each page every time, all of them in the slow run.
        pytest.param(kind, *look, marks=() if (place + index) % 4 < 1 else pytest.mark.slow)
        for place, kind in enumerate(KINDS)
        for index, look in enumerate(WINDOWS)
    ],
)
def test_axe_finds_nothing_and_nothing_sticks_out(visit, with_pictures, kind, width, scheme):
    folder = with_pictures.folder
    page = visit(
        {
            "cohort": folder / COHORT,
            "sheet": folder / SHEET,
            "item": folder / "item-1.7.kld.html",
            "student": student_page(with_pictures),
            "by-eye": folder / "item-1.8.grids.html",
        }[kind],
        width,
        scheme,
    )
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    found = axe_of.Axe().run(page, options={"resultTypes": ["violations"], "runOnly": RULES})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_axe_looks_at_the_large_picture_too(visit, with_pictures):
    page = visit(with_pictures.folder / SHEET)
    page.locator("#cards-manifold li").first.click()
    found = axe_of.Axe().run(page, options={"resultTypes": ["violations"], "runOnly": RULES})
    assert found.violations_count == 0, found.generate_report()


def test_the_sheet_of_an_item_marked_by_eye_shows_all_figures_of_a_submission(visit, with_pictures):
    page = visit(with_pictures.folder / "item-2.6.html")
    cards = page.locator("#cards-figure li:visible")
    assert cards.count() == 2, "the third has no part 2"
    page.get_by_label("Show").select_option("something missing")
    playwright.expect(page.locator("#count-cards-figure")).to_have_text("1 of 2 submissions")
    assert cards.locator("i").all_inner_texts() == ["missing"]
    page.get_by_label("Show").select_option("all")
    cards.first.focus()
    cards.first.click()
    large = page.get_by_role("dialog").locator("img")
    sizes = large.evaluate_all(
        "images => Promise.all(images.map(async i => { await i.decode(); return i.naturalWidth; }))"
    )
    assert len(sizes) == 4
    assert min(sizes) >= 300
    captions = page.get_by_role("dialog").locator("figcaption").all_inner_texts()
    assert captions[0] == "Plain autoencoder, reconstructions after 0, 20, 50 and 100 epochs"
    found = axe_of.Axe().run(page, options={"resultTypes": ["violations"], "runOnly": RULES})
    assert found.violations_count == 0, found.generate_report()
    with page.expect_navigation():
        page.get_by_role("link", name="Student's page").click()
    assert page.url.endswith("feedback.html#figures")


def test_a_figure_on_a_students_page_opens_larger(visit, with_pictures):
    page = visit(student_page(with_pictures))
    with page.expect_navigation():
        page.locator("#figures ~ .figures a").first.click()
    assert page.url.endswith("/figures/1.7_bpd_curves.png")


def test_without_scripts_the_pages_are_readable_and_lead_on(visit, with_pictures):
    page = visit(with_pictures.folder / COHORT, java_script_enabled=False)
    assert page.locator("#tools").is_hidden()
    name = names(page)[0]
    page.locator("#map tbody th a").first.click()
    assert page.locator("h1").inner_text() == name


@contextmanager
def printed(page: playwright.Page) -> Iterator[None]:
    page.emulate_media(media="print")
    yield
    page.emulate_media(media="screen")


def test_paper_shows_the_whole_table_and_no_controls(visit, with_pictures):
    page = visit(with_pictures.folder / COHORT, scheme="dark")
    with printed(page):
        assert page.locator("#tools").is_hidden()
        box = page.locator("#map").bounding_box()
        assert box is not None
        assert box["height"] > 24 * 10, "all rows, not a window on them"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(253, 252, 250)"


@pytest.mark.parametrize("width", [360, 700, 900, 1100])
@pytest.mark.parametrize("name", [COHORT, SHEET, "item-2.6.html"])
def test_at_no_width_anything_sticks_out(visit, with_pictures, name, width):
    page = visit(with_pictures.folder / name, width)
    wide = """() => [...document.querySelectorAll("main table, main ul, main svg, main form")]
        .filter(e => !e.closest("#map") && e.getBoundingClientRect().right > innerWidth).length"""
    assert page.evaluate(wide) == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_scripts_in_students_text_do_not_run(visit, with_scripts):
    paths = [*with_scripts.folder.glob(f"*/{STUDENT}"), with_scripts.folder / COHORT]
    paths += [with_scripts.folder / "item-1.7.reparameterize.html"]
    page = visit(paths[0])
    for path in paths:
        page.goto(path.as_uri())
        assert page.title() != "pwned", path
        assert page.locator("h1").count() == 1


@pytest.mark.slow
def test_a_table_of_300_sorts_and_filters_at_once(visit, cohort_of_300):
    page = visit(cohort_of_300.folder / COHORT)
    assert len(names(page)) == 300
    page.get_by_role("button", name="points").click()
    assert points(page) == sorted(points(page), reverse=True)
    page.get_by_label("Name").fill("léa")
    assert all("Léa" in name for name in names(page))
    took = page.evaluate(
        """() => { const started = performance.now(); document.querySelector("#map thead button").click();
        document.body.offsetHeight; return performance.now() - started; }"""
    )
    assert took < 1000, "milliseconds, to sort and lay out"


def test_were_markup_to_get_through_the_policy_would_still_stop_it(browser, with_scripts, tmp_path):
    path = next(with_scripts.folder.glob(f"*/{STUDENT}"))
    (tmp_path / "page.html").write_text(
        path.read_text().replace("<main", "<script>document.title='pwned'</script><main", 1)
    )
    context = browser.new_context()
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.title() != "pwned"
    context.close()

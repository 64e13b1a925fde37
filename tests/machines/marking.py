"""A teaching assistant in a browser: logs in to the hub, opens formgrader on their own server, and marks."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from tests.machines.hub import PASSWORD, Hub

# Marks are filled in after the page has come.
SHOWS_MARKS = "[...document.querySelectorAll('input.score')].some(field => field.placeholder !== '')"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def mark_in_browser(hub: Hub, account: str, cells: Sequence[tuple[str, str]]) -> list[float]:
    """Give points in formgrader's fields.

    Args:
        hub: on which the account's server runs.
        account: of whoever marks.
        cells: the notebook's number in the gradebook and the cell, for each mark, in the notebooks' order.

    Returns:
        The points that were given, for each cell.
    """
    from playwright.sync_api import sync_playwright

    given, here = [], ""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{hub.address}/hub/login")
        page.fill("input[name=username]", account)
        page.fill("input[name=password]", PASSWORD)
        page.click("input[type=submit], button[type=submit]")
        page.wait_for_url(lambda url: "/login" not in url)
        for number, (notebook, cell) in enumerate(cells):
            if notebook != here:
                page.goto(f"{hub.address}/user/{account}/formgrader/submissions/{notebook}/")
                page.wait_for_selector("input.score")
                page.wait_for_function(SHOWS_MARKS)
                here = notebook
            points = 0.25 + 0.25 * (number % 2)
            field = page.locator(f"[id='{cell}']")
            field.fill(f"{points:g}")
            with page.expect_response(
                lambda answer: "/formgrader/api/grade/" in answer.url and answer.request.method == "PUT"
            ) as saved:
                field.blur()
            if saved.value.status != 200:
                raise RuntimeError(f"{account}: {cell} was not saved: {saved.value.status}")
            given.append(points)
        browser.close()
    return given

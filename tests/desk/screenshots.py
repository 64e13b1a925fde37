"""The pictures of docs/desk.md, of a made-up course:

    python -m tests.desk.screenshots COURSE

COURSE is one of `make demo-course`; marks are given in it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # where pytest has it, too

from playwright.sync_api import sync_playwright  # noqa: E402

from grader.gradebook.course import Course  # noqa: E402
from tests.desk.serving import CHROMIUM, TOKEN, Person, served  # noqa: E402

IMAGES = ROOT / "docs" / "images"
FIGURES, WRITTEN = "q1-9-figure", "q1-1"


def mark_some(address: str) -> None:
    """Marks of two people, who do not always agree."""
    ana, ben = Person(address, "Ana"), Person(address, "Ben")
    ana.call("settings", changes={"second_share": 1.0})
    rubric = ana.items(WRITTEN)
    for number in range(40):
        task = ana.next(WRITTEN)
        if task is None or task["second"]:
            break
        ana.save(task, rubric[: 1 + number % 3] + (rubric[3:4] if number % 5 == 0 else []))
    ana.call("release")
    passed: list[str] = []
    seconds = 0
    # Ben's come last: all that waits is his to pass first.
    while seconds < 12 and (task := ben.next(WRITTEN, passed=passed)) is not None:
        passed.append(task["answer"])
        if task["second"]:
            seconds += 1
            ben.save(task, rubric[: 1 + (seconds + seconds // 4) % 3])
    ben.call("release")
    ana.call("settings", changes={"second_share": 0.1})


def main() -> None:
    """Draw them."""
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/desk.md.")
    parser.add_argument("course", type=Path)
    options = parser.parse_args()
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        tempfile.TemporaryDirectory() as home,
        served(Course(options.course.absolute()), Path(home)) as server,
    ):
        mark_some(server.address)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
            page = browser.new_context(viewport={"width": 1360, "height": 850}).new_page()
            page.set_default_timeout(120_000)
            page.goto(f"{server.address}/desk/who?token={TOKEN}")
            page.get_by_label("Your name").fill("Ana")
            page.keyboard.press("Enter")
            page.wait_for_url("**/desk")

            def shoot(name: str) -> None:
                page.wait_for_timeout(1500)
                page.screenshot(path=IMAGES / f"desk-{name}.png")

            shoot("overview")
            page.goto(f"{server.address}/desk/mark/{FIGURES}")
            page.wait_for_selector("#stage .task h2")
            page.keyboard.press("1")
            shoot("mark")
            page.goto(f"{server.address}/desk/mark/{WRITTEN}")
            page.wait_for_selector("#stage .task h2")
            page.keyboard.press("e")
            page.keyboard.press("1")
            page.get_by_label("Points; below 0").fill("0.5")
            page.keyboard.press("Enter")
            page.locator("#item-preview .notice").wait_for()
            shoot("price")
            page.goto(f"{server.address}/desk/groups/{WRITTEN}")
            page.locator(".group summary").first.click()
            page.locator(".group .item").first.click()
            shoot("groups")
            page.goto(f"{server.address}/desk/agreement/{WRITTEN}")
            shoot("agreement")
            page.goto(f"{server.address}/desk/progress")
            shoot("progress")
            browser.close()


if __name__ == "__main__":
    main()

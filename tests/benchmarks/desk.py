"""One scripted browser gives answers the same points and sentences, in formgrader and at the desk.

    python -m tests.benchmarks.desk COURSE [--count 100] [--cell q1-1] [--skip-formgrader] [--db-url URL]

COURSE is a made-up course (`make demo-course`), which is not changed: a copy is, beside it, or in the empty
database that URL names. Counted are
clicks, keys (those of sentences apart), and the time that the browser waits for the next answer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # where pytest has it, too

from playwright.sync_api import sync_playwright  # noqa: E402

from tests.benchmarks.desk_course import copy_of  # noqa: E402
from tests.desk.serving import CHROMIUM, TOKEN, Person, served  # noqa: E402

# Points and sentences, one after another: what a marker gives again and again.
SENTENCES = (
    "A latent vector is drawn from the prior.",
    "The decoder gives a distribution for every pixel.",
    "The pixels are drawn from these distributions.",
)
POINTS = (1.0, 1.5, 2.0)
READING = 0.4  # seconds that a marker looks at an answer, at the very least


class Counted:
    """A page whose clicks and keys are counted."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.clicks = self.keys = self.typed = 0
        self.waits: list[float] = []

    def click(self, selector: str) -> None:
        self.clicks += 1
        self.page.locator(selector).first.click()

    def key(self, name: str) -> None:
        self.keys += 1
        self.page.keyboard.press(name)

    def type(self, text: str) -> None:
        self.typed += len(text)
        self.page.keyboard.type(text)

    def figures(self, count: int) -> dict[str, Any]:
        ordered = sorted(self.waits)
        return {
            "answers": count,
            "clicks": self.clicks,
            "keys": self.keys,
            "letters_of_sentences": self.typed,
            "actions_per_answer": round((self.clicks + self.keys) / count, 2),
            "all_strokes_per_answer": round((self.clicks + self.keys + self.typed) / count, 2),
            "waited_s": round(sum(self.waits), 2),
            "wait_median_ms": round(1000 * statistics.median(ordered)),
            "wait_p99_ms": round(1000 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]),
        }


def in_formgrader(page: Any, address: str, cell: str, count: int) -> dict[str, Any]:
    """As formgrader is used with the keyboard: points, Tab, comment, and on to the next submission."""
    page.goto(f"{address}/formgrader/gradebook/a3/report?token={TOKEN}")
    counted = Counted(page)
    page.wait_for_selector("tbody a")
    counted.click("tbody a")
    _ready(page)
    counted.click(f"#{cell}")
    for number in range(count):
        kind = number % len(POINTS)
        counted.key("Control+a")
        for letter in f"{POINTS[kind]:g}":
            counted.key(letter)
        counted.key("Tab")
        counted.key("Tab")  # past the extra credit
        counted.type(" ".join(SENTENCES[: kind + 1]))
        if number == count - 1:
            break
        before, start = page.url, time.perf_counter()
        counted.key("Control+Period")
        page.wait_for_url(lambda url, before=before: url != before)
        _ready(page)
        counted.waits.append(time.perf_counter() - start)
        counted.click(f"#{cell}")  # its keyboard returns to the comment, where one was
    page.wait_for_timeout(1000)
    return counted.figures(count)


def _ready(page: Any) -> None:
    page.wait_for_function("window.formgrader && formgrader.loaded && window.MathJax && MathJax.loaded")
    page.wait_for_function("formgrader.grades.loaded && formgrader.comments.loaded")


def at_the_desk(page: Any, address: str, cell: str, count: int, sentences: bool) -> dict[str, Any]:
    """With the items' digits. The sentences are items: typed once, and then switched on."""
    page.goto(f"{address}/desk/who?token={TOKEN}")
    page.get_by_label("Your name").fill("Ana")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk")
    page.goto(f"{address}/desk/mark/{cell}")
    counted = Counted(page)
    page.wait_for_selector("#stage .task h2")
    for number in range(count):
        kind = number % len(POINTS)
        page.wait_for_timeout(1000 * READING)
        for digit in "123"[: kind + 1] if sentences else "1":
            counted.key(digit)
        before, start = page.locator("#stage h2").inner_text(), time.perf_counter()
        counted.key("Enter")
        page.wait_for_function(
            "before => document.querySelector('#stage h2')?.textContent !== before", arg=before
        )
        counted.waits.append(time.perf_counter() - start)
    page.locator("#status", has_text="Saved").wait_for()
    page.wait_for_timeout(500)
    return counted.figures(count)


def prepared(person: Person, cell: str) -> None:
    """The three sentences as the first items: what a marker types once, in the first minutes."""
    for item, text in zip(person.items(cell), SENTENCES, strict=False):
        table = {"cell": cell, "do": "change", "item": item, "text": text, "note": ""}
        points = 1 if text is SENTENCES[0] else 0.5
        person.call("item", **table, points=points)
    person.call("release")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="Count keys and clicks, in formgrader and at the desk.")
    parser.add_argument("course", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--cell", default="q1-1")
    parser.add_argument("--skip-formgrader", action="store_true")
    parser.add_argument("--db-url", help="an empty database for the copy, such as one of PostgreSQL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.course.parent) as folder, sync_playwright() as driver:
        course, _ = copy_of(options.course, Path(folder), options.db_url)
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        with served(course, Path(folder, "home")) as server:
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(120_000)
            prepared(Person(server.address), options.cell)
            place = (page, server.address)
            tell("desk", at_the_desk(*place, options.cell, options.count, sentences=True))
            tell("desk, points alone", at_the_desk(*place, "q1-2", options.count, sentences=False))
            if not options.skip_formgrader:
                tell("formgrader", in_formgrader(*place, "q1-3", options.count))
        browser.close()


def tell(what: str, figures: dict[str, Any]) -> None:
    """Print what was measured, a line of JSON for each."""
    print(json.dumps({"what": what, **figures}), flush=True)


if __name__ == "__main__":
    main()

"""Takes the pictures of the pages that the guides show: `python -m tests.report.screenshots SAMPLE COHORT`.

SAMPLE is the output of a run on the sample cohort, COHORT one of `python -m tests.report.cohort`; both with
their pages.
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


def keep(page: Page, name: str, height: int) -> None:
    """Save the upper part of a page as a small file."""
    width = page.viewport_size["width"] if page.viewport_size else 1280
    content = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    save(content, name)


def save(content: bytes, name: str, height: int | None = None) -> None:
    """Save a picture, or the upper part of it, with few colours, those that occur little among them."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    image = image.crop((0, 0, image.width, height or image.height))
    image = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(IMAGES / f"{name}.png", optimize=True)


def main() -> None:
    """Take all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sample", type=Path)
    parser.add_argument("cohort", type=Path)
    options = parser.parse_args()
    with sync_playwright() as driver:
        # These are pages of ours, so that Chromium may do without its own sandbox, which root cannot have.
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])

        def visit(path: Path, width: int, scheme: str = "light") -> Page:
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.goto(path.resolve().as_uri())
            page.wait_for_timeout(1000)  # until the pictures in sight are there
            return page

        page = visit(options.cohort / "index.html", 1280)
        page.locator("#map thead button").nth(1).click()
        page.mouse.move(0, 0)
        page.get_by_label("Item", exact=True).select_option("1.7.kld")
        page.get_by_label("Status").select_option("afnmg")
        keep(page, "pages-cohort", 980)
        page.get_by_role("button", name="Show all").click()
        save(page.locator("section[aria-labelledby=failed]").screenshot(), "pages-failed", 560)
        keep(visit(options.cohort / "item-1.9.manifold.html", 1280), "pages-item", 900)
        keep(visit(options.cohort / "item-1.8.grids.html", 1280), "pages-figures", 560)
        student = options.sample / "wrong_kld" / "feedback.html"
        page = visit(student, 760)
        keep(page, "pages-student", 1420)
        page.locator("[id='i1.7.training'] summary").evaluate("summary => summary.parentElement.remove()")
        save(page.locator("[id='i1.7.training']").screenshot(), "pages-training")
        keep(visit(student, 360, "dark"), "pages-phone", 900)
        browser.close()


if __name__ == "__main__":
    main()

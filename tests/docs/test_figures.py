"""The figures of the handout are what their scripts draw, and the handout shows all of them."""

from __future__ import annotations

import csv
import re
import runpy
import subprocess
import sys
from collections import defaultdict

import pytest

from tests.docs.markdown import HANDOUT, parse, tables

FIGURES = HANDOUT / "figures"
SHOWN = {
    token.attrs["src"]: token.content
    for page in HANDOUT.glob("*.md")
    for block in parse(page.read_text())
    for token in block.children or []
    if token.type == "image"
}
_NUMBER = re.compile(r"-?\d+\.\d+|-?\d+")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    subprocess.run(
        [sys.executable, FIGURES / "draw_all.py", folder], check=True, capture_output=True, text=True
    )
    return folder


def names() -> list[str]:
    return list(runpy.run_path(str(FIGURES / "draw_all.py"))["FIGURES"])


def outline(svg: str) -> tuple[str, list[float]]:
    """A drawing without its embedded pixels: the text with its numbers taken out, and the numbers."""
    svg = re.sub(r"data:image/png;base64,[^\"]+", "", svg)
    return _NUMBER.sub("#", svg), [float(number) for number in _NUMBER.findall(svg)]


@pytest.mark.parametrize("name", names())
def test_a_figure_is_what_its_script_draws(drawn, name):
    text, numbers = outline((FIGURES / f"{name}.svg").read_text())
    new_text, new_numbers = outline((drawn / f"{name}.svg").read_text())
    assert new_text == text, f"{name}.svg is not up to date: run make figures"
    # Hundredths of a point may differ between processors.
    assert new_numbers == pytest.approx(numbers, abs=0.02)


def test_every_figure_is_shown_and_every_picture_is_a_figure():
    assert sorted(SHOWN) == sorted(f"figures/{name}.svg" for name in names())
    assert sorted(path.stem for path in FIGURES.glob("*.svg")) == sorted(names())


def test_figures_are_described_for_those_who_do_not_see_them():
    assert {source: text for source, text in SHOWN.items() if len(text) < 40} == {}


def test_the_numbers_beside_the_black_images_are_those_measured():
    """The table of the page against the file that the figure is drawn from."""
    measured = defaultdict(list)
    with open(FIGURES / "black_images.csv", newline="") as file:
        for row in csv.DictReader(file):
            measured[row["variant"], int(row["step"])].append(float(row["reconstruction_loss"]))
    (table,) = tables((HANDOUT / "black-images.md").read_text())
    assert table[0] == ["variant", "loss after 100 steps", "after 400 steps"]
    for variant, cells in zip(("default", "slow", "batchnorm", "he"), table[1:], strict=True):
        for step, cell in zip((100, 400), cells[1:], strict=True):
            losses = measured[variant, step]
            assert cell == f"{min(losses):.2f} to {max(losses):.2f}", (variant, step)

"""The manifold of one decoder for all: right ones are the same picture, every wrong one differs from it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from grader.box.launcher import Box
from grader.engine.common_view import GRIDS, View, _compared, view
from grader.marking.cause import Cause
from grader.marking.result import (
    FAILED,
    NOT_IMPLEMENTED,
    PASSED,
    CheckResult,
    ItemResult,
    PictureDifference,
    SubmissionResult,
)
from grader.report.expected_manifold import GRID_SIZE, ITEM, KIND, ends, expected
from grader.report.pages import write_pages
from grader.report.results_json import write_result
from grader.suites.part1.manifold_causes import decoded_logits
from grader.suites.part1.test_manifold import axis
from tests.bank.entries import Entry, right, wrong
from tests.report.cards import cards_on
from tests.report.results import result
from tests.suites.variants import solution

LARGEST_OF_RIGHT = 0.003  # of uint8: half of 1/255
SAMPLE_OF_WRONG = (
    "latents within 1.7",
    "percentiles without the half",
    "argmax",
    "10 by default",
    "rows of 8",
)
SAMPLE_OF_RIGHT = ("meshgrid xy", "levels 0 to 15", "no padding, normalized")
UTILS = "part1/utils.py"


def manifold_of(files: dict[str, bytes]) -> bytes:
    return files[UTILS].partition(b"def visualize_manifold")[2]


def wrong_ones() -> list[Entry]:
    return [entry for entry in wrong() if entry.item == ITEM]


def right_ones() -> list[Entry]:
    """Those that write the function, or what it stands on, in another way than the solution."""
    entries = [entry for entry in right() if ITEM in entry.items]
    same = manifold_of(solution("part1"))
    return [entry for entry in entries if manifold_of(entry.files) != same]


def marked(status: str = PASSED, *checks: CheckResult) -> SubmissionResult:
    return replace(result("s1"), items=(ItemResult(ITEM, 0.0, 3.0, status, checks),))


def seen(box: Box, files: dict[str, bytes]) -> View:
    found = view(files, marked(), lambda: box)
    assert found is not None
    return found


def differences(box: Box, entries: list[Entry]) -> dict[str, float]:
    return {entry.name: seen(box, entry.files).difference for entry in entries}


def test_every_wrong_one_of_a_sample_is_farther_than_every_right_one(box: Box) -> None:
    bad = [one for one in wrong_ones() if one.name.partition(": ")[2] in SAMPLE_OF_WRONG]
    good = [one for one in right_ones() if one.name.partition(": ")[2] in SAMPLE_OF_RIGHT]
    assert (len(bad), len(good)) == (len(SAMPLE_OF_WRONG), len(SAMPLE_OF_RIGHT))
    assert max(differences(box, good).values()) < LARGEST_OF_RIGHT < min(differences(box, bad).values()) / 2


@pytest.mark.slow
def test_on_a_sheet_of_300_every_wrong_one_of_the_bank_comes_before_every_right_one(
    box: Box, tmp_path: Path
) -> None:
    bad = differences(box, wrong_ones())
    good = differences(box, [entry for entry in right() if ITEM in entry.items])
    assert (len(bad) > 30, len(good) > 100) == (True, True)
    # A name makes no difference: of the right ones there are copies, to make up 300.
    copies = itertools.islice(itertools.cycle(good.items()), 300 - len(bad))
    cohort = [(f"wrong {n}", value) for n, value in enumerate(bad.values())]
    cohort += [(f"right {n}", value) for n, (_, value) in enumerate(copies)]
    for name, value in cohort:
        write_result(tmp_path, replace(result(name), differences=(PictureDifference(ITEM, KIND, value),)))
    write_pages(tmp_path)
    expected_card, *names = cards_on(tmp_path / f"item-{ITEM}.html", KIND)
    assert (expected_card, len(names)) == ("expected", 300)
    assert {name.split()[0] for name in names[: len(bad)]} == {"wrong"}
    assert {name.split()[0] for name in names[len(bad) :]} == {"right"}
    assert max(good.values()) < LARGEST_OF_RIGHT < min(bad.values()) / 2


def test_right_pictures_are_the_expected_one_whatever_way_the_grid_lies(box: Box) -> None:
    due = expected().reshape(-1, 28, 28)
    for entry in right_ones():
        if entry.name.partition(": ")[2] in SAMPLE_OF_RIGHT:
            assert np.abs(seen(box, entry.files).tiles.numpy() - due).max() < 1e-4, entry.name


def test_the_expected_picture_is_what_the_checks_would_expect_of_the_decoder() -> None:
    for grid_size in GRIDS:
        values = axis(grid_size)
        both = tuple(torch.from_numpy(ends()))
        weights = decoded_logits(torch.cartesian_prod(values, values), both).softmax(dim=1)
        means = (weights * torch.linspace(0, 1, 16, dtype=weights.dtype).view(-1, 1, 1)).sum(dim=1)
        assert np.allclose(means.view(grid_size, grid_size, 28, 28), expected(grid_size), atol=1e-6)


@pytest.mark.parametrize("white", [1.0, 15.0, 15 / 16, 255.0])
def test_any_range_of_grey_levels_and_rounding_to_bytes_are_right(white: float) -> None:
    tiles = torch.from_numpy(expected())
    assert _compared(tiles * white, GRID_SIZE)[1] < 1e-6
    rounded = (tiles * 255).round() / 255
    assert _compared(rounded * white, GRID_SIZE)[1] < LARGEST_OF_RIGHT


def test_what_raises_or_is_no_grid_is_as_different_as_can_be(box: Box) -> None:
    files = solution("part1")
    source = files[UTILS].decode()
    head, _, _ = source.partition("def visualize_manifold")
    for body in ("return 1 / 0", "return torch.zeros(3, 5)", "return 'a picture'", "import os; os._exit(3)"):
        text = f"{head}def visualize_manifold(decoder, grid_size=20):\n    {body}\n"
        assert seen(box, {**files, UTILS: text.encode()}) == View(None, 1.0), body
    assert seen(box, files).difference < 1e-5, "the box is fine afterwards"


def test_a_device_that_is_not_there_does_not_spoil_the_picture(box: Box) -> None:
    files = solution("part1")
    old = "device=decoder.device"
    text = files[UTILS].decode()
    assert old in text
    assert seen(box, {**files, UTILS: text.replace(old, 'device="cuda"').encode()}).difference < 1e-5


def test_nothing_is_run_where_there_is_nothing_to_see_or_no_end() -> None:
    def no_box() -> Box:
        raise AssertionError("a box was asked for")

    assert view({}, marked(NOT_IMPLEMENTED), no_box) is None
    assert view({}, replace(result("s1"), items=()), no_box) is None
    hung = CheckResult("runs", FAILED, 1.0, "m", "h", cause=Cause("timeout", "visualize_manifold"))
    assert view({}, marked(FAILED, hung), no_box) == View(None, 1.0)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)

"""Pictures of what untrusted models made."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from grader.report.curve import BAND, MOST_BITS
from grader.report.pictures import GAP, Picture, draw, file_name

from .images import opened

SAMPLES = Picture("1.8.sample", "samples", np.linspace(0, 1, 4 * 28 * 28).reshape(4, 28, 28))


def grey(content: bytes) -> np.ndarray:
    return np.asarray(opened(content).convert("L"))


def test_samples_stand_in_a_square_with_a_gap():
    image = opened(draw(SAMPLES))
    assert image.size == (2 * 28 + GAP, 2 * 28 + GAP)
    transparent = np.asarray(image.convert("RGBA"))[:, :, 3] == 0
    assert transparent[28 : 28 + GAP].all()
    assert not transparent[:28, :28].any()


def test_a_manifold_has_no_gap_and_keeps_its_order():
    tiles = np.zeros((400, 28, 28))
    tiles[1] = 1.0
    image = grey(draw(Picture("1.9.manifold", "manifold", tiles)))
    assert image.shape == (560, 560)
    assert (image[:28, 28:56] == 255).all()
    assert image.sum() == 255 * 28 * 28


def test_reconstructions_stand_below_their_originals():
    pairs = np.zeros((3, 2, 28, 28))
    pairs[2, 1] = 1.0
    image = grey(draw(Picture("2.4.reconstruction", "reconstructions", pairs)))
    assert image.shape == (2 * 28 + GAP, 3 * 28 + 2 * GAP)
    assert (image[28 + GAP :, 2 * (28 + GAP) :] == 255).all()
    assert (image[:28, : 2 * 28] < 255).any()


def test_values_that_are_none_or_out_of_range_are_drawn_black_or_white():
    values = np.zeros((1, 28, 28))
    values[0, 0, :4] = [np.nan, np.inf, -np.inf, 7.0]
    values[0, 1, :2] = [-3.0, 1e30]
    image = grey(draw(Picture("1.8.sample", "samples", values)))
    assert image[0, :4].tolist() == [0, 255, 0, 255]
    assert image[1, :2].tolist() == [0, 255]


@pytest.mark.parametrize(
    ("kind", "shape", "size"),
    [
        ("samples", (5000, 28, 28), (8 * 28 + 7 * GAP, 8 * 28 + 7 * GAP)),
        ("manifold", (5000, 28, 28), (560, 560)),
        ("samples", (1, 3000, 2000), (32, 32)),
        ("reconstructions", (50, 2, 28, 28), (10 * 28 + 9 * GAP, 2 * 28 + GAP)),
    ],
)
def test_sizes_are_capped(kind, shape, size):
    noise = np.random.default_rng(0).random(shape, dtype=np.float32)
    content = draw(Picture("1.8.sample", kind, noise))
    assert opened(content).size == size
    assert len(content) < 250_000


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("samples", np.zeros((0, 28, 28))),
        ("samples", np.zeros((28, 28))),
        ("samples", np.array(["a", "b"])),
        ("reconstructions", np.zeros((3, 28, 28))),
        ("reconstructions", np.zeros((3, 3, 28, 28))),
        ("curve", np.zeros((5, 3))),
        ("curve", np.full((5, 2), np.nan)),
        ("curve", np.zeros((0, 2))),
    ],
)
def test_what_cannot_be_drawn_is_left_out(kind, values):
    assert draw(Picture("1.8.sample", kind, values)) is None


def curve(values) -> str:
    return draw(Picture("1.7.training", "curve", np.array(values, dtype=float))).decode()


def test_a_curve_is_drawn_beside_the_band_in_variables_and_with_its_last_value():
    text = curve([[40, 1.9], [80, 1.43]])
    words = "".join(ElementTree.fromstring(text).itertext())
    assert "right solutions" in words
    assert "1.43" in words
    assert "var(--band," in text
    assert "prefers-color-scheme:dark" in text
    assert len(text) < 30_000
    assert text == curve([[40, 1.9], [80, 1.43]]), "the same values give the same bytes"


def test_a_curve_of_hostile_values_is_cut_to_size():
    steps = np.arange(100_000)
    values = np.stack([steps, np.where(steps % 2, 1e30, -1e30)], axis=1)
    values[5] = [np.inf, np.nan]
    values[6] = [-1e9, 1.0]
    text = curve(values)
    assert len(text) < 60_000
    assert f"{MOST_BITS:.2f}" in "".join(ElementTree.fromstring(text).itertext())


def test_the_band_is_a_band():
    steps, low, high = np.array(BAND).T
    assert (np.diff(steps) > 0).all()
    assert (low < high).all()


def test_the_file_of_a_picture_names_item_and_kind():
    assert file_name("1.9.manifold", "manifold") == "1.9.manifold.manifold.png"

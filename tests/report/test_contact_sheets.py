"""Contact sheets: what is expected comes first, then what is farthest from it."""

from __future__ import annotations

from dataclasses import replace

from grader.marking.result import FAILED, NOT_IMPLEMENTED, PASSED, PictureDifference
from grader.report.expected_manifold import ITEM, KIND, expected
from grader.report.pages import write_pages
from grader.report.pictures import Picture, draw, file_name, from_originals
from grader.report.results_json import write_result

from .cards import cards_on
from .images import write_pictures
from .results import result

SHEET = f"item-{ITEM}.html"


def add(folder, name: str, difference: float | None, picture: bool = True, status: str = PASSED) -> None:
    made = result(name, lambda item: (status if item.id == ITEM else PASSED, 1.0, "m", "h"))
    found = () if difference is None else (PictureDifference(ITEM, KIND, difference),)
    path = write_result(folder, replace(made, differences=found))
    if picture:
        write_pictures(path.parent, [Picture(ITEM, KIND, expected().reshape(-1, 28, 28))])


def cards(folder) -> list[str]:
    write_pages(folder)
    return cards_on(folder / SHEET, KIND)


def test_the_expected_picture_is_first_and_the_farthest_follow(tmp_path):
    for name, difference in (("ada", 0.0), ("bob", 0.25), ("cleo", 0.01), ("dan", 0.0)):
        add(tmp_path, name, difference)
    assert cards(tmp_path) == ["expected", "bob", "cleo", "ada", "dan"]
    text = (tmp_path / SHEET).read_text()
    assert "25.0%" in text
    assert "The percentage is the difference from the expected picture. No mark depends on it." in text
    assert text.index('value="difference"') < text.index('value="name"')


def test_who_tried_and_drew_no_grid_has_a_card_and_who_did_not_try_has_none(tmp_path):
    add(tmp_path, "ada", 0.0)
    add(tmp_path, "bob", 1.0, picture=False, status=FAILED)
    add(tmp_path, "cleo", None, picture=False, status=NOT_IMPLEMENTED)
    assert cards(tmp_path) == ["expected", "bob", "ada"]
    text = (tmp_path / SHEET).read_text()
    assert "<i>no picture</i>" in text
    assert "1 without a picture" in text


def test_pictures_of_before_which_no_number_compares_are_as_they_were(tmp_path):
    for name in ("cleo", "ada"):
        add(tmp_path, name, None)
    assert cards(tmp_path) == ["ada", "cleo"]
    assert 'value="difference"' not in (tmp_path / SHEET).read_text()
    add(tmp_path, "zoe", 0.1)
    assert cards(tmp_path) == ["expected", "zoe", "ada", "cleo"]


def test_the_expected_picture_is_drawn_as_the_others_are(tmp_path):
    add(tmp_path, "ada", 0.0)
    drawn = draw(Picture(ITEM, KIND, expected().reshape(-1, 28, 28)))
    assert (tmp_path / "ada" / file_name(ITEM, KIND)).read_bytes() == drawn
    assert len(drawn) < 40_000


def test_reconstructions_are_as_far_as_they_are_from_their_originals():
    pairs = expected(2).reshape(2, 2, 28, 28).copy()
    pairs[:, 1] = pairs[:, 0]
    assert from_originals(pairs) == 0
    pairs[:, 1] = 1 - pairs[:, 0].round()
    pairs[:, 0] = pairs[:, 0].round()
    assert from_originals(pairs) == 1
    pairs[0, 1] = float("nan")
    assert 0 < from_originals(pairs) <= 1
    assert from_originals(pairs[:0]) == 1

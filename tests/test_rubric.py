"""The rubric adds up."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from grader.rubric import load_rubric, read_rubric

QUESTIONS = {
    "1.1": 2, "1.2": 3, "1.3": 2, "1.4": 3, "1.5": 2, "1.6": 3, "1.7": 12, "1.8": 3, "1.9": 4,
    "2.1": 3, "2.2": 2, "2.3": 2, "2.4": 3, "2.5": 6, "2.6": 4, "2.7": 2,
    "3.1": 8,
}  # fmt: skip


def test_the_assignment_is_worth_64_points():
    assert sum(item.points for item in load_rubric().items) == 64


@pytest.mark.parametrize(("how", "points"), [("auto", 22.5), ("written", 32), ("manual", 9.5)])
def test_who_gives_how_many_points(how, points):
    assert sum(item.points for item in load_rubric().items if item.how == how) == points


def test_the_items_of_a_question_sum_to_its_points():
    sums: Counter[str] = Counter()
    for item in load_rubric().items:
        sums[item.question] += item.points
    assert sums == QUESTIONS


def test_sixteen_items_are_automatic_and_name_their_files():
    automatic = load_rubric().automatic
    assert len(automatic) == 16
    for item in automatic:
        assert item.files
        assert all(file.startswith(f"part{item.part}/") for file in item.files)


def test_an_item_is_found_by_its_id():
    assert load_rubric()["1.7.kld"].title == "KLD"
    with pytest.raises(KeyError, match=r"no item '1\.7\.nothing'"):
        load_rubric()["1.7.nothing"]


def test_what_is_left_out_is_not_asked_for(tmp_path: Path):
    path = tmp_path / "rubric.toml"
    path.write_text('leave_out = ["1.1"]\n' + GOOD + GOOD.replace("1.1", "1.10"))
    rubric = read_rubric(path)
    assert [item.id for item in rubric.items] == ["1.10"]
    assert [item.id for item in rubric.left_out] == ["1.1"]


GOOD = '[[item]]\nid = "1.1"\npoints = 2\nhow = "written"\ntitle = "t"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + GOOD, "1.1 occurs twice"),
        (GOOD.replace("written", "oral"), "how must be one of"),
        (GOOD.replace("points = 2", "points = 0"), "points must be positive"),
        (GOOD.replace("written", "auto"), "names no files"),
        (GOOD.replace("how", "who"), "item 1.1: there is no key who"),
        (GOOD.replace("points = 2\n", ""), "item 1.1: points is missing"),
        (GOOD.replace("2", '"two"'), "item 1.1: could not convert"),
        (GOOD.replace("1.1", "1"), "an id is like 1.3"),
        ("[[item]", "rubric.toml: "),
        ('leave_out = "1"\n' + GOOD, "leave_out must be a list of texts"),
        ("leave_out = [1]\n" + GOOD, "leave_out must be a list of texts"),
        ('leave_out = ["1.2"]\n' + GOOD, "there is no part, question or item '1.2'"),
    ],
)
def test_a_wrong_rubric_is_refused(tmp_path: Path, text: str, message: str):
    path = tmp_path / "rubric.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_rubric(path)

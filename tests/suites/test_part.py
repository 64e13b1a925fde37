"""A part of a submission in its session: imports, replacement after a wreck, and the limits of patience."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.box.budget import Budget
from grader.box.errors import StudentError
from grader.box.launcher import Box
from grader.suites.part import DRIVERS, HELPER_FOLDER, Part

SOURCE = b"""
import os, time
COUNT = [0]
def count():
    COUNT[0] += 1
    return COUNT[0]
def die():
    os._exit(3)
def hang():
    time.sleep(60)
def nap():
    time.sleep(0.3)
def draw():
    import torch
    return torch.rand(()).item()
def fail():
    return 1 / 0
"""


@pytest.fixture
def part(box: Box) -> Iterator[Part]:
    files = {"part1/utils.py": SOURCE}
    files |= {f"{HELPER_FOLDER}/{path.name}": path.read_bytes() for path in DRIVERS.glob("*.py")}
    part = Part(lambda: box, "part1", files, Budget(100.0), [])
    yield part
    part.close()


def test_calls_of_one_part_share_a_session(part: Part) -> None:
    assert [part.utils.count(), part.utils.count()] == [1, 2]


def test_a_wrecked_session_is_replaced(part: Part) -> None:
    assert part.utils.count() == 1
    with pytest.raises(StudentError, match="ended the process"):
        part.utils.die()
    assert part.utils.count() == 1


def test_a_fresh_part_knows_nothing_of_the_other(part: Part) -> None:
    assert part.utils.count() == 1
    assert part.fresh().utils.count() == 1


def test_sessions_draw_what_the_check_s_seed_decides(part: Part) -> None:
    drawn = []
    for seed in (10, 20, 10):
        part.begin_check(seed)
        drawn.append((part.utils.draw(), part.fresh().utils.draw(), part.fresh().utils.draw()))
        part.close()
    assert drawn[0] == drawn[2]
    assert len({*drawn[0], *drawn[1]}) == 6


def test_a_check_that_is_tried_again_draws_what_its_seed_decides(part: Part) -> None:
    part.utils.count()
    part.begin_check(10)
    drawn = part.utils.draw()
    part.close()  # as before it is tried again alone
    assert part.utils.draw() == drawn
    assert part.utils.draw() != drawn


def test_after_a_hang_the_item_is_not_tried_further(part: Part) -> None:
    with pytest.raises(StudentError, match="did not finish within 0 s"), part.deadline(0.3):
        part.utils.hang()
    with pytest.raises(StudentError, match="earlier call did not end"):
        part.utils.count()


def test_after_a_hang_in_a_fresh_part_the_item_is_not_tried_further(part: Part) -> None:
    child = part.fresh()
    with pytest.raises(StudentError, match="did not finish within 0 s"), child.deadline(0.3):
        child.utils.hang()
    child.close()
    with pytest.raises(StudentError, match="earlier call did not end"):
        part.utils.count()


def test_calls_that_end_just_in_time_use_up_the_submissions_time(part: Part) -> None:
    assert part.utils.count() == 1
    part._budget.left = 0.8
    assert part.utils.nap() is None
    assert part.utils.nap() is None
    with pytest.raises(StudentError, match="did not finish"):
        part.utils.nap()
    with pytest.raises(StudentError, match="earlier call did not end"):
        part.fresh().utils.count()


def test_messages_do_not_name_the_graders_helpers(part: Part) -> None:
    with pytest.raises(StudentError, match=r"^your code raised"):
        part.driver.build(8, 2)


def test_messages_name_the_students_line(part: Part) -> None:
    with pytest.raises(StudentError, match=r"fail raised ZeroDivisionError.*part1/utils.py, line 17"):
        part.utils.fail()


def test_what_was_made_in_a_session_is_made_once_and_ends_with_it(part: Part) -> None:
    made = [part.once("count", part.utils.count), part.once("count", part.utils.count)]
    assert made == [1, 1]
    assert part.fresh().once("count", lambda: "another session") == "another session"
    part.utils.count()
    part.close()
    assert part.once("count", part.utils.count) == 1


def test_what_could_not_be_made_is_tried_again(part: Part) -> None:
    with pytest.raises(StudentError):
        part.once("count", part.utils.fail)
    assert part.once("count", part.utils.count) == 1

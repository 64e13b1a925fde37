"""A part of a submission in its session: imports, replacement after a wreck, and the limits of patience."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.box.errors import StudentError
from grader.box.launcher import Box
from grader.suites.part import DRIVERS, HELPER_FOLDER, PATIENCE, Part

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
def fail():
    return 1 / 0
"""


@pytest.fixture
def part(box: Box) -> Iterator[Part]:
    files = {"part1/utils.py": SOURCE}
    files |= {f"{HELPER_FOLDER}/{path.name}": path.read_bytes() for path in DRIVERS.glob("*.py")}
    lost = [0.0]

    def lose(seconds: float) -> float:
        lost[0] += seconds
        return lost[0]

    part = Part(lambda: box, "part1", files, lose)
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


def test_after_a_hang_the_item_is_not_tried_further(part: Part) -> None:
    with pytest.raises(StudentError, match="did not finish within 0 s") as caught, part.deadline(0.3):
        part.utils.hang()
    part.note_fault(caught.value)
    with pytest.raises(StudentError, match="earlier call did not end"):
        part.utils.count()


def test_a_submission_full_of_hangs_is_not_tried_further(part: Part) -> None:
    part._lost(PATIENCE)
    with pytest.raises(StudentError, match="earlier call did not end"):
        part.utils.count()


def test_messages_do_not_name_the_graders_helpers(part: Part) -> None:
    with pytest.raises(StudentError, match=r"^your code raised"):
        part.driver.build(8, 2)


def test_messages_name_the_students_line(part: Part) -> None:
    with pytest.raises(StudentError, match=r"fail raised ZeroDivisionError.*part1/utils.py, line 12"):
        part.utils.fail()

"""The table of rooms in docs/developing.md is the one that the code is held to."""

import re
from pathlib import Path

from tests.test_house import FLOORS

GUIDE = Path(__file__).parents[2] / "docs" / "developing.md"


def test_the_floors_are_those_of_the_house():
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {int(floor): tuple(re.findall(r"`(\w+)`", rooms)) for floor, rooms in rows}
    assert told == dict(enumerate(FLOORS))

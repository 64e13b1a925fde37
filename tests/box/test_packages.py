"""A part's files under their full names, `part1.utils`, as editors insert them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.box.client import Session
from grader.box.errors import StudentError
from grader.box.launcher import INSIDE, Box

UTILS = b"import sys\nCOUNT = []\nCOUNT.append(1)\ndef name():\n    return __name__\n"
# How a file may ask for the others.
WAYS = {
    "names": b"from part1.utils import name, COUNT\nimport utils\nsame = utils.name is name\n",
    "module": b"import part1.utils\nimport utils\nname, COUNT = utils.name, utils.COUNT\n"
    b"same = part1.utils is utils\n",
    "from the package": b"from part1 import utils as full\nimport utils\nname = full.name\n"
    b"COUNT, same = full.COUNT, full is utils\n",
    "importlib": b"import importlib, utils\nfull = importlib.import_module('part1.utils')\n"
    b"name, COUNT = full.name, full.COUNT\nsame = full is utils\n",
}
PROBE = b"""
def probe():
    import utils
    return [same, len(COUNT), name(), utils.__spec__.name, utils.__name__]
"""


@pytest.fixture
def session(box: Box) -> Iterator[Session]:
    session = Session(box)
    yield session
    session.close()


@pytest.mark.parametrize("way", WAYS)
def test_it_is_the_same_module_under_both_names(session: Session, way: str) -> None:
    session.files({"part1/utils.py": UTILS, "part1/train_pl.py": WAYS[way] + PROBE})
    session.enter("part1")
    assert session.load("train_pl").probe() == [True, 1, "utils", "utils", "utils"]


def test_a_circle_of_imports_ends(session: Session) -> None:
    session.files(
        {
            "part1/utils.py": b"from part1.train_pl import two\ndef one():\n    return two()\n",
            "part1/train_pl.py": b"def two():\n    return 2\nfrom part1.utils import one\n",
        }
    )
    session.enter("part1")
    assert session.load("train_pl").one() == 2


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("part1.helpers", "helpers"),
        ("part2.models", "part2"),
        ("part1.utils.more", "more"),
        ("part3", "part3"),
    ],
)
def test_what_is_not_there_is_missing(session: Session, name: str, missing: str) -> None:
    session.files({"part1/utils.py": UTILS, "part1/train_pl.py": f"import {name}\n".encode()})
    session.enter("part1")
    with pytest.raises(StudentError, match=f"No module named .*{missing}"):
        session.load("train_pl")


@pytest.mark.parametrize("name", sorted(path.stem for path in INSIDE.glob("*.py")))
def test_a_file_may_be_called_as_one_of_the_box_s_own(session: Session, name: str) -> None:
    session.files({f"part1/{name}.py": b"def mine():\n    return 7\n"})
    session.enter("part1")
    assert session.load(name).mine() == 7

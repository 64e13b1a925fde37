"""Every way in which a check of the suites can fail says what is wrong and what to do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from grader import suites

FOLDER = Path(suites.__file__).parent
# Drivers run in the box, and expect.py passes on the hints that it is given.
FILES = sorted(
    file for file in FOLDER.rglob("*.py") if file.parent.name != "drivers" and file.name != "expect.py"
)
# The words of a check, and which argument is the hint.
HINT_OF = {
    "fail": 1,
    "expect": 2,
    "expect_finite": 2,
    "expect_scalar": 2,
    "expect_shape": 3,
    "expect_close": 3,
    "expect_unbounded": 2,
}


def without_hint(source: str) -> list[int]:
    """The lines of calls that give a failure no hint, or an empty one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        place = HINT_OF.get(node.func.id)
        if place is None or any(isinstance(argument, ast.Starred) for argument in node.args):
            continue
        hints = [keyword.value for keyword in node.keywords if keyword.arg == "hint"] + node.args[place:][:1]
        texts = [hint.value for hint in hints if isinstance(hint, ast.Constant)]
        if not hints or "" in texts:
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(FOLDER)) for file in FILES])
def test_every_failure_has_a_hint(file: Path) -> None:
    # In the training of part 1 helpers are only tried, and no message of theirs is shown to anybody.
    tried = {"wrong_helpers"} if file.parent.name == "part1" and file.name == "test_training.py" else set()
    tree = ast.parse(file.read_text())
    hidden = [range(n.lineno, (n.end_lineno or 0) + 1) for n in tree.body if getattr(n, "name", "") in tried]
    lines = [line for line in without_hint(file.read_text()) if not any(line in part for part in hidden)]
    assert not lines, f"no hint in lines {lines}"


@pytest.mark.parametrize(
    "call", ['fail("it is wrong")', 'expect(x > 1, "it is wrong")', 'expect_shape(x, (3,), "it", "")']
)
def test_a_call_without_a_hint_is_found(call: str) -> None:
    assert without_hint(call) == [1]
    assert not without_hint(call.replace(', "")', ")")[:-1] + ', hint="do it otherwise")')

"""What students unpack: how much of it is given, and that what they edit is fit to be shown in a lecture."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EDITED = (
    *("part1/utils.py", "part1/cnn_encoder_decoder.py", "part1/train_pl.py"),
    *("part2/models.py", "part2/train.py"),
)
SHARED = ("commands.py", "runs.py", "drawing.py", "evidence.py")
MOST_GIVEN = 700


def given_lines() -> dict[str, int]:
    """The lines of all code in `student/` that students do not edit, blank lines and comments among them.

    A file that both parts have counts once: there is one for whoever reads or maintains it.
    """
    files = {file.relative_to(REPOSITORY / "student").as_posix(): file for file in STUDENT}
    once = {name: file for name, file in files.items() if name not in EDITED}
    for name in SHARED:
        del once[f"part2/{name}"]
    return {name: len(file.read_text().splitlines()) for name, file in once.items()}


STUDENT = sorted((REPOSITORY / "student").rglob("*.py"))


def test_at_most_700_lines_are_given():
    lines = given_lines()
    assert len(lines) + len(EDITED) + len(SHARED) == len(STUDENT)
    assert sum(lines.values()) <= MOST_GIVEN, lines


@pytest.mark.parametrize("tree", ["student", "solutions"])
@pytest.mark.parametrize("name", EDITED)
def test_no_function_of_what_students_edit_imports_anything(tree, name):
    syntax = ast.parse((REPOSITORY / tree / name).read_text())
    inside = [node for node in ast.walk(syntax) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in inside if node not in syntax.body] == []


def test_the_shared_files_are_the_same_in_both_parts():
    for name in SHARED:
        one, other = (REPOSITORY / "solutions" / part / name for part in ("part1", "part2"))
        assert other.is_symlink()
        assert other.resolve() == one
        one, other = (REPOSITORY / "student" / part / name for part in ("part1", "part2"))
        assert one.read_bytes() == other.read_bytes()

"""What the page on practicalities says of commands, options and files is so."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

from tests.docs.markdown import HANDOUT, ROOT, tables

PAGE = (HANDOUT / "practicalities.md").read_text()
SCRIPTS = {1: ROOT / "solutions" / "part1" / "train_pl.py", 2: ROOT / "solutions" / "part2" / "train.py"}


def table(first: str) -> list[list[str]]:
    """The rows of the one table whose header starts with a word."""
    (found,) = (rows for rows in tables(PAGE) if rows[0][0] == first)
    return found[1:]


def options(part: int) -> dict[str, object]:
    """Defaults of a script's command-line options."""
    return {
        call.args[0].value: next((word.value.value for word in call.keywords if word.arg == "default"), None)
        for call in ast.walk(ast.parse(SCRIPTS[part].read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "add_argument"
    }


def value(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text.strip("`")


@pytest.mark.parametrize("part", SCRIPTS)
def test_options_have_the_defaults_that_are_listed(part):
    listed = {
        name: value(default)
        for cells in table("option")
        for name, default in zip(
            re.findall(r"`(--\w+)`", cells[0]), filter(None, cells[part].split(", ")), strict=False
        )
    }
    assert len(listed) > 5
    actual = options(part)
    assert listed == {name: actual.get(name) for name in listed}


def test_the_figures_are_those_that_the_notebook_shows():
    texts = tomllib.loads((ROOT / "grader" / "release" / "questions.toml").read_text())
    expected = [
        figure["file"]
        for entry in (*texts["question"], *texts["item"])
        for figure in entry.get("figures", ())
    ]
    listed = [name for cells in table("question") for name in re.findall(r"`([^`]+)`", cells[1])]
    assert sorted(listed) == sorted(expected)


def test_the_commands_are_those_of_the_release():
    makefile = (ROOT / "grader" / "release" / "student_kit" / "Makefile").read_text()
    commands = set(re.findall(r"(?:^|`)make (\w+)", PAGE, re.MULTILINE))
    assert {"check", "watch", "report", "handin"} <= commands
    assert commands <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))

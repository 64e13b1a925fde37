"""What the page on practicalities says of commands, options and files is so."""

from __future__ import annotations

import re

import pytest

from grader.report.by_eye import by_eye
from tests.docs.markdown import HANDOUT, ROOT, tables
from tests.solutions.conftest import load_part

PAGE = (HANDOUT / "practicalities.md").read_text()


def table(first: str) -> list[list[str]]:
    """The rows of the one table whose header starts with a word."""
    (found,) = (rows for rows in tables(PAGE) if rows[0][0] == first)
    return found[1:]


def options(part: int) -> dict[str, object]:
    """Defaults of a script's command-line options."""
    modules = load_part(f"solutions/part{part}")
    script = modules.train_pl if part == 1 else modules.train
    actions = script.command_line()._actions
    return {flag: action.default for action in actions for flag in action.option_strings}


def value(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text.strip("`")


@pytest.mark.parametrize("part", [1, 2])
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
    expected = [figure.stem + ".png" for one in by_eye() for figure in one.figures]
    listed = [name for cells in table("question") for name in re.findall(r"`([^`]+)`", cells[1])]
    assert sorted(listed) == sorted(expected)


def test_the_commands_are_those_of_the_release():
    makefile = (ROOT / "grader" / "release" / "student_kit" / "Makefile").read_text()
    commands = set(re.findall(r"(?:^|`)make (\w+)", PAGE, re.MULTILINE))
    assert {"check", "watch", "report", "handin"} <= commands
    assert commands <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))

"""The scripts of both parts, as the tests of the solutions load them."""

import sys

import pytest

from tests.solutions.conftest import part1, part2

__all__ = ["in_parts", "part1", "part2"]


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch, part1, part2) -> None:
    """Lets the scripts find the module that both parts share when their options are asked for."""
    monkeypatch.setitem(sys.modules, "commands", part1.commands)

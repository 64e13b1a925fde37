"""The scripts of both parts, as the tests of the solutions load them."""

from tests.solutions.conftest import part1, part2

__all__ = ["part1", "part2"]

"""Checks of networks with random weights, which right code may fail by bad luck."""

import functools

from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed
from grader.suites.part import Part
from grader.suites.pieces import Check

# Of narrow networks with ReLU up to a third are born dead: whatever goes in, one number comes out.
NETWORKS = 6


def by_some_network(check: Check) -> Check:
    """Let a check fail only if it fails for several networks, each with weights of its own.

    What it looks for is wrong with any weights: a layer that is missing, a gradient that is cut.
    """

    @functools.wraps(check)
    def some(part2: Part, draw: Draw) -> None:
        for left in reversed(range(NETWORKS)):
            try:
                return check(part2, draw)
            except CheckFailed:
                if not left:
                    raise
        return None

    return some

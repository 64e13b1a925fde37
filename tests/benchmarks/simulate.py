"""How long would 100,000 submissions take? A queue of workers with measured costs.

Submissions go, in the order of their arrival, to the worker that is free first. A worker starts with its box.
One process hands out the work and writes the results; what that takes for each submission bounds the rate of
the whole, however many workers there are.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Forecast:
    """What a number of workers comes to.

    Attributes:
        workers: one core each.
        hours: until the last result.
        core_hours: of all workers, until the last result.
        busy: the share of that time in which they mark.
    """

    workers: int
    hours: float
    core_hours: float
    busy: float


def simulate(
    costs: Sequence[float],
    submissions: int,
    workers: int,
    start_seconds: float,
    dispatch_seconds: float,
    seed: int = 0,
) -> Forecast:
    """Mark so many submissions, their costs drawn from measured ones.

    Args:
        costs: seconds that submissions took one worker.
        submissions: how many to mark.
        workers: how many there are.
        start_seconds: from a worker's start until its box is warm.
        dispatch_seconds: of the one process, for each submission.
        seed: of the draws.
    """
    draw = random.Random(seed)
    free = [start_seconds] * workers
    heapq.heapify(free)
    dispatcher = marking = last = 0.0
    for _ in range(submissions):
        cost = draw.choice(costs)
        dispatcher = max(dispatcher, free[0]) + dispatch_seconds
        end = dispatcher + cost
        heapq.heapreplace(free, end)
        marking += cost
        last = max(last, end)
    return Forecast(workers, last / 3600, workers * last / 3600, marking / (workers * last))

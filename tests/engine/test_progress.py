"""Counts, pace and the time left."""

from __future__ import annotations

import pytest

from grader.engine import Finished, Started
from grader.engine.progress import Tally
from grader.marking.result import FAILED, GRADER_ERROR

from .fakes import result_for


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_done_running_and_failed():
    tally = Tally(5)
    for name in ("s1", "s2", "s3", "s4"):
        tally.on_event(Started(name))
    tally.on_event(Finished(result_for("s2")))
    tally.on_event(Finished(result_for("s3", FAILED, 0.0)))
    tally.on_event(Finished(result_for("s1", GRADER_ERROR, 0.0)))
    tally.on_event(Finished(result_for("s5"), reused=True))
    assert list(tally.running) == ["s4"]
    assert (tally.done, tally.with_failures, tally.not_marked, tally.reused) == (4, 1, 1, 1)


def test_pace_and_time_left():
    clock = Clock()
    tally = Tally(20, clock)
    for number in range(5):
        tally.on_event(Finished(result_for(f"old{number}"), reused=True))
    clock.now += 100  # the start of the boxes is in no one's pace until the first submission starts
    for number in range(3):
        tally.on_event(Started(f"s{number}"))
        assert tally.per_minute is None
        assert tally.seconds_left is None
        clock.now += 10
        tally.on_event(Finished(result_for(f"s{number}")))
    assert tally.per_minute == pytest.approx(6)
    assert tally.seconds_left == pytest.approx(120)
    clock.now += 5
    assert tally.seconds_left == pytest.approx(115), "goes down while nothing comes"
    clock.now += 500
    assert tally.seconds_left == 0, "never below"

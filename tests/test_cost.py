"""What marking one submission costs, shown by `make test-all TESTS=tests/test_cost.py`.

Among the slow tests: CPU time grows by half beside other busy processes, so that this needs a quiet machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.box.client import Session
from grader.engine.cpus import idle_cpus, keep_to
from grader.limits import CALL_SECONDS
from grader.marking.marker import Marker, MarkingOptions
from grader.submission import read_submission

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"
MOST_CPU_SECONDS, MOST_BESIDE_TRAINING = 30.0, 3.0


@pytest.fixture
def one_cpu() -> Iterator[None]:
    """Keep to one CPU, as a worker process does."""
    before = os.sched_getaffinity(0)
    for cpu in idle_cpus(1):
        keep_to(cpu)
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.slow
@pytest.mark.usefixtures("one_cpu")
def test_a_submission_costs_little_beside_its_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    training = 0.0
    request = Session.request

    def timed(session: Session, operation: str, *arguments: Any, what: str = "") -> Any:
        # Calls that train are the ones that are given more than the usual time.
        nonlocal training
        if operation != "call" or session._seconds <= CALL_SECONDS:
            return request(session, operation, *arguments, what=what)
        before = request(session, "cpu")
        reply = request(session, operation, *arguments, what=what)
        training += request(session, "cpu") - before
        return reply

    marker = Marker(MarkingOptions(seed=1))
    submission = read_submission(SOLUTIONS)
    try:
        marker.mark(submission)  # what a process imports once, and the box's start, do not count
        box = marker.box()
        monkeypatch.setattr(Session, "request", timed)
        own, boxed = time.process_time(), box.cpu_seconds
        result = marker.mark(submission)
        own, boxed = time.process_time() - own, box.cpu_seconds - boxed
    finally:
        marker.close()
    assert result.points == 22.5
    beside = own + boxed - training
    with capsys.disabled():
        print(
            f"\none submission: {own + boxed:.1f} s of CPU time ({own:.1f} s in the grader, {boxed:.1f} s in "
            f"the box), of which training {training:.1f} s and all else {beside:.1f} s; "
            f"{result.seconds:.1f} s on the clock"
        )
    assert own + boxed <= MOST_CPU_SECONDS
    assert beside <= MOST_BESIDE_TRAINING

"""No entry of the hostile bank earns a point, harms the grader, or leaves anything behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import SubmissionResult
from grader.submission import GRADER, Submission
from tests.bank.attack import (
    ATTACKS,
    MOST_GROWTH,
    RIGHT_KLD,
    Surroundings,
    attempt,
    earned,
    faults,
    still_fair,
    warm,
)
from tests.bank.hostile import HOSTILE, Hostile
from tests.bank.hostile_entry import KLD, LEFT, UTILS, rewarded


@pytest.fixture(scope="module")
def marker() -> Iterator[Marker]:
    """One warm marker for the whole bank: what one entry breaks the next one meets."""
    marker = Marker(MarkingOptions(seed=1))
    warm(marker)
    yield marker
    marker.close()


@pytest.mark.parametrize(
    "entry",
    [pytest.param(entry, id=entry.name, marks=[pytest.mark.slow] if entry.slow else []) for entry in HOSTILE],
)
def test_a_hostile_submission_gets_nothing(marker: Marker, tmp_path: Path, entry: Hostile) -> None:
    complaints, _ = attempt(marker, entry, tmp_path)
    assert not complaints


def test_the_bank_is_large_and_its_names_differ() -> None:
    names = [entry.name for entry in ATTACKS]
    assert len(set(names)) == len(names) >= 120


def test_checks_that_must_fail_are_the_only_ones_that_count(marker: Marker, tmp_path: Path) -> None:
    entry = Hostile("an attack that works", {UTILS: rewarded("return True")})
    _, result = attempt(marker, entry, tmp_path)
    first, *others = [check.name for check in result.items[0].checks]
    assert others
    assert earned(result, must_fail=(first,)) == [f"1.7.kld: {first}"]
    assert not earned(result, must_fail=("no such check",))


# -- each property can fail -----------------------------------------------------------------------------


def test_points_would_be_noticed(marker: Marker, tmp_path: Path) -> None:
    entry = Hostile("an attack that works", {UTILS: rewarded("return True")})
    complaints, result = attempt(marker, entry, tmp_path)
    names = [check.name for check in result.items[0].checks]
    assert earned(result) == [f"1.7.kld: {name}" for name in names]
    assert complaints == [f"earned {points}" for points in earned(result)]
    assert earned(result, tuple(names[1:])) == [f"1.7.kld: {names[0]}"]
    assert not earned(result, tuple(names))


def test_a_fault_of_the_grader_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from grader.box.errors import BoxError

    broken = Marker(MarkingOptions(seed=1))

    def refuse() -> None:
        raise BoxError("no box today")

    monkeypatch.setattr(broken, "box", refuse)
    assert faults(RIGHT_KLD, broken.mark(RIGHT_KLD, frozenset(KLD))) == ["1.7.kld: no box today"]
    unread = Submission("unread", {}, error="disk error", fault=GRADER)
    assert faults(unread, SubmissionResult("unread", 1, "", "bwrap", 0.0, ())) == ["disk error"]


def test_a_process_that_stays_would_be_noticed(marker: Marker, tmp_path: Path) -> None:
    before = Surroundings(marker, tmp_path)
    number, channel = marker.box().open_channel()
    try:
        assert len(before.left_processes()) == 1
    finally:
        channel.close()
        marker.box().close_channel(number)
    assert not before.left_processes()


def test_a_file_that_stays_would_be_noticed(marker: Marker, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    before = Surroundings(marker, tmp_path)
    (tmp_path / "old").write_text("new")
    (tmp_path / "new").write_text("new")
    outside = Path("/tmp", f"{LEFT}-{os.getpid()}")
    outside.touch()
    try:
        assert before.left_files() == sorted([str(outside), str(tmp_path / "new"), str(tmp_path / "old")])
    finally:
        outside.unlink()


def test_a_change_of_the_grader_would_be_noticed(
    marker: Marker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Surroundings(marker, tmp_path)
    assert not before.changes()
    monkeypatch.setattr(torch, "allclose", lambda *args, **kwargs: True)
    assert before.changes() == ["True instead of False"]
    monkeypatch.undo()
    before.pid += 1
    assert before.changes() == ["the box was replaced"]


def test_memory_that_was_taken_and_given_back_would_be_noticed(marker: Marker, tmp_path: Path) -> None:
    before = Surroundings(marker, tmp_path)
    assert not before.grown()
    taken = bytearray(b"x") * (MOST_GROWTH + 10**7)
    del taken
    (complaint,) = before.grown()
    assert complaint.startswith("the grader grew by ")
    assert not Surroundings(marker, tmp_path).grown()


def test_unfair_marks_would_be_noticed(marker: Marker, monkeypatch: pytest.MonkeyPatch) -> None:
    assert still_fair(marker)
    monkeypatch.setattr("grader.box.client.CALL_SECONDS", 0.0)
    assert not still_fair(marker)

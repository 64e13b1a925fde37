"""Every worker proves itself before it gets work: canaries that try to leave the box, and the same suites."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import pytest

from grader.box.errors import BoxError
from grader.box.launcher import Box
from grader.box.unprotected import UnprotectedBox
from grader.engine import Provenance
from grader.engine.guard import BoxLeaks, check_box, guarded_marker
from grader.marking.marker import MarkingOptions, suite_digest

OPTIONS = MarkingOptions(seed=1, sandbox=True)
ENVIRONMENT = "sha256:environment"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.engine.guard.environment_digest", lambda data: ENVIRONMENT)


def provenance(suite: str | None = None, environment: str = ENVIRONMENT) -> Provenance:
    return Provenance(1, suite or suite_digest(), "bwrap", (), environment)


def test_canaries_stay_in_the_box(box: Box) -> None:
    check_box(box)
    assert box.alive()


def test_a_worker_on_a_machine_that_lets_no_box_be_made_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: Unknown option --size' >&2; exit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BoxError, match="no sandbox for students' code: this bubblewrap is too old"):
        guarded_marker(OPTIONS, provenance())


@pytest.mark.slow
def test_canaries_get_out_where_nothing_holds_them() -> None:
    box = UnprotectedBox()
    try:
        with pytest.raises(
            BoxLeaks, match="read files outside it, reach the network, start processes without limit"
        ):
            check_box(box)
    finally:
        box.close()


class Pretender:
    """In the place of the marker; its box is another object for each test."""

    closed = 0

    def __init__(self, options: MarkingOptions, start_on: Collection[int] = ()) -> None:
        self.options = options
        self.started = False

    def start(self) -> None:
        self.started = True

    def box(self) -> object:
        return self

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The boxes that canaries are let loose in."""
    looked: list[object] = []
    monkeypatch.setattr("grader.engine.guard.DrawingMarker", Pretender)
    monkeypatch.setattr("grader.engine.guard.check_box", looked.append)
    Pretender.closed = 0
    return looked


def test_a_marker_is_handed_out_once_its_box_holds(pretend: list[object]) -> None:
    marker = guarded_marker(OPTIONS, provenance())
    assert isinstance(marker, Pretender)
    assert marker.started
    assert pretend == [marker]


def test_without_a_box_there_is_nothing_to_hold(pretend: list[object]) -> None:
    guarded_marker(MarkingOptions(seed=1, sandbox=False), provenance())
    assert pretend == []


def test_a_marker_whose_box_leaks_is_closed(pretend: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    def leak(box: object) -> None:
        raise BoxLeaks("it leaks")

    monkeypatch.setattr("grader.engine.guard.check_box", leak)
    with pytest.raises(BoxLeaks, match="it leaks"):
        guarded_marker(OPTIONS, provenance())
    assert Pretender.closed == 1


def test_a_worker_with_other_suites_refuses(pretend: list[object]) -> None:
    with pytest.raises(RuntimeError, match="the suites here are not those that the run began with"):
        guarded_marker(OPTIONS, provenance(suite="sha256:other"))
    assert pretend == []


def test_a_worker_with_other_libraries_or_images_refuses(pretend: list[object]) -> None:
    with pytest.raises(RuntimeError, match="other libraries, or other images for --data digits"):
        guarded_marker(OPTIONS, provenance(environment="sha256:other"))
    assert pretend == []

"""No entry of the hostile bank earns a point, harms the grader, or leaves anything behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from grader.data import load_images
from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import GRADER_ERROR, PASSED, SubmissionResult
from grader.submission import GRADER, Submission
from tests.bank.hostile import HOSTILE, Hostile, submission_of
from tests.bank.hostile_entry import KLD, LEFT, REPOSITORY, SOLUTIONS, UTILS, rewarded
from tests.box.host import family, remaining

# Where code that got out could write. Others work there, too, so that only the names count that entries use.
OUTSIDE = (Path("/"), Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path.home(), REPOSITORY)
WRITTEN = ("results.json", "marks.csv", "sitecustomize.py", "conftest.py")
RIGHT_KLD = Submission("right", {UTILS: (SOLUTIONS / UTILS).read_bytes()})


class Earned(AssertionError):
    """A hostile submission has passed checks. No other failure of a known breach is to be expected."""


@pytest.fixture(scope="module")
def marker() -> Iterator[Marker]:
    """One warm marker for the whole bank: what one entry breaks the next one meets."""
    load_images("digits")  # scikit-learn changes the environment when it is first imported
    marker = Marker(MarkingOptions(seed=1))
    assert earned(marker.mark(RIGHT_KLD, frozenset(KLD)), ())  # warm: the first marking imports the suites
    yield marker
    marker.close()


def earned(result: SubmissionResult, may_pass: tuple[str, ...]) -> list[str]:
    """What a result gives that it must not give: items with points, checks that passed."""
    passed = [
        f"{item.id}: {check.name}" for item in result.items for check in item.checks if check.status == PASSED
    ]
    wrongly = [name for name in passed if name.partition(": ")[2] not in may_pass]
    without_reason = [f"{item.id}: {item.points} points" for item in result.items if item.points]
    return wrongly + (without_reason if not passed else [])


def faults(submission: Submission, result: SubmissionResult) -> list[str]:
    """What is put down to the grader."""
    found = [
        f"{item.id}: {check.message}"
        for item in result.items
        for check in item.checks
        if GRADER_ERROR in (item.status, check.status)
    ]
    return found + ([submission.error] if submission.fault == GRADER else [])


@dataclass
class Surroundings:
    """What a marking must leave as it was: processes, files, and the grader's own process."""

    marker: Marker
    own: Path
    pid: int = 0
    processes: set[tuple[int, str]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    files: dict[str, object] = field(default_factory=dict)
    state: tuple[object, ...] = ()

    def __post_init__(self) -> None:
        self.pid = self.marker.box().pid
        self.processes = family(self.pid)
        self.names, self.files, self.state = self._names(), self._files(), self._state()

    def _names(self) -> set[str]:
        return {
            str(folder / name)
            for folder in OUTSIDE
            if folder.is_dir()
            for name in os.listdir(folder)
            if LEFT in name or name in WRITTEN
        }

    def _files(self) -> dict[str, object]:
        """All that lies in the test's own folder, with the contents of plain files."""
        return {
            str(path): path.read_bytes() if path.is_file() and not path.is_symlink() else path.lstat().st_mode
            for path in self.own.rglob("*")
        }

    @staticmethod
    def _state() -> tuple[object, ...]:
        return (
            os.getcwd(),
            dict(os.environ) | {"PYTEST_CURRENT_TEST": ""},
            list(sys.path),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.allclose(torch.zeros(1), torch.ones(1)),
            "conftest" in sys.modules,
        )

    def left_processes(self) -> set[tuple[int, str]]:
        """Processes of the box that were not there before and do not end by themselves."""
        return remaining(family(self.pid) - self.processes, 0.5)

    def left_files(self) -> list[str]:
        """New names outside, and what is new or different in the test's own folder."""
        files = self._files()
        changed = {
            name for name in files.keys() | self.files.keys() if files.get(name) != self.files.get(name)
        }
        return sorted((self._names() - self.names) | changed)

    def changes(self) -> list[str]:
        """What else is not as it was: the box, or the state of the grader's process."""
        found = [] if self.marker.box().pid == self.pid else ["the box was replaced"]
        return found + [
            f"{new} instead of {old}"
            for new, old in zip(self._state(), self.state, strict=True)
            if new != old
        ]


def still_fair(marker: Marker) -> bool:
    """Whether right code gets full marks."""
    (item,) = marker.mark(RIGHT_KLD, frozenset(KLD)).items
    return item.status == PASSED and item.points == item.max_points


def parameters(entries: tuple[Hostile, ...]) -> list[object]:
    """The entries as pytest's parameters."""
    found = []
    for entry in entries:
        marks = [pytest.mark.slow] if entry.slow else []
        if entry.breach:
            marks.append(pytest.mark.xfail(strict=True, raises=Earned, reason=entry.breach))
        found.append(pytest.param(entry, id=entry.name, marks=marks))
    return found


@pytest.mark.parametrize("entry", parameters(HOSTILE))
def test_a_hostile_submission_gets_nothing(
    marker: Marker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: Hostile
) -> None:
    submission = submission_of(entry, tmp_path)
    before = Surroundings(marker, tmp_path)
    with monkeypatch.context() as patch:
        if entry.seconds is not None:
            patch.setattr("grader.box.client.CALL_SECONDS", entry.seconds)
        result = marker.mark(submission, frozenset(entry.items))
    assert {item.id for item in result.items} == set(entry.items)
    assert not faults(submission, result)
    assert not before.left_processes()
    assert not before.left_files()
    assert not before.changes()
    assert still_fair(marker)
    if points := earned(result, entry.may_pass):
        raise Earned(points)


def test_the_bank_is_large_and_its_names_differ() -> None:
    names = [entry.name for entry in HOSTILE]
    assert len(set(names)) == len(names) >= 35


# -- each property can fail -----------------------------------------------------------------------------


def test_points_would_be_noticed(marker: Marker, tmp_path: Path) -> None:
    entry = Hostile("an attack that works", {UTILS: rewarded("return True")})
    result = marker.mark(submission_of(entry, tmp_path), frozenset(KLD))
    names = [check.name for check in result.items[0].checks]
    assert earned(result, ()) == [f"1.7.kld: {name}" for name in names]
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


def test_unfair_marks_would_be_noticed(marker: Marker, monkeypatch: pytest.MonkeyPatch) -> None:
    assert still_fair(marker)
    monkeypatch.setattr("grader.box.client.CALL_SECONDS", 0.0)
    assert not still_fair(marker)

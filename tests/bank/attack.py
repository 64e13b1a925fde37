"""What a hostile submission must not achieve: points, harm to the grader, anything left behind."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import torch

from grader.box.processes import status
from grader.limits import CALL_SECONDS
from grader.marking.marker import Marker
from grader.marking.result import GRADER_ERROR, PASSED, SubmissionResult
from grader.submission import GRADER, Submission
from tests.bank.hostile import HOSTILE, Hostile, submission_of
from tests.bank.hostile_entry import KLD, LEFT, REPOSITORY, SOLUTIONS, UTILS
from tests.box.host import family, remaining
from tests.suites.test_cheats import CHEATS

# Where code that got out could write. Others work there, too, so that only the names count that entries use.
OUTSIDE = (Path("/"), Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path.home(), REPOSITORY)
WRITTEN = ("results.json", "marks.csv", "sitecustomize.py", "conftest.py")
# What marking a hostile submission may add to the grader's own process, which has half a gigabyte before.
MOST_GROWTH = 450 * 10**6
RIGHT_KLD = Submission("right", {UTILS: (SOLUTIONS / UTILS).read_bytes()})


ATTACKS: tuple[Hostile, ...] = (
    *HOSTILE,
    *(
        Hostile(f"cheat: {cheat.name}", cheat.code, items=(cheat.item,), must_fail=cheat.checks)
        for cheat in CHEATS
    ),
)


def attacks_digest() -> str:
    """Changes with anything that an attack is made of."""
    sources = [
        *Path(__file__).parent.glob("hostile*.py"),
        Path(__file__),
        Path(__file__).parents[1] / "suites" / "test_cheats.py",
    ]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sorted(sources))).hexdigest()


def warm(marker: Marker) -> None:
    """Let a marker load what it loads once, so that it does not count as a change."""
    assert still_fair(marker)


def attempt(marker: Marker, entry: Hostile, folder: Path) -> tuple[list[str], SubmissionResult]:
    """Mark an entry: what it got or did that it must not, and its result.

    Args:
        marker: a warm one; what one entry breaks the next one meets.
        entry: the attack.
        folder: an empty folder that nobody else uses.
    """
    submission = submission_of(entry, folder)
    before = Surroundings(marker, folder)
    with mock.patch("grader.box.client.CALL_SECONDS", entry.seconds or CALL_SECONDS):
        result = marker.mark(submission, frozenset(entry.items))
    missing = set(entry.items) - {item.id for item in result.items}
    return [
        *(f"no result for {item}" for item in missing),
        *(f"grader's fault: {fault}" for fault in faults(submission, result)),
        *(f"a process stays: {process}" for process in before.left_processes()),
        *(f"a file stays or changes: {name}" for name in before.left_files()),
        *before.grown(),
        *(f"the grader changes: {change}" for change in before.changes()),
        *([] if still_fair(marker) else ["right code loses points after it"]),
        *(f"earned {points}" for points in earned(result, entry.may_pass, entry.must_fail)),
    ], result


def earned(
    result: SubmissionResult, may_pass: tuple[str, ...] = (), must_fail: tuple[str, ...] = ()
) -> list[str]:
    """What a result gives that it must not give: items with points, checks that passed.

    Args:
        result: of an attack.
        may_pass: checks that may pass, by name.
        must_fail: the only ones that may not pass; empty for all.
    """
    passed = [
        f"{item.id}: {check.name}" for item in result.items for check in item.checks if check.status == PASSED
    ]
    wrongly = [
        name
        for name in passed
        if (check := name.partition(": ")[2]) not in may_pass and check in (must_fail or [check])
    ]
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
    memory: int = 0

    def __post_init__(self) -> None:
        self.pid = self.marker.box().pid
        self.processes = family(self.pid)
        self.names, self.files, self.state = self._names(), self._files(), self._state()
        self.memory = forget_peak()

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

    def grown(self) -> list[str]:
        """What is to say against how much memory the grader's own process took at any time since."""
        growth = _kilobytes("VmHWM") * 1024 - self.memory
        return [f"the grader grew by {growth / 10**6:.0f} MB"] if growth > MOST_GROWTH else []

    def changes(self) -> list[str]:
        """What else is not as it was: the box, or the state of the grader's process."""
        found = [] if self.marker.box().pid == self.pid else ["the box was replaced"]
        return found + [
            f"{new} instead of {old}"
            for new, old in zip(self._state(), self.state, strict=True)
            if new != old
        ]


def forget_peak() -> int:
    """Let the system count the peak of this process's memory from here; the bytes that it takes now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _kilobytes("VmRSS") * 1024


def _kilobytes(name: str) -> int:
    return int(status(os.getpid())[name].split()[0])


def still_fair(marker: Marker) -> bool:
    """Whether right code gets full marks."""
    (item,) = marker.mark(RIGHT_KLD, frozenset(KLD)).items
    return item.status == PASSED and item.points == item.max_points

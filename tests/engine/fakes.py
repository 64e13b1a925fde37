"""Markers that do what the name of the submission says, importable in worker processes."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from grader.engine import Provenance, worker
from grader.engine.worker import Drawn
from grader.marking.result import GRADER_ERROR, PASSED, CheckResult, ItemResult, SubmissionResult
from grader.rubric import load_rubric
from grader.submission import Found, Submission

PROVENANCE = Provenance(seed=7, suite="sha256:0", sandbox="none")


_SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import grader.engine
import grader.engine.guard as guard
import grader.grading.environment as environment
from engine.fakes import {marker}
if __name__ == "__main__":
    guard.guarded_marker, environment.check_environment = {marker}, lambda options: None
    grader.engine.environment_digest = lambda data: data
    from grader.cli import main
    sys.exit(main())
"""
ROOT = Path(__file__).parents[2]


def command_line(folder: Path, marker: str = "fake_of_options") -> Path:
    """A script that does what `python -m grader` does, with one of these fakes as its marker."""
    script = folder / "run.py"
    script.write_text(_SCRIPT.format(tests=str(ROOT / "tests"), marker=marker))
    return script


def stop(process: subprocess.Popen[str], number: int) -> None:
    """Send a signal as a terminal sends Ctrl-C, to the workers as well, or as a service does."""
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)


def result_for(name: str, status: str = PASSED, share: float = 1.0) -> SubmissionResult:
    check = CheckResult("fake", status)
    items = tuple(
        ItemResult(item.id, share * item.points, item.points, status, (check,))
        for item in load_rubric().automatic
    )
    return SubmissionResult(name, 7, "sha256:0", "none", 0.1, items)


class FakeMarker:
    """Leaves a line in a log for everything that happens to it."""

    def __init__(self, log: Path) -> None:
        self.log_file = log
        self.log("made")

    def log(self, what: str) -> None:
        with open(self.log_file, "a") as file:
            file.write(f"{what} {os.getpid()}\n")

    def mark(self, submission: Submission) -> SubmissionResult:
        name = submission.name
        self.log(f"mark:{name}")
        if "raise" in name:
            raise ZeroDivisionError("a fault of the grader")
        if "die" in name:
            os._exit(1)
        if "kill" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "exit" in name:
            raise SystemExit(3)
        if "once" in name and sum(line.startswith(f"mark:{name} ") for line in self.lines()) == 1:
            os._exit(1)
        if "sleep" in name:
            time.sleep(60)
        if "long" in name:
            time.sleep(20)
        if "garbage" in name:
            self.log(f"gc:{gc.isenabled()}")
        if "vision" in name:
            import torchvision  # noqa: F401
        if "slow" in name:
            time.sleep(0.5)
        if "fault" in name and sum(line.startswith(f"mark:{name} ") for line in self.lines()) == 1:
            return result_for(name, GRADER_ERROR, 0.0)
        return result_for(name, share=float("nan") if "nan" in name else 1.0)

    def lines(self) -> list[str]:
        return self.log_file.read_text().splitlines()

    def close(self) -> None:
        self.log("close")


class FakeOfOptions(FakeMarker):
    """Made from options, as the real one is; its log lies where the environment says."""

    def __init__(self, options) -> None:
        super().__init__(Path(os.environ["FAKE_LOG"]))
        self.log(f"options:{options.seed}:{options.data}:{options.sandbox}:{'+'.join(options.waived)}")


class EndedMarker(FakeMarker):
    """Its process is told to end while the marker closes."""

    def close(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        super().close()


class DrawingMarker(FakeMarker):
    """Has pictures, too."""

    def pictures(self, submission: Submission, result: SubmissionResult) -> Drawn:
        self.log(f"draw:{submission.name}")
        if "clumsy" in submission.name:
            raise OSError("no ink")
        return Drawn({"manifold.png": f"{submission.name} {result.points}".encode()})


class HereWorkers:
    """Marks in this very process."""

    hopeless = False

    def __init__(self, factory) -> None:
        self.factory = factory

    def __enter__(self):
        worker._State.factory = self.factory
        return self

    def __exit__(self, *error) -> None:
        worker.close_marker()

    def slots(self) -> Sequence[HereWorkers]:
        return [self]

    def submit(self, found, provenance) -> Future:
        future: Future = Future()
        try:
            future.set_result(worker.mark_one(found, provenance))
        except Exception as error:
            future.set_exception(error)
        return future

    def kill(self) -> None: ...

    def begun(self, slot) -> None: ...

    def refused(self, slot, error) -> None: ...

    def renew(self, slot) -> None: ...

    def alone(self) -> None: ...


def marked_here(monkeypatch) -> None:
    """Let a run mark in this very process, which takes no time to start."""
    monkeypatch.setattr("grader.grading.run._workers", lambda options, factory, tell: HereWorkers(factory))


class HonestFake(FakeOfOptions):
    """Its results say the run's seed, suite and sandbox, as the real ones do."""

    def __init__(self, options, provenance: Provenance) -> None:
        super().__init__(options)
        self.provenance = provenance

    def mark(self, submission: Submission) -> SubmissionResult:
        result, run = super().mark(submission), self.provenance
        return replace(result, seed=run.seed, suite=run.suite, sandbox=run.sandbox)


def fake_of_options(options, provenance) -> FakeOfOptions:
    """In the place of `guarded_marker`."""
    return FakeOfOptions(options)


@contextmanager
def pretended_marking(monkeypatch, folder: Path, factory=fake_of_options) -> Iterator[None]:
    """Let the command line mark with a pretended marker, which keeps its log in a folder."""
    monkeypatch.setenv("FAKE_LOG", str(folder / "log"))
    monkeypatch.setattr("grader.grading.run.guarded_marker", factory)
    monkeypatch.setattr("grader.grading.run.check_environment", lambda options: None)
    monkeypatch.setattr("grader.grading.run.environment_digest", lambda data: data)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


class NoMarker:
    """A marker that does not start."""

    def __init__(self, log: Path) -> None:
        with open(log, "a") as file:
            file.write("tried\n")
        raise OSError("no box to be had")


def fake(folder: Path) -> partial[FakeMarker]:
    return partial(FakeMarker, folder / "log")


def cohort(folder: Path, *names: str) -> list[Found]:
    """Empty submissions of these names; a name with `broken` is an archive that cannot be read."""
    found = []
    for name in names:
        path = folder / "cohort" / name
        if "broken" in name:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"PK broken")
        else:
            (path / "part1").mkdir(parents=True)
        found.append(Found(name, path))
    return found


def log_of(folder: Path) -> list[str]:
    """What happened to the fake markers, without process ids."""
    return [line.split()[0] for line in (folder / "log").read_text().splitlines()]


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False

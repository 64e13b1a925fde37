"""Results that need not be found again, and what a run that was cut short has left.

A result holds for exactly what it was found for: the submission's bytes, the suites and the rubric, the
seed, the images and the libraries. A fingerprint names all of these. A note beside the results keeps it, with
the digest of the `results.json` it belongs to: whatever was cut off between the two is marked again.

    OUTPUT/run.json              the seed, and what is still to be marked with it
    OUTPUT/.reuse/<name>.json    the fingerprint of OUTPUT/<name>/results.json, and where the hand-in lay
    OUTPUT/.reuse/lock           held while a run writes there
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from grader.box.interpreter import box_python, own_python
from grader.digits import digits_file
from grader.engine.unmarked import Provenance
from grader.errors import GraderFault, GraderUsageError
from grader.files import write_atomically
from grader.marking.result import SubmissionResult
from grader.marking.result_json import result_from_json
from grader.report.results_json import FILE_NAME
from grader.submission import FIGURES, Found, Submission, read_found
from grader.text import printable

RUN_FILE = "run.json"
FOLDER = ".reuse"
LIBRARIES = ("torch", "torchvision", "numpy", "pytorch-lightning", "scikit-learn")


def environment_digest(data: str) -> str:
    """SHA-256 over what marks depend on beside submissions and suites: images, libraries and Pythons."""
    digest = hashlib.sha256()
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    for python in dict.fromkeys((own_python(), box_python())):
        digest.update(f"Python {python.version[:2]} {python.releases}\n".encode())
    if data == "digits":  # by their file: with nothing to mark, torch need not be imported at all
        digest.update(digits_file().read_bytes())
        return f"sha256:{digest.hexdigest()}"
    from grader.data import load_images  # not at once: it loads torch

    for part in load_images(data):
        digest.update(f"{tuple(part.shape)} {part.dtype}\n".encode())
        digest.update(part.contiguous().numpy().data)
    return f"sha256:{digest.hexdigest()}"


def fingerprint(submission: Submission, provenance: Provenance) -> str:
    """SHA-256 over everything that a submission's result depends on."""
    digest = hashlib.sha256()

    def add(*parts: str | bytes) -> None:
        for part in parts:
            data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)

    add(str(provenance.seed), provenance.suite, provenance.sandbox, provenance.environment)
    add(str(len(provenance.waived)), *provenance.waived)
    add(submission.name, submission.error, submission.fault)
    add(str(len(submission.warnings)), *submission.warnings)
    for name in sorted(submission.files):
        add(name, submission.files[name])
    if submission.shown:
        add(str(len(submission.shown)))
    for name in sorted(submission.shown):  # no mark depends on these, but what lies beside the marks
        add(name, submission.shown[name])
    return f"sha256:{digest.hexdigest()}"


@dataclass(frozen=True)
class Origin:
    """What a run has noted of a result beside what stands in it; empty where it has not.

    Attributes:
        place: where the hand-in lay: a folder or an archive, or the folder of its loose files.
        environment: of the images and libraries, see `environment_digest`.
    """

    place: str = ""
    environment: str = ""


def origin_of(output: Path, name: str) -> Origin:
    """Where the result `OUTPUT/<name>/results.json` comes from, if the note that says so belongs to it."""
    note = _read_json(output / FOLDER / f"{name}.json")
    try:
        content = (output / name / FILE_NAME).read_bytes()
    except OSError:
        return Origin()
    if note.get("results") != _digest(content):
        return Origin()
    return Origin(str(note.get("place", "")), str(note.get("environment", "")))


def interrupted_seed(output: Path) -> int | None:
    """The seed of an unfinished run, or None."""
    return folder_seed(output) if _read_json(output / RUN_FILE).get("complete") is False else None


def folder_seed(output: Path) -> int | None:
    """The seed of the last run in a folder of results, or None."""
    seed = _read_json(output / RUN_FILE).get("seed")
    return seed if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**63 else None


@contextmanager
def run_lock(output: Path) -> Iterator[None]:
    """Keep others from writing into a folder of results.

    Raises:
        GraderUsageError: somebody does, or there is no such folder.
    """
    shown = printable(str(output))
    try:
        (output / FOLDER).mkdir(exist_ok=True)
    except FileNotFoundError:
        raise GraderUsageError(
            f"{shown}: there is no such folder; give the --output folder of a run"
        ) from None
    except OSError as error:
        raise GraderFault(f"{shown}: cannot write there: {error.strerror}") from error
    with open(output / FOLDER / "lock", "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GraderUsageError(
                f"{shown}: another run is writing there; wait for its end, or give another folder"
            ) from None
        except OSError:
            pass  # a file system without locks
        yield


def carry_note(output: Path, name: str, before: bytes, after: bytes) -> None:
    """Let the note on a result, where it is about these bytes, be about others of the same verdicts."""
    path = output / FOLDER / f"{name}.json"
    note = _read_json(path)
    if note.get("results") == _digest(before):
        write_atomically(path, json.dumps(note | {"results": _digest(after)}).encode() + b"\n")


class EarlierResults:
    """The results in an output folder, and the notes that say what they hold for.

    Args:
        output: the folder of results; exists.
        provenance: of the run that asks.
    """

    def __init__(self, output: Path, provenance: Provenance) -> None:
        self.output = output
        self.provenance = provenance
        self._folder = output / FOLDER
        self._folder.mkdir(exist_ok=True)
        self._pending: frozenset[str] = frozenset()

    def locked(self) -> AbstractContextManager[None]:
        """Keep other runs from writing into the same folder, see `run_lock`."""
        return run_lock(self.output)

    def outstanding(self) -> frozenset[str]:
        """The submissions that an earlier run with the same seed has begun with and not marked."""
        run = _read_json(self.output / RUN_FILE)
        names = run.get("pending")
        if run.get("complete") is not False or run.get("seed") != self.provenance.seed:
            return frozenset()
        return frozenset(map(str, names)) if isinstance(names, list) else frozenset()

    def begin(self, names: Iterable[str], anew: bool = False) -> None:
        """Note that a run has begun, with which seed and submissions.

        Args:
            names: of the submissions.
            anew: whether what an earlier run has left to be marked is given up.
        """
        self._pending = frozenset(names) | (frozenset() if anew else self.outstanding())
        self._write_run()

    def end(self, marked: Iterable[str]) -> None:
        """Note what has been marked. When nothing is left, the run has come to its end."""
        self._pending -= frozenset(marked)
        self._write_run()

    def clean(self, names: Iterable[str]) -> None:
        """Remove what a killed run has left half written."""
        for folder in (self._folder, self.output, *(self.output / name for name in names)):
            for path in folder.glob(".*.tmp"):
                with contextlib.suppress(OSError):
                    path.unlink()

    def result(self, found: Found, any_seed: bool = False) -> SubmissionResult | None:
        """The result of an earlier run, where it still holds.

        Args:
            found: the submission.
            any_seed: whether it may be one of another seed than this run's.
        """
        note = self._note(found.name)
        if not note:
            return None
        try:
            content = (self.output / found.name / FILE_NAME).read_bytes()
        except OSError:
            return None
        if note.get("results") != _digest(content):
            return None
        try:
            result = result_from_json(content)
        except ValueError:  # of another version of the grader
            return None
        submission = read_found(found, shown=FIGURES)
        seeds = {self.provenance.seed, result.seed if any_seed else self.provenance.seed}
        holds_for = {fingerprint(submission, replace(self.provenance, seed=seed)) for seed in seeds}
        return result if note.get("fingerprint") in holds_for else None

    def keep(self, name: str, fingerprint: str, seconds: float, place: str = "") -> None:
        """Note what a result that has just been written holds for, and where it comes from."""
        content = (self.output / name / FILE_NAME).read_bytes()
        note = {"fingerprint": fingerprint, "results": _digest(content), "seconds": round(seconds, 3)}
        note |= {"place": place, "environment": self.provenance.environment}
        write_atomically(self._folder / f"{name}.json", json.dumps(note).encode() + b"\n")

    def seconds(self, name: str) -> float | None:
        """How long a submission took the last time, if that is known."""
        seconds = self._note(name).get("seconds")
        if isinstance(seconds, int | float) and math.isfinite(seconds) and seconds >= 0:
            return float(seconds)
        return None

    def _note(self, name: str) -> dict[str, Any]:
        return _read_json(self._folder / f"{name}.json")

    def _write_run(self) -> None:
        run = {
            "seed": self.provenance.seed,
            "suite": self.provenance.suite,
            "environment": self.provenance.environment,
            "complete": not self._pending,
            "pending": sorted(self._pending),
        }
        write_atomically(self.output / RUN_FILE, json.dumps(run, indent=2).encode() + b"\n")


def _read_json(path: Path) -> dict[str, Any]:
    """The object in a file, or an empty one where there is none that can be read."""
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

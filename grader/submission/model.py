"""What a submission is once it has been read: bytes by file name, or the reason why there are none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from grader.rubric import load_rubric

PARTS = ("part1", "part2")

NAMED_FILES = load_rubric().files

# Files that come with the assignment. The grader has its own copies, so these are never read.
GIVEN_FILES = frozenset(
    {
        "part1/__init__.py",
        "part1/callbacks.py",
        "part1/commands.py",
        "part1/drawing.py",
        "part1/evidence.py",
        "part1/figures.py",
        "part1/mnist.py",
        "part1/runs.py",
        "part1/unittests.py",
        "part2/__init__.py",
        "part2/commands.py",
        "part2/drawing.py",
        "part2/evidence.py",
        "part2/figures.py",
        "part2/mnist.py",
        "part2/runs.py",
        "part2/unittests.py",
        "part2/utils.py",
    }
)
GIVEN_NAMES = frozenset(file.rpartition("/")[2] for file in GIVEN_FILES)  # `utils.py` of part 2 among them

# The caps. They stop a submission from filling the grader's memory or disk; no honest one comes near.
MAX_FILE_BYTES = 1_000_000  # a named file; the longest of the model solutions has under 20 kB
MAX_ARCHIVE_BYTES = 200_000_000  # an archive on disk: room for figures, logs and a few checkpoints
MAX_UNPACKED_BYTES = 1_000_000_000  # what a compressed tar may unpack to while it is searched
MAX_MEMBERS = 10_000  # members of an archive, entries of a folder: a virtual environment goes over it
# Of the figures and notebooks, which are read only for the pages. What is over a cap is left out.
MAX_SHOWN_BYTES = 8_000_000  # a figure or a notebook
MAX_SHOWN_FILES = 60  # the assignment asks for 13
MAX_SHOWN_TOTAL = 64_000_000
# Of the evidence of full trainings, which is read only where that is asked for.
MAX_EVIDENCE_BYTES = 8_000_000  # a file; the weights of the recommended networks have 1.1 MB
MAX_EVIDENCE_FILES = 60  # seven trainings leave 42
MAX_EVIDENCE_TOTAL = 64_000_000
MAX_PATH_CHARACTERS = 4_096  # of a name in an archive, with its folders; systems allow no more
MAX_PATH_DEPTH = 64  # folders in such a name
MAX_HEADER_BYTES = 65_536  # an extended header in a tar: usual ones have under 1 kB
MAX_HEADERS_BYTES = 5_000_000  # all of them together
MAX_DIRECTORY_BYTES = 4_000_000  # a zip's table of contents, held in memory; 10,000 members need about 2 MB

STUDENT = "student"
GRADER = "grader"


@dataclass(frozen=True)
class Found:
    """A submission that has been found, not read.

    Attributes:
        name: what it is called in the results.
        path: where it lies.
        loose: where it was uploaded file by file, or in several archives, the names given by the student,
            and where each lies.
        review: why it is not read but waits for a person; empty where it is read.
        others: what else stands for this submission, where it waits for a person to choose.
        warnings: what does not count of it, one line each.
    """

    name: str
    path: Path
    loose: tuple[tuple[str, Path], ...] = ()
    review: str = ""
    others: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submission:
    """What a student handed in.

    Attributes:
        name: unique in its run, and safe as the name of a folder.
        files: the named files that are there, such as `part1/utils.py`, as the bytes they consist of.
        warnings: what the student or the teaching assistant should know, one line each.
        error: why nothing of it could be read (then `files` is empty); empty when it was read.
        fault: whose fault the error is: `student` (a broken archive, a link, a file over a cap) or
            `grader` (no permission to read it, a disk error); empty without an error.
        shown: what was asked for beside the code, as bytes that nobody has looked into: what belongs to the
            report (`figures/1.9_manifold.png`, `report.ipynb`), or the evidence of full trainings.
        review: why a person has to look at it before it counts; empty where nobody has to.
    """

    name: str
    files: Mapping[str, bytes]
    warnings: tuple[str, ...] = ()
    error: str = ""
    fault: str = field(default="")
    shown: Mapping[str, bytes] = field(default_factory=dict)
    review: str = ""

    def __post_init__(self) -> None:
        if bool(self.error) != bool(self.fault):
            raise ValueError("an error needs a fault, and a fault an error")
        if self.fault not in ("", STUDENT, GRADER):
            raise ValueError(f"fault must be {STUDENT!r} or {GRADER!r}, not {self.fault!r}")


@dataclass(frozen=True)
class Contents:
    """The named files found in a folder or archive, and what to say about the rest."""

    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()
    shown: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    review: str = ""


class UnreadableSubmission(Exception):
    """A submission cannot be read.

    Attributes:
        fault: `student` or `grader`.
        waits: whether a person may find in it what the grader does not.
    """

    def __init__(self, message: str, fault: str = STUDENT, waits: bool = False) -> None:
        super().__init__(message)
        self.fault = fault
        self.waits = waits


def code_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the names and bytes of a submission's files, as hexadecimal digits."""
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        for part in (path.encode("utf-8", "surrogateescape"), content):
            digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()

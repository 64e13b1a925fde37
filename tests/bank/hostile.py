"""The hostile bank: submissions that want points without work, or to do harm. See `hostile_entry`."""

from __future__ import annotations

from pathlib import Path

from grader.submission import Submission, read_submission
from tests.bank.hostile_entry import Hostile, write_folder
from tests.bank.hostile_files import FILES
from tests.bank.hostile_patches import PATCHES
from tests.bank.hostile_pile import PILE
from tests.bank.hostile_processes import EXCEPTIONS, PROCESSES
from tests.bank.hostile_reach import REACH
from tests.bank.hostile_training import FORBIDDEN, TRAINING
from tests.bank.hostile_unearned import UNEARNED
from tests.bank.hostile_unearned2 import UNEARNED2
from tests.bank.hostile_values import VALUES
from tests.bank.hostile_wire import WIRE

__all__ = ["FOR_POINTS", "HOSTILE", "Hostile", "submission_of"]

# Attempts to earn points without the work, or to fill the memory of the grader's own process.
FOR_POINTS = (*UNEARNED, *UNEARNED2, *PILE)
HOSTILE: tuple[Hostile, ...] = (
    *PROCESSES,
    *EXCEPTIONS,
    *VALUES,
    *WIRE,
    *PATCHES,
    *REACH,
    *FILES,
    *TRAINING,
    *FORBIDDEN,
    *FOR_POINTS,
)


def submission_of(hostile: Hostile, folder: Path) -> Submission:
    """Write an entry into a folder and read it as the grader does.

    Args:
        hostile: the entry.
        folder: an empty folder of the caller's.
    """
    if hostile.write is not None:
        return read_submission(hostile.write(folder))
    return read_submission(write_folder(folder / "submission", hostile.code, hostile.files))

"""Takes another run's marks over, all of them or none: readers find the old folder or the new one.

The new folder is built beside the old one, and both change places in one step of the file system. Whatever is
cut off before has changed nothing, and whatever is cut off after is done.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from pathlib import Path

from grader.engine.reuse import FOLDER, RUN_FILE, carry_note, interrupted_seed, run_lock
from grader.errors import GraderFault, GraderUsageError
from grader.marking.decision import with_decisions, with_history
from grader.report.decisions import now, write_decisions
from grader.report.pages import write_pages
from grader.report.results_json import FILE_NAME, write_result
from grader.report.whole_folder import write_all_marks
from grader.revision.compare import Comparison, Runs, compare, read_runs
from grader.text import listed, printable

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
UNSANDBOXED = "none"


def accept(old: Path, new: Path, who: str) -> Comparison:
    """Put the results of one run in the place of another's, with decisions and histories.

    Submissions that only `old` has stay as they are. `new` is not changed.

    Args:
        old: the folder of results that is in use.
        new: that of the run to take over.
        who: takes it over.

    Returns:
        What has moved.

    Raises:
        GraderUsageError: `new` is not complete, cannot be compared, or somebody writes in one of them.
        GraderFault: something cannot be read or written. Nothing has changed then.
    """
    old, new = old.absolute(), new.absolute()
    read_runs(old, new)  # a lock is for folders of results only
    with run_lock(old), run_lock(new):
        runs = read_runs(old, new)
        found = compare(runs)
        _expect_complete(runs, found)
        staged = old.with_name(f".{old.name}.accepting")
        try:
            shutil.rmtree(staged, ignore_errors=True)  # what was cut off the last time
            shutil.copytree(old, staged, symlinks=True, copy_function=os.link)
            _fill(staged, runs, who)
            exchange(staged, old)
        except OSError as error:
            place = printable(os.fsdecode(error.filename) if error.filename else str(staged))
            shutil.rmtree(staged, ignore_errors=True)
            raise GraderFault(
                f"{place}: {error.strerror or error}; nothing has changed in {printable(str(old))}"
            ) from error
        shutil.rmtree(staged, ignore_errors=True)
    return found


def _expect_complete(runs: Runs, found: Comparison) -> None:
    """Fail unless the new run may count as a whole."""
    shown = printable(str(runs.new))
    if found.problems:
        raise GraderUsageError(f"{found.problems[0]}; nothing has changed")
    if interrupted_seed(runs.new) is not None:
        raise GraderUsageError(f"{shown}: this run is not finished; run the same command again, it goes on")
    if found.unmarked:
        raise GraderUsageError(
            f"{shown}: the grader failed to mark {listed(found.unmarked, 10)}; run the same command again"
        )
    unprotected = [name for name, record in runs.after.items() if record.result.sandbox == UNSANDBOXED]
    if unprotected:
        raise GraderUsageError(
            f"{shown}: {listed(unprotected, 10)} ran without a sandbox, and may have written their own "
            "marks; mark again without --no-sandbox"
        )


def _fill(staged: Path, runs: Runs, who: str) -> None:
    """Bring all of the new run into the copy of the old one's folder."""
    for name, record in runs.after.items():
        target = staged / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(record.folder, target, symlinks=True)
        content = (target / FILE_NAME).read_bytes()
        result = record.result
        if name in runs.before:
            earlier = runs.before[name]
            result = with_decisions(result, earlier.decisions)
            result = with_history(result, earlier.result, now(), "accepted", who)
            if decisions := {**record.decisions, **earlier.decisions}:
                write_decisions(target, decisions)
        write_result(staged, result)
        note = f"{name}.json"
        (staged / FOLDER / note).unlink(missing_ok=True)
        if (runs.new / FOLDER / note).is_file():
            shutil.copy2(runs.new / FOLDER / note, staged / FOLDER / note)
            carry_note(staged, name, content, (target / FILE_NAME).read_bytes())
    if (runs.new / RUN_FILE).is_file():
        (staged / RUN_FILE).unlink(missing_ok=True)
        shutil.copy2(runs.new / RUN_FILE, staged / RUN_FILE)
    write_all_marks(staged, [])
    write_pages(staged)


def exchange(one: Path, other: Path) -> None:
    """Let two folders change places in one step.

    Raises:
        OSError: they cannot; both are where they were.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOTSUP, "only Linux lets two folders change places in one step", str(other))
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    if done != 0:
        number = ctypes.get_errno()
        reason = os.strerror(number)
        if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            reason = "this file system cannot let two folders change places in one step; use a local disk"
        raise OSError(number, reason, str(other))

"""Read one submission, whatever it is, without ever raising for what is in it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from grader.submission.archive import read_archive
from grader.submission.folder import read_folder
from grader.submission.loose import read_loose
from grader.submission.model import GRADER, STUDENT, Contents, Found, Submission, UnreadableSubmission
from grader.submission.names import submission_name
from grader.submission.shown import Beside
from grader.text import printable

# What the system says when a link or special file was put in a file's place between two looks at it.
_SWAPPED = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO})


def read_found(found: Found, shown: Beside | None = None) -> Submission:
    """Read a submission that was found in a cohort; see `read_submission`."""
    if found.review:
        return Submission(
            found.name, {}, found.warnings, error=found.review, fault=STUDENT, review=found.review
        )
    submission = read_submission(found.path, found.name, dict(found.loose), shown)
    return replace(submission, warnings=(*found.warnings, *submission.warnings))


def read_submission(
    path: Path, name: str | None = None, loose: Mapping[str, Path] | None = None, shown: Beside | None = None
) -> Submission:
    """Read the named files of a submission.

    Args:
        path: a folder, zip, tar or tar.gz.
        name: what to call it; by default the safe form of the path's name.
        loose: instead of `path`, single files or archives by the names under which they were handed in.
        shown: what to read beside the code.

    Returns:
        The submission. Where nothing of it can be read, its `error` says why and `fault` says whose
        fault it is.
    """
    path = Path(path)
    called = printable(path.name)
    name = name or submission_name(path, is_archive=not os.path.isdir(path))
    try:
        contents = read_loose(loose, shown) if loose else _read(path, shown)
    except UnreadableSubmission as error:
        message = f"{called}: {error}"
        return Submission(name, {}, error=message, fault=error.fault, review=message if error.waits else "")
    except OSError as error:
        where = f" {printable(os.fsdecode(error.filename))}" if error.filename is not None else ""
        reason = error.strerror or str(error)
        fault = STUDENT if error.errno in _SWAPPED else GRADER
        return Submission(name, {}, error=f"{called}: the grader cannot read{where}: {reason}", fault=fault)
    except MemoryError:
        return Submission(name, {}, error=f"{called}: not enough memory to read it", fault=GRADER)
    return Submission(
        name, contents.files, tuple(contents.warnings), shown=contents.shown, review=contents.review
    )


def _read(path: Path, shown: Beside | None) -> Contents:
    kind = stat.S_IFMT(os.lstat(path).st_mode)
    if kind == stat.S_IFLNK:
        raise UnreadableSubmission("this is a symbolic link; hand in the folder or archive itself")
    if kind == stat.S_IFDIR:
        return read_folder(path, shown)
    return read_archive(path, shown)

"""Which submissions do the paths on the command line stand for?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GraderFault, GraderUsageError
from grader.submission.downloads import Entry, parse_all
from grader.submission.layout import is_part, misspelt_parts
from grader.submission.model import NAMED_FILES, Found
from grader.submission.names import (
    ARCHIVE_SUFFIXES,
    RESERVED_NAMES,
    is_archive,
    is_clutter,
    printable,
    submission_name,
)
from grader.submission.uploads import archive_within, choose_uploads

# Folders of a cohort that no submission is called, but that tools and courses leave there.
_NOT_SUBMISSIONS = frozenset({"figures", "lightning_logs", "checkpoints", "lost+found"})
# Files of a cohort that may be meant as a submission, so that skipping one deserves a word.
_TELLING_SUFFIXES = (".py", ".ipynb")


@dataclass(frozen=True)
class Cohort:
    """The submissions of a run, in order, and what to say about what lay beside them."""

    submissions: tuple[Found, ...]
    warnings: tuple[str, ...] = ()


def find_submissions(paths: Sequence[Path], output: Path | None = None) -> Cohort:
    """Find the submissions that paths stand for.

    A folder that holds part1/ or part2/ is a submission, and so is an archive. Any other folder is a
    cohort: each folder or archive in it is a submission, also an empty or broken one. In the unpacked
    download of a learning management system, what a student handed in last is the submission. Results of an
    earlier run are skipped, and so is what systems and tools leave behind.

    Args:
        paths: as given by the user.
        output: the folder of results, never taken for a submission.

    Raises:
        GraderUsageError: a path is missing or no submission, a cohort is empty, or two submissions or
            students have the same name.
        GraderFault: a folder cannot be listed.
    """
    found: list[Found] = []
    warnings: list[str] = []
    for given in paths:
        path = Path(os.path.realpath(given))  # a link that the user names is meant
        if not path.exists():
            raise GraderUsageError(f"{printable(str(given))}: there is no such file or folder")
        if output is not None and path == Path(os.path.realpath(output)):
            raise GraderUsageError(
                f"{printable(str(given))}: is also the --output folder; choose another one for results"
            )
        # Its name is the one the user knows it by, which a link's target may not have.
        named = Path(os.path.abspath(given))
        if not path.is_dir():
            if not is_archive(path.name):
                raise GraderUsageError(
                    f"{printable(str(given))}: is neither a folder nor an archive of a kind that is accepted "
                    f"({', '.join(ARCHIVE_SUFFIXES)})"
                )
            found.append(Found(submission_name(named, is_archive=True), path))
        elif any(is_part(name) for name in _names(path)) or misspelt_parts(_names(path)):
            found.append(Found(submission_name(named, is_archive=False), path))
        else:
            children, remarks = _search_cohort(path, output)
            if not children:
                raise GraderUsageError(_nothing_found(printable(str(given)), _names(path)))
            found += children
            warnings += remarks
    _refuse_duplicates(found)
    return Cohort(tuple(found), tuple(warnings))


def _search_cohort(folder: Path, output: Path | None) -> tuple[list[Found], list[str]]:
    found: list[Found] = []
    warnings: list[str] = []
    uploads: list[tuple[Entry, Path]] = []
    names = [name for name in _names(folder) if not is_clutter(name)]
    entries = parse_all(names)
    for name in names:
        path = folder / name
        shown = printable(str(path))
        entry = entries.get(name)
        if entry is not None and (bool(entry.file) or os.path.isdir(path)):
            uploads.append((entry, path))
        elif os.path.isdir(path):
            if name in _NOT_SUBMISSIONS:
                warnings.append(f"{shown}: skipped, a folder of this name is not taken for a submission")
            elif _is_results(path, output):
                warnings.append(f"{shown}: skipped, it holds results of the grader")
            else:
                inner, remark = archive_within(path)
                found.append(Found(submission_name(path, is_archive=False), inner))
                warnings += remark
        elif is_archive(name):
            found.append(Found(submission_name(path, is_archive=True), path))
        elif name.lower().endswith(_TELLING_SUFFIXES):
            warnings.append(f"{shown}: skipped, a submission is a folder or an archive")
        elif os.path.islink(path):
            warnings.append(f"{shown}: skipped, a link that leads nowhere")
    for submission, remarks in choose_uploads(uploads):
        found.append(submission)
        warnings += remarks
    return found, warnings


def _is_results(path: Path, output: Path | None) -> bool:
    """Whether a folder of a cohort is the output of this run, holds it, or is that of an earlier run."""
    if any(os.path.lexists(path / part) for part in ("part1", "part2")):
        return False
    if any(os.path.isfile(path / name) for name in RESERVED_NAMES):
        return True
    if output is None:
        return False
    target, here = Path(os.path.realpath(output)), Path(os.path.realpath(path))
    return target == here or here in target.parents


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise GraderFault(f"{printable(str(folder))}: the grader cannot list it: {error.strerror}") from error


def _nothing_found(shown: str, names: Iterable[str]) -> str:
    code = {file.rpartition("/")[2] for file in NAMED_FILES}
    if code.intersection(names):
        return f"{shown}: looks like one part of a submission; give the folder that holds part1/ and part2/"
    return f"{shown}: no submissions in it; give a folder that holds part1/ and part2/, or a folder of those"


def _refuse_duplicates(found: Sequence[Found]) -> None:
    seen: dict[str, Path] = {}
    for submission in found:
        if submission.name in seen:
            first, second = printable(str(seen[submission.name])), printable(str(submission.path))
            if first == second:
                raise GraderUsageError(f"{first}: given twice")
            raise GraderUsageError(
                f"two submissions are called {submission.name}: {first} and {second}; rename or remove one"
            )
        seen[submission.name] = submission.path

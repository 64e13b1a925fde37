"""Which submissions do the paths on the command line stand for?

Whatever lies in a cohort is a submission, or is left out with its name and the reason. Only what everybody
knows to be no hand-in (`.DS_Store`, `__MACOSX`, `Thumbs.db`) is passed over in silence.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import GraderFault, GraderUsageError
from grader.submission import kinds
from grader.submission.downloads import Entry, parse_all, platform_files
from grader.submission.earlier import holds_results
from grader.submission.folder import holds_assignment
from grader.submission.model import Found
from grader.submission.names import is_archive, is_clutter, is_silent, submission_name
from grader.submission.places import PLACES, spelled
from grader.submission.uploads import choose_uploads, found_in_folder
from grader.text import listed, printable

# Folders that tools and courses leave in a cohort: submissions only where they hold one.
_RARELY_SUBMISSIONS = frozenset({"figures", "lightning_logs", "checkpoints", "lost+found"})
_SURELY_FLAT = 3  # so many of the five names are no stray files
_WHAT_IT_IS = "a submission is a folder or an archive"
_ACCEPTED = ".zip, .tar, .tar.gz, .tgz, .tar.bz2, .tar.xz"


@dataclass(frozen=True)
class LeftOut:
    """What lay in a cohort and is no submission.

    Attributes:
        path: where it lies.
        reason: why it is none.
    """

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{printable(str(self.path))}: skipped, {self.reason}"


@dataclass(frozen=True)
class Cohort:
    """The submissions of a run, in order, and what to say about what lay beside them.

    Attributes:
        submissions: what is marked, or waits for a person.
        warnings: one line each, those about `left_out` among them.
        left_out: what is neither.
    """

    submissions: tuple[Found, ...]
    warnings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass
class _Search:
    """What has been found so far."""

    found: list[Found] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, path: Path, reason: str) -> None:
        one = LeftOut(path, reason)
        self.left_out.append(one)
        self.warnings.append(str(one))


def find_submissions(paths: Sequence[Path], output: Path | None = None) -> Cohort:
    """Find the submissions that paths stand for.

    A folder that holds part1/ or part2/ or their files is a submission, and so is an archive, whatever it is
    called. Any other folder is a cohort: each folder or archive in it is a submission, also an empty or
    broken one. In the unpacked download of a learning management system, what a student handed in last is the
    submission. Results of an earlier run and stray files are left out, and named. Several with one name wait
    for a person, and do not keep the others from being marked.

    Args:
        paths: as given by the user.
        output: the folder of results, never taken for a submission.

    Raises:
        GraderUsageError: a path is missing or no submission, a path is given twice, or a cohort is empty.
        GraderFault: a folder cannot be listed.
    """
    search = _Search()
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
            if not kinds.is_archive_file(path):
                raise GraderUsageError(
                    f"{printable(str(given))}: is neither a folder nor an archive of a kind that is accepted "
                    f"({_ACCEPTED})"
                )
            search.found.append(Found(submission_name(named, is_archive=True), path))
        elif _is_submission(path):
            search.found.append(Found(submission_name(named, is_archive=False), path))
            search.warnings += _passed_over(path)
        else:
            before = len(search.found)
            _search_cohort(path, output, search)
            if len(search.found) == before:
                raise GraderUsageError(_nothing_found(printable(str(given)), path))
    return Cohort(tuple(_unique(search)), tuple(search.warnings), tuple(search.left_out))


def _is_submission(folder: Path) -> bool:
    """Whether a folder that the user names is a submission, and not a folder of those."""
    names = _names(folder)
    if any(spelled(name) and not is_archive(name) for name in names):
        return True
    # Flat files are a submission; but a stray file must not turn a whole cohort into one.
    flat = PLACES.keys() & set(names)
    if not flat or spelled(folder.name) or _submissions_in(folder):
        return False
    others = (name for name in names if is_archive(name) or os.path.isdir(folder / name))
    return len(flat) >= _SURELY_FLAT or not any(_is_cohort_like(name) for name in others)


def _is_cohort_like(name: str) -> bool:
    return not is_clutter(name) and name not in _RARELY_SUBMISSIONS


def _submissions_in(folder: Path) -> list[str]:
    """What else in a folder may be a submission by itself."""
    found = []
    for name in _names(folder):
        path = folder / name
        if is_clutter(name) or spelled(name) or path.is_symlink():
            continue
        if os.path.isdir(path) and holds_assignment(path):
            found.append(name)
    return found


def _passed_over(folder: Path) -> list[str]:
    """A word on what may be submissions, in a folder that is taken for one itself."""
    others = _submissions_in(folder)
    if len(others) < 2:  # one is an old copy, or the one that the reader finds
        return []
    return [
        f"{printable(str(folder))}: taken for one submission, since parts or files of one lie in it; if "
        f"{listed(others)} are submissions, move those away and give the folder again"
    ]


def _search_cohort(folder: Path, output: Path | None, search: _Search) -> None:
    uploads: list[tuple[Entry, Path]] = []
    names = _names(folder)
    entries = parse_all(name for name in names if not is_clutter(name))
    own = platform_files(entries.values())
    for name in names:
        path = folder / name
        entry = entries.get(name)
        if is_silent(name):
            continue
        if is_clutter(name):
            search.leave_out(path, "its name is a hidden one")
        elif entry is not None and not entry.typed and (bool(entry.file) or os.path.isdir(path)):
            uploads.append((entry, path))
        elif os.path.isdir(path):
            _take_folder(path, output, search)
        elif kinds.is_archive_file(path):
            search.found.append(Found(submission_name(path, is_archive=True), path))
        elif name not in own:
            search.leave_out(path, _why_not(path))
    for submission, remarks in choose_uploads(uploads):
        search.found.append(submission)
        search.warnings += remarks


def _take_folder(path: Path, output: Path | None, search: _Search) -> None:
    """Take a folder of a cohort for a submission, or leave it out."""
    target = None if output is None else Path(os.path.realpath(output))
    here = Path(os.path.realpath(path))
    if target == here or (not path.is_symlink() and holds_results(path)):
        search.leave_out(path, "it holds results of the grader")
    elif target is not None and here in target.parents and not holds_assignment(path):
        search.leave_out(path, "it holds the --output folder")
    elif path.name in _RARELY_SUBMISSIONS and not holds_assignment(path):
        search.leave_out(path, "a folder of this name is not taken for a submission where it holds none")
    else:
        found, remarks = found_in_folder(path)
        search.found.append(found)
        search.warnings += remarks


def _why_not(path: Path) -> str:
    """Why a file of a cohort is no submission."""
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        return f"it cannot be looked at: {error.strerror or error}"
    if stat.S_ISLNK(mode):
        return "a symbolic link" if path.exists() else "a link that leads nowhere"
    if not stat.S_ISREG(mode):
        return f"neither a file nor a folder; {_WHAT_IT_IS}"
    kind = kinds.kind_of_file(path)
    return f"{kind}; {_WHAT_IT_IS}" if kind else _WHAT_IT_IS


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise GraderFault(f"{printable(str(folder))}: the grader cannot list it: {error.strerror}") from error


def _nothing_found(shown: str, folder: Path) -> str:
    names = [name for name in _names(folder) if not is_clutter(name)]
    if PLACES.keys() & set(names):
        return f"{shown}: looks like one part of a submission; give the folder that holds part1/ and part2/"
    holds = f", but {listed(names)}" if names else ""
    right = "give a folder that holds part1/ and part2/, or a folder of those"
    return f"{shown}: no submissions in it{holds}; {right}"


def _unique(search: _Search) -> Iterable[Found]:
    """The submissions, where several of one name have become one that waits for a person."""
    by_name: dict[str, list[Found]] = {}
    for submission in search.found:
        by_name.setdefault(submission.name, []).append(submission)
    for name, several in by_name.items():
        if len(several) == 1:
            yield several[0]
            continue
        paths = [printable(str(one.path)) for one in several]
        for path in paths:
            if paths.count(path) > 1:
                raise GraderUsageError(f"{path}: given twice")
        count = "two" if len(several) == 2 else str(len(several))
        which = " and ".join(paths[:5])
        search.warnings.append(
            f"{count} submissions are called {name}: {which}; rename or remove one: none of them is marked"
        )
        # Students read the reason, and nothing about the folders of the staff.
        short = " and ".join(printable(f"{one.path.parent.name}/{one.path.name}") for one in several[:5])
        review = f"{count} submissions are called {name}: {short}; rename or remove one"
        first, *rest = several
        others = (*first.others, *(path for one in rest for path in (one.path, *one.others)))
        yield Found(name, first.path, review=review, others=others)

"""Which of the files that a student has uploaded are the submission: the latest hand-in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.files import read_regular
from grader.submission.downloads import Entry
from grader.submission.kinds import is_archive_file
from grader.submission.layout import is_part, misspelt_parts
from grader.submission.model import MAX_FILE_BYTES, Found
from grader.submission.names import is_clutter, safe_name, submission_name
from grader.submission.places import PLACES, given_utils, is_given_utils, spelled
from grader.submission.several import Choice, choose_among
from grader.text import listed, printable

_NAMED = 1_000  # what is passed over is named, and not counted


@dataclass(frozen=True)
class Upload:
    """One file, or one folder with parts in it.

    Attributes:
        name: what the student called it.
        path: where it lies.
        hand_in: see `Entry`; so is `order`.
        whole: whether it is an archive or a folder: a submission by itself.
    """

    name: str
    path: Path
    hand_in: tuple[int, ...]
    order: tuple[int, ...]
    whole: bool

    @property
    def age(self) -> tuple[tuple[int, ...], tuple[int, ...], bool, int, str]:
        """Sorts uploads from the earliest to the latest, as far as can be told; folders before archives."""
        return self.hand_in, self.order, not os.path.isdir(self.path), _modified(self.path), self.name


def choose_uploads(uploads: Sequence[tuple[Entry, Path]]) -> Iterator[tuple[Found, list[str]]]:
    """For each student in a download the submission, and what to say about it.

    Args:
        uploads: files and folders of the download, each with what its name tells.

    Two students with the same id wait for a person: whose a file is cannot be told.
    """
    students: dict[tuple[str, str], list[tuple[Entry, Path]]] = {}
    for entry, path in uploads:
        students.setdefault((entry.system, entry.student), []).append((entry, path))
    for (system, student), theirs in sorted(students.items(), key=lambda item: item[1][0][0].name):
        names = {entry.name: path for entry, path in reversed(theirs)}
        if len(names) == 1:
            yield _choose(theirs[0][0].name, in_order_of_age(theirs))
            continue
        which = " and ".join(printable(str(path)) for path in sorted(names.values())[:5])
        count = "two" if len(names) == 2 else str(len(names))
        told = [
            f"{count} students have the {system} id {student}: {which}; rename or remove one: none is marked"
        ]
        # Students read the reason, and nothing about one another.
        review = f"{count} students have the {system} id {student}; the course staff has to tell them apart"
        for name, first in sorted(names.items()):
            others = tuple(path for entry, path in theirs if entry.name == name and path != first)
            yield Found(safe_name(name), first, review=review, others=others), told
            told = []


def in_order_of_age(theirs: Sequence[tuple[Entry, Path]]) -> list[Upload]:
    """Everything that one student has uploaded, the earliest first."""
    uploads = [upload for entry, path in theirs for upload in _uploads(entry, path)]
    return sorted(uploads, key=lambda upload: upload.age)


def of_the_latest_hand_in(in_order: Sequence[Upload]) -> list[Upload]:
    """Those that were handed in together with the last one."""
    return [upload for upload in in_order if upload.hand_in == in_order[-1].hand_in]


def of_each_name(in_order: Sequence[Upload]) -> tuple[dict[str, Path], list[Path]]:
    """Of single files of one name the last; but both parts have a `utils.py`, of which only one is asked for.

    Args:
        in_order: one hand-in, the earliest first.

    Returns:
        The files that count by their names, and those passed over because they came with the assignment.
    """
    singles: dict[str, Path] = {}
    given: list[Path] = []
    for upload in in_order:
        if upload.whole:
            continue
        before = singles.get(upload.name)
        if before is not None and _is_given(upload.path):
            given.append(upload.path)
            continue
        if before is not None and _is_given(before):
            given.append(before)
        singles[upload.name] = upload.path
    return singles, given


def _is_given(path: Path) -> bool:
    """Whether this is part 2's `utils.py`."""
    try:
        return is_given_utils(read_regular(path, MAX_FILE_BYTES))
    except (OSError, ValueError):
        return False  # reading the submission will say why


def _choose(name: str, in_order: Sequence[Upload]) -> tuple[Found, list[str]]:
    latest = of_the_latest_hand_in(in_order)
    wholes = [upload.path for upload in latest if upload.whole]
    singles, given = of_each_name(latest)
    choice = choose_among(wholes, singles) if wholes else Choice(())
    if choice.counting:
        loose = {path.name: path for path in choice.counting} if len(choice.counting) > 1 else {}
        first = choice.counting[-1]
        beside = (*choice.beside, *(upload.path for upload in latest if not upload.whole))
    else:
        loose, first, beside = singles, latest[-1].path, choice.beside
    passed = {*choice.counting, *beside, *loose.values(), *given}
    earlier = [upload.path.name for upload in in_order if upload.path not in passed]
    warnings = _passed_over(
        [path.name for path in choice.counting] or [first.name], earlier, [path.name for path in beside]
    )
    if not choice.counting:
        warnings += [given_utils(path.name) for path in given]
    found = Found(safe_name(name), first, tuple(loose.items()), choice.review, warnings=tuple(warnings))
    return found, [f"{printable(found.name)}: {line}" for line in warnings]


def _passed_over(
    counting: Sequence[str],
    earlier: Sequence[str],
    beside: Sequence[str],
    why: str = "handed in several times",
) -> list[str]:
    """What to say of files and archives that do not count."""
    lines = []
    if earlier:
        lines.append(f"{why}; the latest counts, {listed(counting)}, not {listed(earlier, _NAMED)}")
    if beside:
        verb, them = ("counts", "it") if len(counting) == 1 else ("count", "them")
        lines.append(f"{listed(counting)} {verb}; beside {them}, and not read: {listed(beside, _NAMED)}")
    return lines


def _uploads(entry: Entry, path: Path) -> Iterator[Upload]:
    """What lies at a path of a download, taken apart where it is a folder of single files."""

    def upload(name: str, place: Path, whole: bool) -> Upload:
        return Upload(name, place, entry.hand_in, entry.order, whole)

    if not os.path.isdir(path) or path.is_symlink():
        yield upload(entry.file, path, whole=not entry.file or is_archive_file(path, entry.file))
        return
    names = _visible(path)
    archives = [name for name in names if is_archive_file(path / name)]
    folders = [name for name in names if os.path.isdir(path / name)]
    by_part = _are_by_part(archives)
    if not names or by_part or _holds_parts(names) or (folders and not archives):
        yield upload(path.name, path, whole=True)
        return
    for name in names:
        yield upload(name, path / name, name in archives or name in folders)


def found_in_folder(folder: Path) -> tuple[Found, list[str]]:
    """A student's folder, or the archives that it holds in place of the parts.

    Returns:
        The submission, and what to say about it.
    """
    name = submission_name(folder, is_archive=False)
    names = _visible(folder) if not folder.is_symlink() else []
    archives = sorted(
        (one for one in names if is_archive_file(folder / one)),
        key=lambda one: (_modified(folder / one), one),
    )
    flat = PLACES.keys() & set(names)
    folders = any(os.path.isdir(folder / one) for one in names)
    if not archives or flat or folders or _holds_parts(names) or _are_by_part(archives):
        return Found(name, folder), []
    choice = choose_among([folder / one for one in archives], {})
    loose = tuple((path.name, path) for path in choice.counting) if len(choice.counting) > 1 else ()
    counting = [path.name for path in choice.counting]
    earlier = [path.name for path in choice.earlier]
    beside = [*(one for one in names if one not in archives), *(path.name for path in choice.beside)]
    warnings = _passed_over(counting, earlier, beside, "holds several archives")
    found = Found(name, choice.counting[-1], loose, choice.review, warnings=tuple(warnings))
    return found, [f"{printable(folder.name)}: {line}" for line in warnings]


def _are_by_part(archives: Sequence[str]) -> bool:
    """Whether archives are called like the parts: the reader then opens both."""
    return any(spelled(name) for name in archives)


def _visible(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not is_clutter(name))
    except OSError:
        return []  # reading the submission will say why


def _holds_parts(names: Sequence[str]) -> bool:
    return any(is_part(name) for name in names) or bool(misspelt_parts(names))


def _modified(path: Path) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0

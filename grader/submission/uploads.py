"""Which of the files that a student has uploaded are the submission: the latest hand-in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GraderUsageError
from grader.submission.downloads import Entry
from grader.submission.layout import is_part, misspelt_parts
from grader.submission.model import Found
from grader.submission.names import is_archive, is_clutter, listed, printable, safe_name


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
    def age(self) -> tuple[tuple[int, ...], tuple[int, ...], int, str]:
        """Sorts uploads from the earliest to the latest, as far as can be told."""
        return self.hand_in, self.order, _modified(self.path), self.name


def choose_uploads(uploads: Sequence[tuple[Entry, Path]]) -> Iterator[tuple[Found, list[str]]]:
    """For each student in a download the submission, and what to say about it.

    Args:
        uploads: files and folders of the download, each with what its name tells.

    Raises:
        GraderUsageError: two students have the same id.
    """
    students: dict[tuple[str, str], list[tuple[Entry, Path]]] = {}
    for entry, path in uploads:
        students.setdefault((entry.system, entry.student), []).append((entry, path))
    for (system, student), theirs in sorted(students.items(), key=lambda item: item[1][0][0].name):
        first = theirs[0]
        for other in theirs:
            if other[0].name != first[0].name:
                raise GraderUsageError(
                    f"two students have the {system} id {student}: {printable(str(first[1]))} and "
                    f"{printable(str(other[1]))}; rename or remove one"
                )
        yield _choose(first[0].name, in_order_of_age(theirs))


def in_order_of_age(theirs: Sequence[tuple[Entry, Path]]) -> list[Upload]:
    """Everything that one student has uploaded, the earliest first."""
    uploads = [upload for entry, path in theirs for upload in _uploads(entry, path)]
    return sorted(uploads, key=lambda upload: upload.age)


def of_the_latest_hand_in(in_order: Sequence[Upload]) -> list[Upload]:
    """Those that were handed in together with the last one."""
    return [upload for upload in in_order if upload.hand_in == in_order[-1].hand_in]


def _choose(name: str, in_order: Sequence[Upload]) -> tuple[Found, list[str]]:
    latest = of_the_latest_hand_in(in_order)
    whole = [upload for upload in latest if upload.whole]
    if whole:
        chosen = whole[-1]
        found = Found(safe_name(name), chosen.path)
        others = [upload for upload in in_order if upload.whole and upload != chosen]
    else:
        chosen = latest[-1]
        loose = {upload.name: upload.path for upload in latest}  # of files of the same name the last
        found = Found(safe_name(name), chosen.path, tuple(loose.items()))
        others = [upload for upload in in_order if upload.path not in loose.values()]
    if not others:
        return found, []
    earlier = listed(upload.path.name for upload in others)
    return found, [
        f"{printable(found.name)}: handed in several times; the latest counts, "
        f"{printable(chosen.path.name)}, not {earlier}"
    ]


def _uploads(entry: Entry, path: Path) -> Iterator[Upload]:
    """What lies at a path of a download, taken apart where it is a folder of single files."""

    def upload(name: str, place: Path, whole: bool) -> Upload:
        return Upload(name, place, entry.hand_in, entry.order, whole)

    if not path.is_dir() or path.is_symlink():
        yield upload(entry.file, path, whole=is_archive(entry.file) or not entry.file)
        return
    names = _visible(path)
    archives = [name for name in names if is_archive(name)]
    folders = [name for name in names if (path / name).is_dir()]
    if not names or _holds_parts(names) or (folders and not archives):
        yield upload(path.name, path, whole=True)
        return
    for name in names:
        if name not in folders:
            yield upload(name, path / name, name in archives)


def archive_within(folder: Path) -> tuple[Path, list[str]]:
    """The archive that a student's folder holds in place of the parts, or the folder itself.

    Returns:
        Where the submission lies, and what to say about it.
    """
    if folder.is_symlink():
        return folder, []
    names = _visible(folder)
    archives = sorted(
        (name for name in names if is_archive(name)), key=lambda name: (_modified(folder / name), name)
    )
    if not archives or _holds_parts(names) or any((folder / name).is_dir() for name in names):
        return folder, []
    chosen = archives.pop()
    if not archives:
        return folder / chosen, []
    return folder / chosen, [
        f"{printable(folder.name)}: holds several archives; the latest counts, {printable(chosen)}, not "
        f"{listed(archives)}"
    ]


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

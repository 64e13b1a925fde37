"""Archives within a hand-in, of which the report may lie in one; its code is read by `grader.submission`.

What may hold answers is unpacked, with caps. An archive that cannot be opened, or not to its end, may hold
them as well, unless its name says that it is a data set, or what a training leaves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grader.gradebook.documents import (
    DOCUMENT_SUFFIXES,
    find_documents,
    is_called_report,
    is_place,
    may_be_report,
)
from grader.gradebook.handed_in import (
    IMAGE_SUFFIXES,
    REPORT_DEPTHS,
    SAVED,
    files_below,
    find_all_notebooks,
    is_notebook,
)
from grader.gradebook.list_names import is_member_list
from grader.submission.archive import unpacked
from grader.submission.kinds import is_archive_kind, kind_of_file
from grader.submission.model import UnreadableSubmission
from grader.submission.names import is_archive, is_clutter, is_silent, stem

MAX_MEMBER_BYTES = 50_000_000
MAX_TOTAL_BYTES = 300_000_000
MAX_ARCHIVES = 20  # that are opened of one hand-in
MAX_WITHIN = 3  # archives in archives in archives
COUNTED_SUFFIXES = (".py", ".ipynb", *IMAGE_SUFFIXES)
KEPT_SUFFIXES = (*COUNTED_SUFFIXES, *DOCUMENT_SUFFIXES, ".txt")
# For an archive that is refused, and for a name that the system takes for none.
UNREADABLE_ARCHIVE = (UnreadableSubmission, OSError, ValueError)

_DATA = re.compile(  # all words of a name
    r"(?i)(?:data|datasets?|mnist|cifar|train(?:ing)?|val(?:id)?|raw|processed|lightning|logs?|runs?|tensorboard|"
    r"events|out|tfevents|checkpoints?|ckpts?|weights|models?|evidence|metrics|epochs?|version|vae|aae|venv|env|"
    r"handout|tests?|cache|digits)\Z"
)
_DATA_SUFFIXES = (".csv", ".pt", ".pth", ".ckpt", ".npz", ".npy", ".pkl", ".log", ".h5", ".py")


@dataclass
class Unpacked:
    """What archives within a hand-in hold.

    Attributes:
        folder: notebooks, reports and pictures of each, in a folder of its place and name.
        closed: those that may hold answers and could not be read to their ends, with the reason.
    """

    folder: Path
    closed: dict[str, str] = field(default_factory=dict)


def unpack_within(raw: Path, folder: Path) -> Unpacked:
    """Unpack what may hold answers in the archives within a hand-in, and in those within them.

    Args:
        raw: the hand-in.
        folder: an empty one, to unpack into.

    Raises:
        OSError: something cannot be written.
    """
    result, held = Unpacked(folder / "unpacked"), folder / "held"
    waiting = [(PurePosixPath(path.relative_to(raw)), path) for path in _archives(raw)]
    held.mkdir(parents=True)
    left = MAX_TOTAL_BYTES
    for number, (place, path) in enumerate(waiting):  # grows
        depth = sum(map(is_archive, place.parts[:-1]))
        try:
            if number >= MAX_ARCHIVES or depth >= MAX_WITHIN:
                raise UnreadableSubmission("there are too many archives in what was handed in")
            for name, content in unpacked(path, _place_in_archive, MAX_MEMBER_BYTES, left):
                left -= len(content)
                inner = place / name
                target = result.folder / inner
                if not is_kept(inner.name):
                    target = held / str(len(waiting))
                    waiting.append((inner, target))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        except UNREADABLE_ARCHIVE as error:
            if not _is_plainly_data(place):
                reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                result.closed[place.as_posix()] = reason
        else:
            if is_called_report(stem(place.name)) and not _holds_report(result.folder / place):
                result.closed.setdefault(
                    place.as_posix(), "no report is found in it, by whose name it is called"
                )
    return result


def may_hold_report(path: Path, place: PurePosixPath) -> bool:
    """Whether an archive that is not to be unpacked may hold answers: by its members' names, or by its own.

    Args:
        path: the archive.
        place: where it lies in what was handed in.
    """
    names: list[str] = []
    try:
        for _ in unpacked(path, names.append, MAX_MEMBER_BYTES, MAX_TOTAL_BYTES):  # of no place: none is read
            pass
    except UNREADABLE_ARCHIVE:
        return not _is_plainly_data(place)
    places = [PurePosixPath(found) for found in map(_place_in_archive, names) if found]
    return any(
        is_notebook(one.name.lstrip(".")) or may_be_report(one.name) or is_archive(one.name) for one in places
    )


def is_packed(path: Path) -> bool:
    """Whether a file is an archive: by its name, or by its content where the name tells nothing."""
    if is_archive(path.name):
        return True
    return path.suffix.lower() not in KEPT_SUFFIXES and is_archive_kind(kind_of_file(path))


def is_kept(name: str) -> bool:
    """Whether this is the name of a file that counts."""
    meant = name.lower().endswith(COUNTED_SUFFIXES) or is_notebook(name) or may_be_report(name)
    return meant or is_member_list(name)


def inside(name: str) -> PurePosixPath | None:
    """Where a member of an archive lies, if that is within it, and no tool has left it there.

    Of what is hidden only that counts which may hold answers: no code.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or any(part == ".." or (is_silent(part) and part != SAVED) for part in path.parts):
        return None
    answers = is_notebook(path.name.lstrip(".")) or may_be_report(path.name) or is_archive(path.name)
    return path if answers or not any(map(is_clutter, path.parts)) else None


def _archives(raw: Path) -> Iterator[Path]:
    for path in files_below(raw, REPORT_DEPTHS[-1], is_place):
        if not is_silent(path.name) and not path.is_symlink() and is_packed(path):
            yield path


def _place_in_archive(name: str) -> str | None:
    place = inside(name)
    if place is None or not all(map(is_place, place.parts[:-1])):
        return None
    wanted = is_kept(place.name) or (is_archive(place.name) and not _is_plainly_data(place))
    return str(place) if wanted else None


def _is_plainly_data(place: PurePosixPath) -> bool:
    """Whether the name of an archive, or of one that it lies in, says that no report is in it."""
    return any(map(_is_called_data, place.parts))


def _is_called_data(name: str) -> bool:
    shorter = stem(name)
    words = re.findall(r"[^\W\d_]+", shorter)
    is_data = bool(words) and all(map(_DATA.match, words))
    return is_archive(name) and (is_data or "ubyte" in words or shorter.lower().endswith(_DATA_SUFFIXES))


def _holds_report(folder: Path) -> bool:
    return bool(find_all_notebooks(folder) or find_documents(folder))

"""Read a submission that is a folder, without ever following a link out of it.

Every step goes from an open directory to an entry of it (`dir_fd`) and refuses links (`O_NOFOLLOW`), so
that a folder that changes while it is read leads nowhere else either. `O_NONBLOCK` keeps a named pipe from
holding up the run.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from grader.files import open_plainly
from grader.submission.kinds import is_archive_file
from grader.submission.layout import misspelt_parts, strangers, unread_modules
from grader.submission.leaves import nothing_found, settle_utils, without_files
from grader.submission.look_alikes import Read, with_look_alikes
from grader.submission.model import (
    GIVEN_NAMES,
    MAX_FILE_BYTES,
    MAX_MEMBERS,
    NAMED_FILES,
    PARTS,
    Contents,
    UnreadableSubmission,
)
from grader.submission.names import is_clutter, may_be_archive
from grader.submission.nested import Holder, Opened, candidates, read_nested, with_unopened
from grader.submission.places import (
    PLACES,
    STRANGE,
    Place,
    Placement,
    locatable,
    locate,
    names_among,
    spelled,
)
from grader.submission.shown import DEPTH, FIGURES, FOLDER, SUFFIXES, Beside, Budget, is_shown
from grader.text import printable

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# How far files are looked for that do not lie where they belong: folders down, and names in all folders.
_SEARCH_DEPTH = 8
_SEARCH_MOST = 10  # times what one folder may have
_SEARCH_FOLDERS = 500  # of figures


def read_folder(path: Path, shown: Beside | None = None) -> Contents:
    """Read the named files of the submission in a folder.

    Args:
        path: the folder.
        shown: what to read beside the code.

    Raises:
        UnreadableSubmission: a link or special file stands where a named file belongs, a file is over the
            cap, or two places in it fit equally well.
        OSError: the system does not let us read it.
    """
    with _open_folder(path.name, None, os.fspath(path)) as top:
        names = _names(top)
        tree = _scan(top)
        placement = locate(tree.files)
        if placement is not None:
            contents = _read_placed(top, placement, shown)
            contents = with_look_alikes(contents, placement.root, tree.files, _reader(top))
            contents = replace(contents, warnings=(*contents.warnings, *tree.remarks))
            return with_unopened(contents, tree.files)
        if tree.error is not None:
            raise tree.error
        if tree.cut_off:
            raise UnreadableSubmission(
                "none of the assignment's files is in the part of it that was looked through, and there is "
                "a lot more: leave out virtual environments, data and logs",
                waits=True,
            )
        fallback = without_files(tree.all)
        contents = _read_placed(top, fallback, shown)
        _refuse_linked_wrapper(top, names)
        nested = read_nested(_archives(top, tree.files), shown)
        return nested if nested is not None else nothing_found(contents, fallback, tree.files)


def holds_assignment(path: Path) -> bool:
    """Whether a folder holds a file of the assignment, a part or an archive, or cannot be looked into."""
    try:
        with _open_folder(path.name, None, os.fspath(path)) as top:
            tree = _scan(top)
    except (OSError, UnreadableSubmission):
        return True
    if tree.error is not None or tree.cut_off or any(spelled(place[-1]) for place in tree.folders):
        return True
    return locatable(tree.files) or any(
        is_archive_file(path.joinpath(*place)) for place in tree.files if may_be_archive(place[-1])
    )


def names_in_folder(path: Path) -> frozenset[str] | None:
    """The names of the assignment's files in a folder; None where that cannot be told."""
    try:
        with _open_folder(path.name, None, os.fspath(path)) as top:
            tree = _scan(top)
    except (OSError, UnreadableSubmission):
        return None
    if tree.error is not None or tree.cut_off:
        return None
    return names_among(tree.files)


@dataclass
class _Tree:
    """What lies in a folder and in the folders in it.

    Attributes:
        files: whatever is no folder, without clutter.
        folders: and the folders.
        remarks: about folders that cannot be listed.
        error: why the first of them cannot.
        cut_off: whether there is more than is looked through.
    """

    files: list[Place] = field(default_factory=list)
    folders: list[Place] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    error: OSError | None = None
    cut_off: bool = False

    @property
    def all(self) -> list[Place]:
        """Files and folders."""
        return [*self.folders, *self.files]


def _scan(top: int) -> _Tree:
    """Look through a folder, level by level, and follow no link."""
    tree = _Tree()
    waiting: deque[Place] = deque([()])
    while waiting:
        place = waiting.popleft()
        try:
            with _opened("/".join(place), top) as folder:
                for name in _names(folder):
                    if is_clutter(name):
                        continue
                    if len(tree.files) + len(tree.folders) == _SEARCH_MOST * MAX_MEMBERS:
                        tree.cut_off = True
                        return tree
                    if not _is_kind(folder, name, stat.S_IFDIR):
                        tree.files.append((*place, name))
                        continue
                    tree.folders.append((*place, name))
                    if len(place) < _SEARCH_DEPTH and name not in STRANGE:
                        waiting.append((*place, name))
        except OSError as error:
            if not place:
                raise
            tree.error = tree.error or error
            tree.remarks.append(
                f"{printable('/'.join(place))}/ cannot be looked into: {error.strerror or error}"
            )
        except UnreadableSubmission:  # more entries than a folder may have
            if not place:
                raise
            tree.cut_off = True
    return tree


def _archives(top: int, files: list[Place]) -> list[tuple[Place, Opened]]:
    """The archives in a folder."""
    holder = Holder()

    def opener(place: Place) -> Opened:
        def open_it() -> BinaryIO:
            with _opened("/".join(place[:-1]), top) as folder:
                return holder.hold(read_plain_file(place[-1], "/".join(place), folder, holder.limit))

        return open_it

    return [(place, opener(place)) for place in candidates(files)]


def _reader(top: int) -> Read:
    """Reads files of an open folder; what cannot be read is passed over."""

    def read(places: Sequence[Place]) -> Iterator[tuple[Place, bytes]]:
        for place in places:
            with suppress(UnreadableSubmission, OSError), _opened("/".join(place[:-1]), top) as folder:
                yield place, read_plain_file(place[-1], "/".join(place), folder)

    return read


def _read_placed(top: int, placement: Placement, shown: Beside | None) -> Contents:
    """Read what has been located in an open folder."""
    usual = {part: (*placement.root, part) for part in PARTS}
    if all(place[:-1] == usual[name.partition("/")[0]] for name, place in placement.files.items()):
        with _opened("/".join(placement.root), top) as root:
            return _read_parts(root, placement, shown)
    files: dict[str, bytes] = {}
    for name, place in placement.files.items():
        with _opened("/".join(place[:-1]), top) as folder:
            files[name] = read_plain_file(place[-1], name, folder)
    warnings = [*placement.warnings, *settle_utils(files, placement)]
    modules: list[str] = []
    for part, place in placement.parts.items():
        with _opened("/".join(place), top) as folder:
            modules += [f"{part}/{name}" for name in _names(folder)]
    warnings += unread_modules(modules)
    budget = Budget(shown or FIGURES)
    figures: dict[str, bytes] = {}
    with _opened("/".join(placement.root), top) as root:
        names = _names(root)
        read_as = {place[-1] for place in placement.parts.values()}
        warnings += misspelt_parts(name for name in names if name in PARTS or name not in read_as)
        if placement.flat:
            known = {*GIVEN_NAMES, *PLACES}
            others = [name for name in names if name.endswith(".py") and not is_clutter(name)]
            warnings += strangers([name for name in others if name not in known])
        if shown is not None:
            figures = _read_beside(root, names, budget)
            if placement.flat and shown.notebooks:
                beside = [name for name in names if name.lower().endswith(SUFFIXES) and not is_clutter(name)]
                for name in budget.few(beside):
                    read_shown(name, f"{FOLDER}/{name}", budget, figures, root)
    return Contents(files, (*warnings, *budget.remarks), figures, placement.review)


def _read_parts(root: int, placement: Placement, shown: Beside | None) -> Contents:
    """Read part1 and part2 of an open folder."""
    names = _names(root)
    files: dict[str, bytes] = {}
    modules: list[str] = []
    for part in PARTS:
        if part not in names:
            continue
        with _open_folder(part, root) as folder:
            entries = _names(folder)
            modules += [f"{part}/{name}" for name in entries]
            for file in NAMED_FILES:
                parent, _, name = file.rpartition("/")
                if parent == part and name in entries:
                    files[file] = read_plain_file(name, file, folder)
    budget = Budget(shown or FIGURES)
    figures = _read_beside(root, names, budget) if shown is not None else {}
    warnings = [*placement.warnings, *misspelt_parts(names), *unread_modules(modules), *budget.remarks]
    return Contents(files, tuple(warnings), figures, placement.review)


def _read_beside(root: int, names: list[str], budget: Budget) -> dict[str, bytes]:
    """What the budget is for, in an open folder, by the path in it."""
    found: dict[str, bytes] = {}
    what = budget.what
    paths = [name for name in names if is_shown((name,), what)]
    try:
        if what.folder in names and _is_kind(root, what.folder, stat.S_IFDIR):
            paths += _paths_below(root, what)
        for path in budget.few(paths):
            parent, _, name = path.rpartition("/")
            with _opened(parent, root) as inner:
                read_shown(name, path, budget, found, inner)
    except (UnreadableSubmission, OSError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        budget.refuse(f"{what.folder}/", reason)
    return found


def _paths_below(root: int, what: Beside) -> list[str]:
    """The paths of such files in the folder for them and in folders in it."""
    paths: list[str] = []
    folders = [what.folder]
    for folder in folders:  # grows
        with _opened(folder, root) as inner:
            for name in _names(inner):
                path = f"{folder}/{name}"
                if is_shown(path.split("/"), what):
                    paths.append(path)
                elif path.count("/") < DEPTH - 1 and _is_kind(inner, name, stat.S_IFDIR):
                    folders.append(path)
        if len(folders) > _SEARCH_FOLDERS:
            break
    return paths


@contextmanager
def _opened(path: str, root: int) -> Iterator[int]:
    """Open a folder step by step, so that no link is followed on the way; the root for an empty path."""
    with ExitStack() as stack:
        for name in path.split("/") if path else ():
            root = stack.enter_context(_open_folder(name, root))
        yield root


def read_shown(
    name: str, path: str, budget: Budget, found: dict[str, bytes], parent: int | None = None
) -> None:
    """Read a figure or notebook into `found`, or note that it was left out.

    Args:
        name: its path, or its name in an open folder.
        path: under which it is kept.
        budget: what may still be read.
        found: what was read.
        parent: the open folder.
    """
    try:
        content = read_plain_file(name, path, parent, budget.limit)
    except UnreadableSubmission as error:
        budget.refuse(path, str(error).removeprefix(f"{printable(path)} is "))
    except OSError as error:
        budget.refuse(path, error.strerror or str(error))
    else:
        if budget.take(path, content):
            found[path] = content


@contextmanager
def _open_folder(name: str, parent: int | None, path: str = "") -> Iterator[int]:
    """Open a folder by its name in an open folder (or by a path, for the first one)."""
    where = path or name
    _require(os.stat(where, dir_fd=parent, follow_symlinks=False), stat.S_IFDIR, name)
    descriptor = os.open(where, _FOLDER, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_plain_file(name: str, shown: str, parent: int | None = None, over: int | None = None) -> bytes:
    """The bytes of a plain file, never of what a link leads to.

    Args:
        name: its path, or its name in an open folder.
        shown: what messages call it.
        parent: the open folder.
        over: in place of the cap of a named file, one over which a byte more is read and nothing refused.

    Raises:
        UnreadableSubmission: it is no plain file, or over the cap.
        OSError: the system does not let us read it.
    """
    # Looked at before it is opened (opening a device can have effects), and again once it is open.
    _require(os.stat(name, dir_fd=parent, follow_symlinks=False), stat.S_IFREG, shown)
    with open_plainly(name, parent) as file:
        _require(os.fstat(file.fileno()), stat.S_IFREG, shown)
        content = file.read((MAX_FILE_BYTES if over is None else over) + 1)
    if over is None and len(content) > MAX_FILE_BYTES:
        raise UnreadableSubmission(
            f"{shown} is larger than {MAX_FILE_BYTES:,} bytes, the most a file may have"
        )
    return content


def _require(status: os.stat_result, kind: int, shown: str) -> None:
    """Refuse an entry that is not of the kind it has to be."""
    actual = stat.S_IFMT(status.st_mode)
    if actual == kind:
        return
    wanted = "folder" if kind == stat.S_IFDIR else "file"
    what = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a folder",
        stat.S_IFREG: "a file",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
    }.get(actual, "a device")
    waits = (kind, actual) == (stat.S_IFDIR, stat.S_IFREG)  # perhaps an archive without an ending
    raise UnreadableSubmission(f"{printable(shown)} is {what}; hand in the {wanted} itself", waits=waits)


def _names(folder: int) -> list[str]:
    """The names in an open folder, in order."""
    names: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) > MAX_MEMBERS:
                raise UnreadableSubmission(f"a folder in it has more than {MAX_MEMBERS:,} entries")
    return sorted(names)


def _is_kind(folder: int, name: str, kind: int) -> bool:
    try:
        return stat.S_IFMT(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode) == kind
    except FileNotFoundError:
        return False


def _refuse_linked_wrapper(folder: int, names: list[str]) -> None:
    """Say that a link is not followed, where it stands alone and may be meant as the wrapping folder."""
    visible = [name for name in names if not is_clutter(name)]
    links = [name for name in visible if _is_kind(folder, name, stat.S_IFLNK)]
    if links and len(links) == len(visible):
        raise UnreadableSubmission(f"{printable(links[0])} is a symbolic link; hand in the folder itself")

"""Read a submission that is a folder, without ever following a link out of it.

Every step goes from an open directory to an entry of it (`dir_fd`) and refuses links (`O_NOFOLLOW`), so
that a folder that changes while it is read leads nowhere else either. `O_NONBLOCK` keeps a named pipe from
holding up the run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from grader.submission.layout import (
    NO_PARTS,
    choose_wrapper,
    is_part,
    misspelt_parts,
    too_deep,
    unread_modules,
)
from grader.submission.model import (
    MAX_FILE_BYTES,
    MAX_MEMBERS,
    NAMED_FILES,
    PARTS,
    Contents,
    UnreadableSubmission,
)
from grader.submission.names import is_clutter, printable
from grader.submission.shown import DEPTH, FOLDER, Budget, is_shown, refusal

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
# How far misplaced parts are looked for, only to say where they lie: folders down, and folders in all.
_SEARCH_DEPTH = 4
_SEARCH_FOLDERS = 500


def read_folder(path: Path, shown: bool = False) -> Contents:
    """Read the named files of the submission in a folder.

    Args:
        path: the folder.
        shown: read the figures and notebooks, too.

    Raises:
        UnreadableSubmission: a link or special file stands where a named file belongs, a file is over the
            cap, or the parts lie too deep.
        OSError: the system does not let us read it.
    """
    with _open_folder(path.name, None, os.fspath(path)) as top:
        names = _names(top)
        if any(is_part(name) for name in names):
            return _read_parts(top, names, shown)
        wrapper = choose_wrapper([name for name in names if _holds_parts(top, name)])
        if wrapper is not None:
            with _open_folder(wrapper, top) as inner:
                return _read_parts(inner, _names(inner), shown)
        _refuse_linked_wrapper(top, names)
        deep = _find_deep(top, "", _SEARCH_DEPTH, iter(range(_SEARCH_FOLDERS)))
        if deep:
            raise too_deep(deep)
        return Contents({}, (*misspelt_parts(names), NO_PARTS))


def _read_parts(root: int, names: list[str], shown: bool) -> Contents:
    """Read part1 and part2 of an open folder."""
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
    budget = Budget()
    figures = _read_figures(root, names, budget) if shown else {}
    return Contents(files, (*misspelt_parts(names), *unread_modules(modules), *budget.remarks), figures)


def _read_figures(root: int, names: list[str], budget: Budget) -> dict[str, bytes]:
    """The figures and notebooks of an open folder, by their path in it."""
    found: dict[str, bytes] = {}
    paths = [name for name in names if is_shown((name,))]
    try:
        if FOLDER in names and _is_kind(root, FOLDER, stat.S_IFDIR):
            paths += _figures_below(root)
        for path in budget.few(paths):
            parent, _, name = path.rpartition("/")
            with _opened(parent, root) as inner:
                read_shown(name, path, budget, found, inner)
    except (UnreadableSubmission, OSError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        budget.remarks.append(refusal(f"{FOLDER}/", reason))
    return found


def _figures_below(root: int) -> list[str]:
    """The paths of figures in the folder for them and in folders in it."""
    paths: list[str] = []
    folders = [FOLDER]
    for folder in folders:  # grows
        with _opened(folder, root) as inner:
            for name in _names(inner):
                path = f"{folder}/{name}"
                if is_shown(path.split("/")):
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
        budget.remarks.append(refusal(path, str(error).removeprefix(f"{printable(path)} is ")))
    except OSError as error:
        budget.remarks.append(refusal(path, error.strerror or str(error)))
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
    descriptor = os.open(name, _FILE, dir_fd=parent)
    with open(descriptor, "rb") as file:
        _require(os.fstat(descriptor), stat.S_IFREG, shown)
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
    raise UnreadableSubmission(f"{printable(shown)} is {what}; hand in the {wanted} itself")


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


def _holds_parts(folder: int, name: str) -> bool:
    """Whether an entry is a folder with part1 or part2 in it."""
    if is_clutter(name) or not _is_kind(folder, name, stat.S_IFDIR):
        return False
    with _open_folder(name, folder) as inner:
        return any(os.access(part, os.F_OK, dir_fd=inner, follow_symlinks=False) for part in PARTS)


def _refuse_linked_wrapper(folder: int, names: list[str]) -> None:
    """Say that a link is not followed, where it stands alone and may be meant as the wrapping folder."""
    visible = [name for name in names if not is_clutter(name)]
    links = [name for name in visible if _is_kind(folder, name, stat.S_IFLNK)]
    if links and len(links) == len(visible):
        raise UnreadableSubmission(f"{printable(links[0])} is a symbolic link; hand in the folder itself")


def _find_deep(folder: int, path: str, depth: int, budget: Iterator[int]) -> str:
    """The path of a part that lies too deep, or nothing."""
    for name in _names(folder):
        if is_clutter(name) or not _is_kind(folder, name, stat.S_IFDIR):
            continue
        if is_part(name):
            return f"{path}{name}"
        if depth > 1 and next(budget, None) is not None:
            with _open_folder(name, folder) as inner:
                found = _find_deep(inner, f"{path}{name}/", depth - 1, budget)
            if found:
                return found
    return ""

"""Who may read and write a course: one account alone, or a group of staff; never everybody on the machine."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import GraderUsageError
from grader.gradebook.course import CONFIG_FILE, REPOSITORY, Course
from grader.text import printable

if TYPE_CHECKING:
    from traitlets.config import Config

PRIVATE, SHARED = 0o700, 0o2770  # of a course's folder
DATABASE = "gradebook.db"
# What a run writes into; the rest of a course it only reads.
_WRITTEN = ("", "state", "collected", "submitted", "autograded", "feedback", "grading")
# Files that are changed where they are. Any other is replaced, for which its folder's rights count.
_IN_PLACE = (DATABASE, f"{DATABASE}-journal", f"{DATABASE}-wal", "state/nbgrader.log", "state/lock")
_SECRET_PARTS = ("solutions", "grader/suites", "tests")  # of the kit


def account(number: int) -> str:
    """The name of an account."""
    try:
        return printable(pwd.getpwuid(number).pw_name)
    except KeyError:
        return str(number)


def group(number: int) -> str:
    """The name of a group."""
    try:
        return printable(grp.getgrgid(number).gr_name)
    except KeyError:
        return str(number)


def group_members(number: int) -> list[str]:
    """The accounts of a group, in order."""
    try:
        members = set(grp.getgrgid(number).gr_mem)
    except KeyError:
        members = set()
    members |= {entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == number}
    return sorted(map(printable, members))


def open_course(folder: Path) -> Course:
    """The course in a folder.

    Raises:
        GraderUsageError: there is none.
    """
    root = Path(os.path.abspath(folder))
    if root.is_dir() and not os.access(root, os.X_OK):
        raise GraderUsageError(_closed_to_us(root))
    if not (root / CONFIG_FILE).is_file():
        raise GraderUsageError(
            f"{printable(str(folder))}: is not a course, it holds no {CONFIG_FILE}; "
            f"make one: python -m grader course init {printable(str(folder))}"
        )
    return Course(root)


def is_shared(course: Course) -> bool:
    """Whether a group of staff works in a course: its folder is writable for its group."""
    return bool(course.root.stat().st_mode & stat.S_IWGRP)


@contextmanager
def umask_of(course: Course) -> Iterator[None]:
    """Write new files with the rights of the course's folder, whatever umask the account has."""
    mode = stat.S_IMODE(course.root.stat().st_mode)
    before = os.umask(0o777 & ~mode)
    try:
        yield
    finally:
        os.umask(before)


def barrier(path: Path) -> Path | None:
    """The first folder on the way to a path that other accounts cannot enter; None where they get there."""
    absolute = Path(os.path.realpath(path))
    for folder in [*reversed(absolute.parents), absolute]:
        mode = folder.stat().st_mode
        if stat.S_ISDIR(mode) and not mode & stat.S_IXOTH:
            return folder
    return None


def open_to_others(path: Path) -> bool:
    """Whether any account on the machine can read a file, or enter or list a folder."""
    try:
        absolute = Path(os.path.realpath(path))
        mode = absolute.stat().st_mode
        return barrier(absolute.parent) is None and bool(mode & (stat.S_IROTH | stat.S_IXOTH))
    except OSError:  # not even we get there
        return False


def staff_group(name: str) -> int:
    """The number of the group that shares a course.

    Raises:
        GraderUsageError: there is none, or this account is not in it.
    """
    try:
        number = grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise GraderUsageError(
            f"--group {printable(name)}: there is no such group; an administrator makes it"
        ) from error
    if number not in {os.getegid(), *os.getgroups()} and os.geteuid() != 0:
        raise GraderUsageError(
            f"--group {printable(name)}: {account(os.geteuid())} is not in it; an administrator adds "
            "accounts, which are in it from their next login"
        )
    return number


def make_private(folder: Path, staff: int | None) -> None:
    """Close a new course's folder to everyone but its owner and, if given, a group.

    Raises:
        OSError: the folder is somebody else's.
    """
    if staff is not None:
        os.chown(folder, -1, staff)
    os.chmod(folder, PRIVATE if staff is None else SHARED)


def make_exchange(folder: Path, course_id: str, staff: int | None) -> None:
    """Make the folder that nbgrader's exchange lies in, and the course's own in it where a group shares it.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid == os.geteuid():
        os.chmod(folder, 0o777)  # nbgrader's exchange is a folder that everyone may write to
    if staff is not None:
        own = folder / course_id
        own.mkdir(exist_ok=True)
        os.chown(own, -1, staff)  # what nbgrader and students make in it is the group's then
        os.chmod(own, 0o2775)


def share_database(course: Course) -> None:
    """Let the group write to the gradebook that nbgrader has made, in a shared course; only its owner can."""
    database = course.root / DATABASE
    if not database.is_file() or not is_shared(course):
        return
    about, wanted = database.stat(), stat.S_IRGRP | stat.S_IWGRP
    if about.st_uid == os.geteuid():
        if about.st_gid != course.root.stat().st_gid:
            os.chown(database, -1, course.root.stat().st_gid)
        os.chmod(database, stat.S_IMODE(about.st_mode) | wanted)


def unwritable(course: Course) -> list[str]:
    """What this account cannot write of all that a run has to, one line each, with owner and remedy."""
    folders = [course.root / name for name in _WRITTEN if (course.root / name).is_dir()]
    found = [path for path in (course.root / name for name in _IN_PLACE) if _denied(path, os.R_OK | os.W_OK)]
    for folder in folders:
        if folder == course.root:
            found += [folder] if _denied(folder, os.W_OK | os.X_OK) else []
        else:
            found += _denied_folders(folder)
    return [_remedy(course, path) for path in sorted(set(found))]


def unwritable_gradebook(course: Course, db_url: str) -> str | None:
    """Why this account cannot change the gradebook, owner and remedy; None: it can, or a server holds it."""
    from sqlalchemy.engine import make_url

    url = make_url(db_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    database = Path(course.root, url.database)
    # SQLite writes a journal beside it.
    denied = [
        path
        for path, wanted in ((database, os.R_OK | os.W_OK), (database.parent, os.W_OK | os.X_OK))
        if _denied(path, wanted)
    ]
    return _remedy(course, denied[0]) if denied else None


def _denied(path: Path, wanted: int) -> bool:
    return path.exists() and not os.access(path, wanted, effective_ids=True)


def _denied_folders(top: Path) -> Iterable[Path]:
    """The folders in which nothing can be written, the outermost of each branch."""
    denied = []
    for place, folders, _ in os.walk(top):
        if not os.access(place, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
            denied.append(Path(place))
            folders.clear()
    return denied


def _remedy(course: Course, path: Path) -> str:
    """Say who can make a path writable, and how."""
    about, root = path.stat(), course.root.stat()
    owner, shown = account(about.st_uid), printable(str(path))
    mine = account(os.geteuid())
    line = f"{shown}: cannot be written by {mine}, it belongs to {owner}"
    if not is_shared(course):
        return (
            f"{line}; run this as {account(root.st_uid)}, or share the course with a group: see docs/hub.md"
        )
    staff = group(root.st_gid)
    if root.st_gid not in {os.getegid(), *os.getgroups()}:
        return f"{line}; {mine} is not in the group {staff}: an administrator adds accounts to it"
    if path == course.root:
        return f"{line}; {owner} runs: chmod 2770 {shown}"
    every = "-R " if path.is_dir() else ""
    return f"{line}; {owner} runs: chgrp {every}{staff} {shown} && chmod {every}g+rwX {shown}"


def _closed_to_us(root: Path) -> str:
    """Say whose a course's folder is, and who could let this account in."""
    about = root.stat()
    mine, owner = account(os.geteuid()), account(about.st_uid)
    line = f"{printable(str(root))}: {mine} cannot enter it; it belongs to {owner}"
    if not about.st_mode & stat.S_IXGRP:
        return f"{line} alone"
    return f"{line} and the group {group(about.st_gid)}: an administrator adds accounts to the group"


def exposures(course: Course, config: Config) -> list[str]:
    """What students of the machine can read and should not, or cannot reach and should; a line each."""
    lines = []
    if open_to_others(course.root):
        mode = "2770" if is_shared(course) else "700"
        shown = printable(str(course.root))
        lines.append(
            f"{shown}: every account on this machine can read the gradebook, the roster, the seed and what "
            f"was handed in; close it: chmod {mode} {shown}"
        )
    for part in _SECRET_PARTS:
        if open_to_others(REPOSITORY / part):
            shown = printable(str(REPOSITORY))
            lines.append(
                f"{shown}: every account on this machine can read the kit's solutions and suites; "
                f"close it: chmod o-rwx {shown}"
            )
            break
    return lines + exchange_faults(config)


def exchange_faults(config: Config) -> list[str]:
    """Why students cannot fetch from the exchange and submit to it; empty where they can."""
    from nbgrader.exchange.default.exchange import Exchange

    root = Path(Exchange(config=config).root)
    if not root.is_dir():
        return []
    shown = printable(str(root))
    closed = barrier(root.parent)
    if closed is not None:
        return [
            f"{shown}: students cannot reach the exchange, {printable(str(closed))} is closed to them; move "
            f"it to where they get, and set c.Exchange.root in {CONFIG_FILE}"
        ]
    if not root.stat().st_mode & stat.S_IXOTH:
        return [f"{shown}: students cannot enter the exchange; open it: chmod o+rx {shown}"]
    return []

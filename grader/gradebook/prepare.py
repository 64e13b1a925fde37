"""Puts into `submitted/` what nbgrader can work with, and keeps what came in `collected/`.

nbgrader collects into `submitted/`. Whatever is there and was not put there by us is what a student handed
in: it moves to `collected/`, and a clean copy takes its place: the rebuilt notebook, the code as the grader
reads it, real pictures, and the time. So every submission has exactly one notebook that nbgrader can open.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import nbformat
from nbgrader.utils import parse_utc

from grader.errors import GraderFault
from grader.files import read_regular
from grader.gradebook import state
from grader.gradebook.course import ASSIGNMENT, NOTEBOOK, Course, fit_for_id, require_release
from grader.gradebook.hand_in_times import SECRET, TIMESTAMP, UnknownTime, read_time, written
from grader.gradebook.hand_ins import HandIn, Sharing, hand_ins, owner_of, take_in
from grader.gradebook.handed_in import figures
from grader.gradebook.late import read_policy
from grader.gradebook.packed import Unpacked, unpack_within
from grader.gradebook.progress import follow
from grader.gradebook.rebuild import Rebuilt, adds, answered, known_cells, rebuild
from grader.gradebook.released_notebook import Released
from grader.gradebook.releases import all_releases, remember_release
from grader.gradebook.reports import Report, read_reports
from grader.submission import read_submission
from grader.text import listed, printable


@dataclass(frozen=True)
class Prepared:
    """A submission that nbgrader can work with.

    Attributes:
        student: their id.
        notes: what a person should look at, one line each.
    """

    student: str
    notes: tuple[str, ...]


def prepare(course: Course, sharing: Sharing | None = None) -> tuple[list[Prepared], list[str]]:
    """Prepare every submission that was collected, but those that are shared or have attempts.

    Args:
        course: the course.
        sharing: of whom attempts are told apart: they are numbered, and left for `counted`.

    Returns:
        The submissions, by student; remarks about folders that are no submissions of this assignment.

    Raises:
        GraderUsageError: nothing was released yet.
        GraderFault: a folder cannot be read or written.
    """
    require_release(course)
    try:
        remember_release(course)
        released = read_released(course)
        sharing = sharing or Sharing()
        remarks = _move_in(course, released, sharing)
        number_attempts(course, sharing)
        hand_ins_of = {
            owner: theirs
            for owner, theirs in hand_ins(course).items()
            if not any(one.number for one in theirs)
        }
        prepared = []
        for student in follow("Rebuilding notebooks", list(hand_ins_of)):
            (one,) = hand_ins_of[student]
            prepared.append(Prepared(student, prepare_one(course, student, one, released)))
    except OSError as error:
        place = printable(os.fsdecode(error.filename)) if error.filename else str(course.root)
        raise GraderFault(f"{place}: {error.strerror or error}") from error
    return prepared, remarks


def read_released(course: Course) -> Released:
    """The notebook that every submission's is rebuilt from."""
    return Released(nbformat.read(course.released_notebook, as_version=4), all_releases(course))


def number_attempts(course: Course, sharing: Sharing) -> None:
    """Number what was collected before its owner's attempts had to be told apart."""
    for owner, theirs in hand_ins(course).items():
        if not theirs[0].number and sharing.concerns(owner, theirs):
            take_in(course, theirs[0].folder, owner, _mates(sharing, owner))


def _in_order(folder: Path) -> tuple[str, bool, int, str]:
    owner = owner_of(folder.name)
    return owner, owner == folder.name, len(folder.name), folder.name


def _mates(sharing: Sharing, owner: str) -> list[str]:
    group = sharing.groups.of(owner) or sharing.groups.by_folder(owner)
    return [name for name in (*group.members, group.folder) if name != owner] if group else []


def _move_in(course: Course, released: Released, sharing: Sharing) -> list[str]:
    """Move what was collected since the last run out of nbgrader's folder."""
    course.collected.mkdir(parents=True, exist_ok=True)
    remarks = []
    found, numbered = hand_ins(course), set[str]()
    submitted = course.root / "submitted"
    # Earlier attempts come first.
    for folder in sorted(submitted.iterdir(), key=_in_order) if submitted.is_dir() else ():
        student, place = folder.name, folder / ASSIGNMENT
        if not _is_folder(folder):
            continue
        if not fit_for_id(student):
            remarks.append(
                f"submitted/{printable(student)}: cannot be the id of a student (letters, digits, and any of "
                "_ . @ + - only, and no name that a submission's own files have); rename the folder"
            )
        elif not _is_folder(place):
            others = [path.name for path in folder.iterdir()]
            if owner_of(student) not in found:
                remarks.append(
                    f"submitted/{student}: holds no {ASSIGNMENT}, but {listed(others) or 'nothing'}"
                )
        elif not _is_ours(course, student, released, found, _mates(sharing, student)):
            owner = owner_of(student)
            if owner != student or owner in numbered or sharing.concerns(owner, found.get(owner, ())):
                numbered.add(owner)
                take_in(course, place, owner, _mates(sharing, owner))
                if not any(folder.iterdir()):
                    folder.rmdir()  # of a group, or of one attempt: nobody's submission will be there
            else:
                _replace(place, course.collected / student)
    return remarks


def _is_ours(
    course: Course,
    student: str,
    released: Released,
    found: Mapping[str, Sequence[HandIn]],
    mates: Iterable[str],
) -> bool:
    """Whether a submission is the copy that an earlier run has made of what lies in `collected/`.

    To take a copy for something new would put it in the place of what the student handed in. So it is also
    known again without the note about it, by making it once more.
    """
    shape = _shape(course.submitted(student))
    if shape in state.load(course, state.PREPARED).get(student, "").split():
        return True
    for owner in (student, *mates):
        for one in found.get(owner, ()):
            with tempfile.TemporaryDirectory(dir=course.root, prefix=".preparing-") as folder:
                _write_copy(one, student, Path(folder), released)
                if shape == _shape(Path(folder)):
                    return True
    return False


def prepare_one(course: Course, student: str, one: HandIn, released: Released) -> tuple[str, ...]:
    """Write a student's clean submission, made of a hand-in of theirs or of their group's; returns the notes.

    Raises:
        OSError: something cannot be read or written.
    """
    target = course.submitted(student)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=course.root, prefix=".preparing-") as folder:
        new = Path(folder, ASSIGNMENT)
        new.mkdir()
        notes = _write_copy(one, student, new, released)
        # Noted before it is there, beside the one that it replaces: a run may end at any moment.
        known = state.load(course, state.PREPARED)
        shapes = dict.fromkeys([*known.get(student, "").split()[-1:], _shape(new)])
        if known.get(student) != " ".join(shapes):
            state.save(course, state.PREPARED, known | {student: " ".join(shapes)})
        _replace(new, target)
    return notes


def _write_copy(one: HandIn, student: str, new: Path, released: Released) -> tuple[str, ...]:
    """Write the clean copy of a submission into an empty folder; returns the notes."""
    raw = one.folder
    rebuilt, pictures, notes = _rebuilt(raw, released)
    submission = read_submission(raw, student)
    notes += submission.warnings
    if submission.error:  # it begins with the folder's name, which is the student's
        notes += (submission.error.removeprefix(f"{raw.name}: "),)
    nbformat.write(rebuilt.notebook, new / f"{NOTEBOOK}.ipynb")
    for name, content in submission.files.items():
        (new / name).parent.mkdir(exist_ok=True)
        (new / name).write_bytes(content)
    for name, content in pictures:
        (new / "figures").mkdir(exist_ok=True)
        (new / "figures" / name).write_bytes(content)
    # The secret leads the feedback back to whoever handed in, and to nobody else.
    names = (TIMESTAMP, SECRET) if one.owner == student else (TIMESTAMP,)
    return notes + _copy_time(raw, new, names, read_policy(Course(raw.parents[2]).policy).zone)


def _rebuilt(raw: Path, released: Released) -> tuple[Rebuilt, list[tuple[str, bytes]], tuple[str, ...]]:
    """The rebuilt notebook, the figures that belong to it, and what to say about it."""
    with tempfile.TemporaryDirectory() as folder:
        return _rebuilt_with(raw, unpack_within(raw, Path(folder)), released)


def _rebuilt_with(
    raw: Path, within: Unpacked, released: Released
) -> tuple[Rebuilt, list[tuple[str, bytes]], tuple[str, ...]]:
    reports = read_reports(raw, within)
    notes = list(reports.notes)
    known = [found.cells for found in reports.notebooks]
    spare = [found for found in reports.spare if adds(released, found.cells, known)]
    # The one of the right name counts, if it has an answer; without it, the one with most answers.
    ranked = sorted([*reports.notebooks, *spare], key=lambda found: _rank(released, found))
    documents = {name: [cell] for name, cell in reports.texts.items() if cell}
    folders = [*(found.path.parent for found in ranked), raw]
    beside = next((folder for folder in folders if (folder / "figures").is_dir()), folders[0])
    pictures = list(figures(beside / "figures"))
    if not ranked:
        return rebuild(released, (), reports.unread, documents), pictures, tuple(notes)
    first = ranked[0]
    others = {other.name: other.cells for other in ranked[1:]}
    foreign = [name for name, cells in others.items() if not known_cells(released, cells)]
    if others:
        notes.append(f"several notebooks: {first.name} counts, not {listed(others)}")
    elif first.path.name != f"{NOTEBOOK}.ipynb":
        notes.append(f"the notebook is called {printable(first.path.name)}, not {NOTEBOOK}.ipynb; it counts")
    elif within.folder in first.path.parents:
        notes.append(f"the notebook was read from {first.name}, in an archive; it counts")
    shown = {name: cells for name, cells in others.items() if name not in foreign}
    result = rebuild(released, first.cells, [*reports.unread, *foreign], shown | documents)
    if not result.known and not first.damaged:
        notes.append(f"{first.name}: is not the notebook of this assignment, none of its cells is")
    elif result.known:
        notes += result.notes
    return result, pictures, tuple(notes)


def _rank(released: Released, report: Report) -> tuple[bool, bool, int]:
    count = answered(released, report.cells)
    return count == 0, report.path.name != f"{NOTEBOOK}.ipynb", -count


def _copy_time(raw: Path, new: Path, names: Iterable[str], zone: ZoneInfo) -> tuple[str, ...]:
    """The time of submission, as nbgrader reads it right, and its secret for the way back of the feedback."""
    notes: tuple[str, ...] = ()
    for name in names:
        try:
            content = read_regular(raw / name, 10_000)
        except FileNotFoundError:
            continue
        except OSError:
            notes += (f"{name} cannot be read and was left out",)
            continue
        if name == TIMESTAMP:
            try:
                content = _readable_time(content, zone)
            except (UnknownTime, UnicodeDecodeError):
                notes += (f"{name} does not hold a time and was left out: the submission counts as in time",)
                continue
        if name == SECRET and not _is_secret(content):
            notes += (f"{name} is not what nbgrader submit writes and was left out",)
            continue
        (new / name).write_bytes(content)
    return notes


def _readable_time(content: bytes, zone: ZoneInfo) -> bytes:
    """A time as nbgrader reads it right; what it does is left as it was.

    Raises:
        UnknownTime, UnicodeDecodeError: there is none.
    """
    text = content.decode("utf-8").strip()
    moment = read_time(text, [zone])
    try:
        return content if parse_utc(text) == moment else written(moment).encode()
    except (ValueError, OverflowError, TypeError, AttributeError):
        return written(moment).encode()


def _is_secret(content: bytes) -> bool:
    try:
        return bool(content.decode("utf-8").strip())
    except UnicodeDecodeError:
        return False


def _shape(folder: Path) -> str:
    """A digest by which a folder that we have written is known again."""
    return state.digest(*_contents((folder / f"{NOTEBOOK}.ipynb", folder / TIMESTAMP, folder / SECRET)))


def _contents(paths: Iterable[Path]) -> list[bytes]:
    contents = []
    for path in paths:
        try:
            contents.append(read_regular(path, 200_000_000))
        except OSError:
            contents.append(b"")
    return contents


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not path.name.startswith(".")


def _replace(new: Path, target: Path) -> None:
    """Put a folder in the place of another."""
    if target.is_symlink():
        target.unlink()
    elif target.exists():
        shutil.rmtree(target)
    shutil.move(str(new), str(target))

"""Feedback pages as one archive, in the form in which each learning platform takes files back.

A platform tells by a file's name whose feedback it is: it has to begin as the name of the file that the
student handed in does. So the archive is made after the platform's own download:

    Moodle       Jane Doe_1327627_assignsubmission_file_/feedback.html
    Canvas       doejane_12345_6789_feedback.html
    Brightspace  13394-80551 - Jane Doe - Mar 29, 2018 1205 PM/feedback.html

They call it "Upload multiple feedback files in a zip", "Upload Submissions" and "Add Feedback Files". The
forms are as remembered; no such platform could be tried here.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grader.errors import GraderUsageError
from grader.gradebook.course import ASSIGNMENT, NOTEBOOK, Course
from grader.gradebook.exports.marks import Mark, final_marks
from grader.gradebook.groups import Groups, read_groups
from grader.gradebook.hand_ins import owner_of
from grader.gradebook.owners import find_owners
from grader.gradebook.roster import Person, Roster
from grader.submission.downloads import Entry, parse_all, platform_files
from grader.submission.names import is_clutter
from grader.text import printable

PAGE = "feedback.html"


@dataclass
class HandedBack:
    """What went into the archive.

    Attributes:
        students: whose feedback is in it.
        strangers: names in the download that nobody on the roster fits.
        waiting: students whose marks are not complete.
        without_page: students without a feedback page.
        absent: students with complete marks whom no name in the download fits.
        typed: names of what was typed into Canvas, which takes a file back only for a file.
        size: of the archive in bytes.
    """

    students: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    without_page: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    size: int = 0


def hand_back(course: Course, output: Path, like: Path | None = None, unfinished: bool = False) -> HandedBack:
    """Write the archive.

    Args:
        course: the course.
        output: the archive to write.
        like: what the platform gave, the archive or a folder of its files; by default what was collected.
        unfinished: whether pages of students whose marks are not complete go out, too.

    Raises:
        GraderUsageError: a file is missing or cannot be used.
        GraderFault: the gradebook does not hold the results.
    """
    entries = _latest(_entries(course, like))
    marks = {mark.student: mark for mark in final_marks(course)}
    people = [
        Person(mark.student, mark.first_name, mark.last_name, mark.email, mark.platform_id)
        for mark in marks.values()
    ]
    groups, roster = read_groups(course), Roster(people)
    owners = find_owners(entries, roster, groups)
    done = HandedBack()
    found: dict[str, Path] = {}  # by the name in the archive
    told = set[str]()
    for name, entry in entries.items():
        students = _students(owner_of(owners[name].student), entry, roster, groups)
        if not owners[name].known:
            done.strangers.append(name)
            continue
        if entry.typed:
            done.typed.append(name)
            told |= set(students)
            continue
        for student in students:
            place = feedback_name(name, entry, student if len(students) > 1 else "")
            if page := _page(course, marks.get(student), student, unfinished, done):
                found[place] = page
    named = {*done.students, *done.waiting, *done.without_page, *told}
    done.absent = [one.student for one in marks.values() if one.handed_in and one.student not in named]
    for names in (done.students, done.waiting, done.without_page):
        names[:] = dict.fromkeys(names)
    if found:
        done.size = _write(output, found)
    return done


def feedback_name(name: str, entry: Entry, student: str = "") -> str:
    """What the feedback to a file or folder of a download is called.

    Args:
        name: of the file or folder.
        entry: what that name tells.
        student: whose feedback it is, where the hand-in is of several.
    """
    page = f"feedback-{student}.html" if student else PAGE
    if not entry.file:
        return f"{name}/{page}"
    end = entry.file
    if not name.endswith(end):  # Canvas numbers a second upload: `answer-1.zip`
        stem, suffix = _split(entry.file)
        end = f"{stem}-{entry.order[-1]}{suffix}"
    return name.removesuffix(end) + page


def _split(file: str) -> tuple[str, str]:
    if file.endswith(".tar.gz"):
        return file.removesuffix(".tar.gz"), ".tar.gz"
    path = PurePosixPath(file)
    return file.removesuffix(path.suffix), path.suffix


def _entries(course: Course, like: Path | None) -> dict[str, Entry]:
    place = like or course.root / "downloaded" / ASSIGNMENT / "archive"
    option = f"--like {printable(str(place))}"
    names = sorted({name for name in _names(place, option) if not is_clutter(name)})
    entries = parse_all(names)
    own = platform_files(entries.values())
    entries = {name: entry for name, entry in entries.items() if name not in own}
    if not entries:
        raise GraderUsageError(
            f"{option}: no name in it is one that Canvas, Moodle or Brightspace writes; give the archive of "
            "all submissions that the platform gave"
        )
    return entries


def _names(place: Path, option: str) -> Iterator[str]:
    """The names at the top of an archive, or of a folder."""
    try:
        if place.is_dir():
            yield from (path.name for path in place.iterdir())
            return
        with zipfile.ZipFile(place) as archive:
            yield from (parts[0] for name in archive.namelist() if (parts := PurePosixPath(name).parts))
    except FileNotFoundError as error:
        raise GraderUsageError(
            f"{option}: there is no such file; give the archive of all submissions that the platform gave"
        ) from error
    except (OSError, zipfile.BadZipFile) as error:
        raise GraderUsageError(f"{option}: it is no zip archive and no folder that can be read") from error


def _latest(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The last upload of each student: one page of feedback is enough."""
    last: dict[tuple[str, str, str], str] = {}
    for name, entry in sorted(entries.items(), key=lambda pair: (pair[1].hand_in, pair[1].order, pair[0])):
        last[entry.system, entry.student, entry.who] = name
    return {name: entries[name] for name in sorted(last.values())}


def _students(owner: str, entry: Entry, roster: Roster, groups: Groups) -> list[str]:
    """Whose feedback goes back with a hand-in: of a group's that names one of them, theirs alone."""
    group = groups.by_folder(owner) or groups.of(owner)
    if group is None:
        return [owner]
    named = roster.by_name(entry.who).people or roster.by_end_of_name(entry.who).people
    person = roster.by_platform(entry.student) or (named[0] if len(named) == 1 else None)
    return [person.id] if person and person.id in group.members else list(group.members)


def _page(course: Course, mark: Mark | None, student: str, unfinished: bool, done: HandedBack) -> Path | None:
    """A student's page, if it may go out; says what becomes of it."""
    page = course.feedback(student) / f"{NOTEBOOK}.html"
    if mark is not None and mark.handed_in and not mark.final and not unfinished:
        done.waiting.append(student)
        return None
    if not page.is_file():
        done.without_page.append(student)
        return None
    done.students.append(student)
    return page


def _write(output: Path, pages: Mapping[str, Path]) -> int:
    """Write the archive, all of it or nothing; its size in bytes."""
    shown = printable(str(output))
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{output.name}.", suffix=".tmp", dir=output.parent)
    except OSError as error:
        raise GraderUsageError(f"--output {shown}: cannot write there: {error.strerror}") from error
    try:
        with open(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, page in sorted(pages.items()):
                archive.write(page, name)
        os.chmod(temporary, 0o600)  # marks of everybody
        os.replace(temporary, output)
    except BaseException as error:
        os.unlink(temporary)
        if isinstance(error, OSError):
            raise GraderUsageError(f"--output {shown}: cannot be written: {error.strerror}") from error
        raise
    return output.stat().st_size

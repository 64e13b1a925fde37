"""Who hands in together: `groups.csv` of a course, a row for each group.

    group,students
    Group 12,ada,bob,cleo

Nothing in it is guessed: a student who is unknown or in two groups, a group without students and a group that
stands there twice are named, and nothing is marked until the file is right.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from grader.errors import GraderUsageError
from grader.gradebook.course import Course, fit_for_id
from grader.gradebook.exports.tables import read_table
from grader.gradebook.roster import MORE, Person, Roster
from grader.text import listed, printable

GROUPS_FILE = "groups.csv"
HEADS = "group,students"


@dataclass(frozen=True)
class Group:
    """Students who hand in together.

    Attributes:
        name: as the course and its platform call the group.
        members: ids of students.
    """

    name: str
    members: tuple[str, ...]

    @property
    def folder(self) -> str:
        """What a hand-in under the group's name is called in `collected/`."""
        return re.sub(r"[^\w.@-]+", "-", unicodedata.normalize("NFC", self.name)).strip("-.")[:70]


@dataclass(frozen=True)
class Groups:
    """The groups of a course."""

    groups: Sequence[Group] = ()

    def of(self, student: str) -> Group | None:
        """The group of a student."""
        return self._by_student.get(student)

    def by_folder(self, name: str) -> Group | None:
        """The group whose hand-ins are called this in `collected/`."""
        return next((group for group in self.groups if group.folder == name), None)

    def by_name(self, text: str) -> Group | None:
        """The one group that a platform means: `group_12` for Canvas, `Group 12` for the others."""
        fit = self._names.by_name(text)
        # With a number more it is another group.
        return self.by_folder(fit.people[0].id) if len(fit.people) == 1 and fit.level < MORE else None

    @cached_property
    def _by_student(self) -> dict[str, Group]:
        return {student: group for group in self.groups for student in group.members}

    @cached_property
    def _names(self) -> Roster:
        return Roster([Person(group.folder, group.name) for group in self.groups])


def read_groups(course: Course) -> Groups:
    """The groups of a course; none where it has no `groups.csv`.

    Raises:
        GraderUsageError: it cannot be read, or is wrong in itself; the message names all that is.
    """
    path = course.root / GROUPS_FILE
    if not path.exists():
        return Groups()
    table = read_table(path)
    wrong = []
    heads = [head.strip().casefold() for head in table.header]
    if heads[:2] != HEADS.split(",") or any(heads[2:]):
        raise GraderUsageError(
            f"{printable(str(path))}: its first line has to be {HEADS}, and every other one the name of a "
            "group and the ids of its students"
        )
    groups = []
    for row in table.rows:
        name, *cells = (unicodedata.normalize("NFC", cell.strip()) for cell in row)
        students = [cell for cell in cells if cell]
        if name or students:
            groups.append(Group(name, tuple(students)))
            wrong += _wrong_in(groups[-1])
    folders = Counter(group.folder.casefold() for group in groups)
    for folder, count in folders.items():
        if count > 1:
            names = dict.fromkeys(group.name for group in groups if group.folder.casefold() == folder)
            alike = f"{listed(map(printable, names))} are alike" if len(names) > 1 else "stands there"
            name = "" if len(names) > 1 else f"{printable(next(iter(names)))} "
            wrong.append(f"{name}{alike}{' twice' if name else ', one of them needs another name'}")
    places: dict[str, list[str]] = {}
    for group in groups:
        for student in dict.fromkeys(group.members):
            places.setdefault(student, []).append(group.name)
    for student, names_of in places.items():
        if len(set(names_of)) > 1:
            wrong.append(f"{printable(student)} is in {' and in '.join(map(printable, names_of))}")
        if any(group.folder == student for group in groups):
            wrong.append(f"{printable(student)} is a student and a group: call the group otherwise")
    _refuse(course, wrong)
    return Groups(tuple(groups))


def _wrong_in(group: Group) -> list[str]:
    name = printable(group.name)
    if not group.name:
        return [f"the group of {listed(map(printable, group.members))} has no name"]
    wrong = []
    if not group.members:
        wrong.append(f"{name} has no students")
    if not fit_for_id(group.folder):
        wrong.append(f"{name} cannot be the name of a folder: call the group otherwise")
    for student, count in Counter(group.members).items():
        if count > 1:
            wrong.append(f"{printable(student)} stands twice in {name}")
        elif not fit_for_id(student):
            wrong.append(f"{printable(student)}, in {name}, cannot be the id of a student")
    return wrong


def require_known(course: Course, groups: Groups, roster: Collection[str]) -> None:
    """Check that everyone in a group is on the roster, and that no group is called like a student.

    Raises:
        GraderUsageError: somebody is not; the message names all of them.
    """
    wrong = [
        f"{printable(student)}, in {printable(group.name)}, is not on the roster: correct the id, or run "
        f"nbgrader db student add {printable(student)}"
        for group in groups.groups
        for student in group.members
        if student not in roster
    ]
    wrong += [
        f"{printable(group.name)} is the id of a student, too: call the group otherwise"
        for group in groups.groups
        if group.folder in roster
    ]
    _refuse(course, wrong)


def _refuse(course: Course, wrong: Sequence[str]) -> None:
    if wrong:
        raise GraderUsageError(f"{printable(str(course.root / GROUPS_FILE))}: {'; '.join(wrong)}")

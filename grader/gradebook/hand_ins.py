"""What a course has collected, where one student may have several hand-ins, or one counts for several.

Elsewhere `collected/a3/<student>` is what a student handed in last. Who hands in with others, or whose best
attempt counts, has `collected/a3/<student>+attempt1`, `+attempt2` and so on: every one is kept and marked
under that name, and which of them counts is decided afterwards (`counted`).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grader.gradebook import state
from grader.gradebook.course import Course
from grader.gradebook.groups import Groups
from grader.gradebook.hand_in_times import SECRET, TIMESTAMP
from grader.gradebook.late import BEST

_ATTEMPT = re.compile(r"(?P<owner>.+)\+attempt(?P<number>[1-9]\d*)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, order=True)
class HandIn:
    """Something that was handed in.

    Attributes:
        owner: the student, or the folder's name of a group, under whose name it came.
        number: 1 for the first attempt; 0 where attempts are not told apart.
        folder: where it lies.
    """

    owner: str
    number: int
    folder: Path

    @property
    def name(self) -> str:
        """Under which it is marked."""
        return self.folder.name


@dataclass(frozen=True)
class Sharing:
    """Of whom attempts are told apart.

    Attributes:
        groups: of the course.
        attempts: which attempt counts, `latest` or `best`.
        waiting: those of whom it is not known yet with whom they handed in.
    """

    groups: Groups = field(default_factory=Groups)
    attempts: str = ""
    waiting: Collection[str] = ()

    def concerns(self, owner: str, theirs: Iterable[HandIn]) -> bool:
        """Whether the hand-ins of a student or group are numbered; `theirs` are those that are there."""
        group = self.groups.of(owner)
        return (
            self.attempts == BEST
            or owner in self.waiting
            or (group is not None and len(group.members) > 1)
            or self.groups.by_folder(owner) is not None
            or any(one.number for one in theirs)
        )


def owner_of(name: str) -> str:
    """Whose a hand-in of this name is."""
    match = _ATTEMPT.fullmatch(name)
    return match["owner"] if match else name


def attempt(owner: str, number: int) -> str:
    """What an attempt is called."""
    return f"{owner}+attempt{number}"


def hand_ins(course: Course) -> dict[str, list[HandIn]]:
    """Everything in `collected/`, by owner, the first attempt first."""
    found: dict[str, list[HandIn]] = {}
    for path in course.collected.iterdir() if course.collected.is_dir() else ():
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            match = _ATTEMPT.fullmatch(path.name)
            one = HandIn(owner_of(path.name), int(match["number"]) if match else 0, path)
            found.setdefault(one.owner, []).append(one)
    return {owner: sorted(theirs) for owner, theirs in sorted(found.items())}


def take_in(course: Course, place: Path, owner: str, mates: Collection[str]) -> None:
    """Move a hand-in to the numbered ones of its owner; one that is there already only goes away.

    Args:
        course: the course.
        place: where it lies.
        owner: whose it is.
        mates: others of the group, for each of whom a platform may give out the same.
    """
    found = hand_ins(course)
    theirs = [one for one in found.get(owner, ()) if one.folder != place]
    for one in theirs:
        if not one.number:  # what was collected before attempts were told apart
            take_in(course, one.folder, owner, ())
            return take_in(course, place, owner, mates)
    content = _content(place)
    dated = (place / TIMESTAMP).is_file()
    compared = theirs if dated else theirs[-1:]  # without a time it may well be an old one once more
    for mate in mates:
        compared = [*compared, *found.get(mate, ())[-1:]]
    if any(_content(one.folder) == content for one in compared if one.folder != place):
        shutil.rmtree(place)
        return None
    number = max((one.number for one in theirs), default=0) + 1
    shutil.move(str(place), str(course.collected / attempt(owner, number)))
    return None


def _content(folder: Path) -> str:
    """A digest of all files in a folder, but the secret that nbgrader draws for each submission."""
    parts = []
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(place, name)
            if name != SECRET and (path.is_symlink() or path.is_file()):
                content = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
                parts += [os.fsencode(path.relative_to(folder)), content]
    return state.digest(*parts)

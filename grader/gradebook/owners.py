"""Whose is each hand-in of a learning platform's download?"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from grader.gradebook.course import ASSIGNMENT, fit_for_id
from grader.gradebook.groups import GROUPS_FILE, Groups
from grader.gradebook.hand_ins import attempt
from grader.gradebook.roster import LOOSE, Fit, Person, Roster
from grader.gradebook.written_names import DASH
from grader.submission.downloads import Entry
from grader.text import listed, printable


@dataclass(frozen=True)
class Owner:
    """Whose a hand-in is.

    Attributes:
        student: the id on the roster, the folder's name of a group, or an id that was made up; for an earlier
            attempt with its number.
        known: whether it is on the roster, or of a group.
        notes: what a person should look at.
    """

    student: str
    known: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Claim:
    """Whom a name points to, how loosely, and what to say about it."""

    person: Person | None
    level: int = 0
    notes: tuple[str, ...] = ()


def find_owners(
    names: Mapping[str, Entry | None], roster: Roster, groups: Groups | None = None
) -> dict[str, Owner]:
    """Whose each hand-in is: one student or group each, and every hand-in under an id of its own.

    Args:
        names: what lies in the download, each with what its name tells, or None for `ada.zip`.
        roster: the students of the course.
        groups: those of them who hand in together.
    """
    groups = groups or Groups()
    hidden = _hides_names(names)
    latest, earlier = _attempts(names)
    claims = {
        name: _with_groups(_claim(name, names[name], roster, hidden), name, names[name], groups)
        for name in latest
    }
    claims = _settled(claims)
    taken = {person.id for person in roster.people}
    owners: dict[str, Owner] = {}
    for name, claim in sorted(claims.items()):
        if claim.person is not None:
            owners[name] = Owner(claim.person.id, True, claim.notes)
        else:
            student = _made_up(name, names[name], taken)
            taken.add(student)
            owners[name] = Owner(student, False, claim.notes)
    for last, before in earlier.items():
        for number, name in enumerate(before, 1):
            owners[name] = Owner(attempt(owners[last].student, number), owners[last].known)
    return owners


def _attempts(names: Mapping[str, Entry | None]) -> tuple[list[str], dict[str, list[str]]]:
    """The names of what everyone handed in last, and for each their earlier ones, in order."""
    theirs: dict[tuple[str, ...], list[str]] = {}
    for name, entry in names.items():
        key = (name,) if entry is None else (entry.system, entry.student, entry.who)
        theirs.setdefault(key, []).append(name)
    earlier = {}
    for several in theirs.values():
        in_order = sorted(several, key=lambda name: (_time(names[name]), name))
        # Without times that differ, nobody says that one came before the other.
        if len({_time(names[name]) for name in several}) == len(several):
            earlier[in_order[-1]] = in_order[:-1]
        else:
            earlier |= {name: [] for name in several}
    return list(earlier), earlier


def _time(entry: Entry | None) -> tuple[int, ...]:
    return entry.hand_in if entry is not None else ()


def _hides_names(names: Mapping[str, Entry | None]) -> bool:
    """Whether Moodle calls everyone the same, `Participant` in the language of whoever downloads."""
    called = [entry.who for entry in names.values() if entry is not None and entry.system == "Moodle"]
    return len(set(called)) == 1 and (len(called) > 1 or len(called[0].split()) == 1)


def _claim(name: str, entry: Entry | None, roster: Roster, hidden: bool) -> _Claim:
    if entry is None:
        person = roster.by_id(name)
        return _Claim(person) if person else _by_name(name, roster.by_id_or_name(name))
    if entry.anonymous:
        return _Claim(
            None,
            notes=(
                "the platform hides names in this download: show names there and download again, or rename "
                f"collected/{ASSIGNMENT}/{entry.name} to the student's id",
            ),
        )
    numbered = roster.by_platform(entry.student)
    if entry.system == "Canvas":
        if numbered is not None:
            return _Claim(numbered)
        fit = roster.by_squashed_name(entry.who)
        # Who has another number there is somebody else.
        return _by_name(
            entry.who, Fit(tuple(one for one in fit.people if not one.platform.strip()), fit.level)
        )
    fit = roster.by_name(entry.who)
    if not fit.people:
        fit = roster.by_end_of_name(entry.who)
    if numbered is None:
        return _by_name(entry.who, fit)
    if entry.system == "Moodle" and hidden and not fit.people:
        return _Claim(numbered)
    if numbered in fit.people or (not fit.people and (entry.system != "Moodle" or not numbered.names)):
        return _Claim(numbered)
    # Moodle counts anew in every assignment: a number alone may be somebody else's.
    others = listed(person.id for person in fit.people) or "nobody's on the roster"
    return _Claim(
        None,
        notes=(
            f"the number {entry.student} is that of {numbered.id}, the name {printable(entry.who)} {others}: "
            "see whose it is, and rename the folder",
        ),
    )


def _with_groups(claim: _Claim, name: str, entry: Entry | None, groups: Groups) -> _Claim:
    """The claim of a group, where the platform names one; and what to say where it names another's."""
    if entry is not None and entry.anonymous:
        return claim
    who = entry.who if entry is not None else name
    group = groups.by_name(who)
    person = claim.person
    if person is None:
        return _Claim(Person(group.folder)) if group is not None and not claim.notes else claim
    if group is not None and entry is not None and entry.system != "Moodle":
        if person.id in group.members or person.id == group.folder:
            return claim
        return _Claim(
            None,
            notes=(
                f"{printable(who)} is the name of {printable(group.name)}, and the number {entry.student} "
                f"that of {person.id}, who is not in it by {GROUPS_FILE}: correct the file, or rename the "
                "folder",
            ),
        )
    # Moodle puts a group before the name.
    before = [found for at in DASH.finditer(who) if (found := groups.by_name(who[: at.start()]))]
    if entry is not None and entry.system == "Moodle" and before and person.id not in before[-1].members:
        note = f"is in {printable(before[-1].name)} for Moodle, and not by {GROUPS_FILE}, which counts"
        return _Claim(person, claim.level, (*claim.notes, note))
    return claim


def _by_name(name: str, fit: Fit) -> _Claim:
    if len(fit.people) == 1:
        person = fit.people[0]
        loose = (
            f"{printable(name)} was taken for {person.id}, whose name is alike: see whether that is right",
        )
        return _Claim(person, fit.level + 1, loose if fit.level >= LOOSE else ())
    if not fit.people:
        return _Claim(None)
    return _Claim(
        None,
        notes=(
            f"{printable(name)} could be {listed(person.id for person in fit.people)}: see whose it is, and "
            "rename the folder, or give each their lms_user_id on the roster",
        ),
    )


def _settled(claims: Mapping[str, _Claim]) -> dict[str, _Claim]:
    """One hand-in for each student: of several that claim one, the strictest, if it stands alone."""
    by_student: dict[str, list[str]] = defaultdict(list)
    for name, claim in claims.items():
        if claim.person is not None:
            by_student[claim.person.id].append(name)
    settled = dict(claims)
    for student, names in by_student.items():
        if len(names) == 1:
            continue
        best = min(claims[name].level for name in names)
        first = [name for name in names if claims[name].level == best]
        for name in names:
            if first != [name]:
                others = listed(other for other in names if other != name)
                note = (
                    f"could be {student}'s, and so could {others}: see whose each is, and rename the folder"
                )
                settled[name] = _Claim(None, notes=(note,))
    return settled


def _made_up(name: str, entry: Entry | None, taken: set[str]) -> str:
    """An id for somebody whom the roster does not know."""
    text = unicodedata.normalize("NFC", entry.name if entry else name)
    student = re.sub(r"[^\w.@+-]+", "-", text).strip("-.+")[:70] or "unknown"
    if student in taken or not fit_for_id(student):
        student = f"{student}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"
    return student

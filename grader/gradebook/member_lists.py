"""Who worked together, as a hand-in itself says: in a file of members, or in the notebook's first cell.

A student wrote it, so it proposes and decides nothing: everybody named waits until a person has put the group
into `groups.csv`, or the student alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.files import read_regular
from grader.gradebook.groups import GROUPS_FILE, Groups
from grader.gradebook.hand_ins import HandIn
from grader.gradebook.handed_in import BrokenNotebook, decoded, find_notebooks, read_notebook
from grader.gradebook.list_names import MAX_BYTES, is_member_list
from grader.gradebook.roster import LOOSE, Person, Roster
from grader.submission.names import is_clutter
from grader.text import listed, printable

_BETWEEN = re.compile(r"[,;\t|&/()<>]|\s+(?:and|und|en|et|y|with)\s+")
_LINE = re.compile(
    r"(?im)^[\W_]*(?:(?:group|team)(?: ?members| ?mates)?|members|names?|students?|authors?|partners?|"
    r"worked with|together with)\b[^:\n]{0,40}:(.+)$"
)
_LABEL = re.compile(r"(?i)^(?:group|team|members?|names?|students?|authors?)[^:,;]{0,30}:")
_HEAD = re.compile(
    r"(?i)(?:our |the )?(?:groups?|teams?|members?|names?|(?:first|last) ?names?|students?|ids?|"
    r"student (?:ids?|numbers?|names?)|numbers?|e-?mails?|authors?)(?: ?(?:members?|name|no\.?|number))?"
    r"[ :]*[\d#]*"
)


@dataclass(frozen=True)
class Listing:
    """Who is named in a hand-in.

    Attributes:
        place: the file, or the cell.
        students: ids on the roster, without whoever handed it in.
        unknown: what nobody on the roster is called.
    """

    place: str
    students: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def find_listings(one: HandIn, roster: Roster) -> list[Listing]:
    """Every list of members in a hand-in that names somebody else."""
    found = []
    for path in sorted((*one.folder.glob("*"), *one.folder.glob("*/*"))):
        if not is_member_list(path.name) or is_clutter(path.name) or path.is_symlink() or path.is_dir():
            continue
        place = printable(path.relative_to(one.folder).as_posix())
        try:
            text, _ = decoded(read_regular(path, MAX_BYTES))
        except OSError:
            continue  # too long for a list; it is shown as a report
        found.append(_listing(place, text, one.owner, roster))
    for path in find_notebooks(one.folder):
        try:
            cells = read_notebook(path).cells
        except BrokenNotebook as error:
            cells = error.cells
        lines = _LINE.findall(cells[0].source) if cells else []
        listing = _listing(
            f"the first cell of {printable(path.relative_to(one.folder).as_posix())}",
            "\n".join(lines),
            one.owner,
            roster,
        )
        found.append(Listing(listing.place, listing.students))
    return [listing for listing in found if listing.students or listing.unknown]


def _listing(place: str, text: str, owner: str, roster: Roster) -> Listing:
    students, unknown = dict[str, None](), dict[str, None]()
    for line in text.replace("\0", "").splitlines():
        line = re.sub(r"^[\s*•\-#>\d.)]*(?=[^\W\d])", "", line).strip()
        line = _LABEL.sub("", line).strip()
        pieces = [piece.strip(" \t\"'`*_.") for piece in _BETWEEN.split(line)]
        people = [person for piece in (line, *pieces) if (person := _person(piece, roster))]
        students |= dict.fromkeys(person.id for person in people)
        if not people:
            names = (piece for piece in pieces if re.search(r"[^\W\d_]", piece))
            unknown |= dict.fromkeys(name for name in names if not _HEAD.fullmatch(name))
    students.pop(owner, None)
    return Listing(place, tuple(students), tuple(unknown))


def _person(text: str, roster: Roster) -> Person | None:
    if not text:
        return None
    emailed = [one for one in roster.people if one.email and one.email.casefold() == text.casefold()]
    fit = roster.by_name(text)
    named = fit.people if fit.level < LOOSE else ()
    found = roster.by_id(text)
    people = [found] if found else emailed or named
    return people[0] if len(people) == 1 else None


@dataclass(frozen=True)
class Proposals:
    """What lists of members ask for.

    Attributes:
        waiting: by student, why they wait for a person.
        notes: by student, what else to say of a list.
    """

    waiting: dict[str, str]
    notes: dict[str, list[str]]


def propose(hand_ins: dict[str, list[HandIn]], roster: Roster, groups: Groups) -> Proposals:
    """Compare the lists in what was handed in last with the course's groups."""
    waiting: dict[str, str] = {}
    notes: dict[str, list[str]] = {}
    for owner, theirs in hand_ins.items():
        group = groups.of(owner) or groups.by_folder(owner)
        for listing in find_listings(theirs[-1], roster):
            if listing.unknown:
                notes.setdefault(owner, []).append(
                    f"{listing.place} names {listed(map(printable, listing.unknown))}, whom nobody on the "
                    "roster is called"
                )
            if group is not None:
                others = [student for student in listing.students if student not in group.members]
                if others:
                    notes.setdefault(owner, []).append(
                        f"{listing.place} names {listed(others)}, not of {printable(group.name)}: "
                        f"{GROUPS_FILE} counts"
                    )
            elif listing.students:
                reason = (
                    f"{listing.place} of {owner} names {listed(listing.students)}: put the group into "
                    f"{GROUPS_FILE}, or {owner} alone in a group of one"
                )
                for student in (owner, *listing.students):
                    if groups.of(student) is None:
                        waiting.setdefault(student, reason)
    return Proposals(waiting, notes)

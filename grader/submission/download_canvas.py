"""Canvas: `doejane_LATE_12345_6789_answer-1.zip`, and `LATE_anon_Qq7r8_6789_answer.zip` where it hides names.

Canvas itself takes the first two numbers between underscores for the student's and the file's
(`infer_comment_context_from_filename` in its `app/models/assignment.rb`, as remembered), and writes names so
that there is none before them, except at the end: the group `group 12` is `group_12_904_55004_utils.py`.
Three numbers in a row may thus begin with a group's, or end with the student's own. What lies beside tells
which. What was typed into Canvas is no file and has no number of its own: `doejane_12345_text.html`, or
`doejane_12345_link.html` (`lib/content_zipper.rb`, as remembered).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import log

from grader.submission.download_entry import Entry
from grader.submission.model import NAMED_FILES

_TYPED = ("text.html", "link.html")
_FILE = rf"(?:(?P<upload>\d+)_(?P<file>.+)|(?P<typed>{'|'.join(map(re.escape, _TYPED))}))"
_NAMED = re.compile(rf"(?P<who>.+?)_(?P<late>LATE_)?(?P<id>\d+)_{_FILE}", re.DOTALL | re.ASCII)
_ANONYMOUS = re.compile(rf"(?P<late>LATE_)?anon_(?P<id>[A-Za-z0-9]{{5}})_{_FILE}", re.DOTALL | re.ASCII)
_THIRD = re.compile(r"(?P<upload>\d+)_(?P<file>.+)", re.DOTALL | re.ASCII)
_GROUPS = re.compile(r"(?:group|groupe|gruppe|groep|grupo|gruppo|team)s?", re.IGNORECASE)
_COPY = re.compile(r"(?P<stem>.+?)-(?P<number>\d{1,3})(?P<suffix>\.[^.]+|\.tar\.gz)?")
_SINGLE = frozenset(name.rpartition("/")[2] for name in NAMED_FILES)


@dataclass(frozen=True)
class _Reading:
    """One way to read a name."""

    who: str
    student: int | str
    upload: int
    file: str

    def entry(self, digits: str, late: bool, anonymous: bool = False) -> Entry:
        # A second upload of `answer.zip` is called `answer-1.zip`.
        file, number = self.file, 0
        copy = _COPY.fullmatch(file)
        if copy is not None:
            file, number = copy["stem"] + (copy["suffix"] or ""), int(copy["number"])
        named = f"{self.who}_{digits}"
        order = (self.upload, number)
        return Entry("Canvas", digits, named, file, order=order, anonymous=anonymous, late=late)


def canvas_entries(names: Iterable[str]) -> dict[str, Entry]:
    """What the names of one download by Canvas tell, without those of any other origin."""
    names = list(names)
    hidden = {name: match for name in names if (match := _ANONYMOUS.fullmatch(name))}
    named = {name: match for name in names if (match := _NAMED.fullmatch(name))}
    # A whole download hides its names, or none of it: `anon_group_904_55004_x.zip` could be a group's.
    if named.keys() - hidden.keys() and not hidden.keys() - named.keys():
        hidden = {}
    entries = {}
    for name, match in hidden.items():
        if match["typed"]:
            entries[name] = _typed("anon", match["id"], match["typed"], match, anonymous=True)
            continue
        reading = _Reading("anon", match["id"], int(match["upload"]), match["file"])
        entries[name] = reading.entry(match["id"], late=bool(match["late"]), anonymous=True)
    rest = {name: match for name, match in named.items() if name not in hidden and not match["typed"]}
    for name, match in named.items():
        if name not in entries and match["typed"]:
            entries[name] = _typed(match["who"], match["id"], match["typed"], match)
        elif name in rest and _is_typed_by_group(match, rest.values()):
            who = f"{match['who']}_{match['id']}"
            entries[name] = _typed(who, match["upload"], match["file"], match)
            del rest[name]
    groups = _of_groups(rest)
    for name, match in rest.items():
        who, digits, upload, file = match["who"], match["id"], match["upload"], match["file"]
        if name in groups:
            third = groups[name]
            who, digits, upload, file = f"{who}_{digits}", upload, third["upload"], third["file"]
        entries[name] = _Reading(who, int(digits), int(upload), file).entry(digits, late=bool(match["late"]))
    return entries


def _typed(who: str, digits: str, file: str, match: re.Match, anonymous: bool = False) -> Entry:
    late = bool(match["late"])
    return Entry("Canvas", digits, f"{who}_{digits}", file, anonymous=anonymous, late=late, typed=True)


def _is_typed_by_group(match: re.Match, others: Collection[re.Match]) -> bool:
    """Whether `group_12_904_text.html` is what the group 12 typed, and not a file of the group 904's."""
    if match["file"] not in _TYPED or not _ends_as_group(match["who"]):
        return False
    return [(other["who"], other["id"]) for other in others].count((match["who"], match["id"])) == 1


def _ends_as_group(who: str) -> bool:
    return _GROUPS.fullmatch(re.split(r"[_-]", who)[-1]) is not None


def _of_groups(named: dict[str, re.Match]) -> dict[str, re.Match]:
    """The names whose first number belongs to a group's name, each with what stands behind the second."""
    thirds = {
        name: third
        for name, match in named.items()
        if not match["late"] and (third := _THIRD.fullmatch(match["file"]))
    }
    if not thirds:
        return {}
    beside: dict[tuple[str, str], list[str]] = defaultdict(list)  # name and first number -> second numbers
    numbers: dict[str, set[str]] = defaultdict(set)  # name -> first numbers
    for match in named.values():
        beside[match["who"], match["id"]].append(match["upload"])
        numbers[match["who"]].add(match["id"])
    undoubted = [match for name, match in named.items() if name not in thirds]
    plain = {match["who"] for match in undoubted}
    groups = {}
    for name, third in thirds.items():
        match = named[name]
        seconds = Counter(beside[match["who"], match["id"]])
        if len(beside[match["who"], match["id"]]) > 1:
            # Every file has a number of its own: one that comes twice is not a file's.
            group = seconds[match["upload"]] > 1
        elif match["who"] not in plain and len(numbers[match["who"]]) > 1:
            group = True  # group_1 and group_2, not two students of one name
        elif undoubted:
            group = _nearer(match, third, undoubted)
        else:
            group = _ends_as_group(match["who"]) or (
                third["file"] in _SINGLE and int(third["upload"]) > int(match["upload"])
            )
        if group:
            groups[name] = third
    return groups


def _nearer(match: re.Match, third: re.Match, undoubted: Sequence[re.Match]) -> bool:
    """Whether second and third number are more like the others' students and files than first and second."""
    students = [int(other["id"]) for other in undoubted]
    uploads = [int(other["upload"]) for other in undoubted]

    def distance(student: str, upload: str) -> float:
        return _far(int(student), students) + _far(int(upload), uploads)

    return distance(match["upload"], third["upload"]) < distance(match["id"], match["upload"])


def _far(number: int, others: Iterable[int]) -> float:
    return min(abs(log(number + 1) - log(other + 1)) for other in others)

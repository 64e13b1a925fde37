"""Who put a hand-in into the exchange, where every account can write under any student's name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader.gradebook import state
from grader.gradebook.access import account
from grader.gradebook.course import Course

WAITING = "waiting.json"  # student -> what others have put into the exchange under their name, a line each
SLACK = timedelta(minutes=10)  # between clocks, and between the time a hand-in notes and its last file


@dataclass(frozen=True)
class Sent:
    """A hand-in in the exchange.

    Attributes:
        name: of its folder.
        right: when it was handed in, by its name; UTC, without a time zone.
        misread: what an earlier version took that for.
        sender: the number of the account that its folder belongs to.
    """

    name: str
    right: datetime
    misread: datetime | None
    sender: int


def is_own(course: Course, student: str, sender: int) -> bool:
    """Whether a hand-in is the student's own, or put there for them: by us, the course's owner, root."""
    return account(sender) == student or sender in (os.geteuid(), course.root.stat().st_uid, 0)


def eligible(course: Course, student: str, theirs: Iterable[Sent]) -> list[Sent]:
    """The hand-ins of which one may count, in order: the student's own, or all where none is."""
    in_order = sorted(theirs, key=lambda one: one.right)
    return [one for one in in_order if is_own(course, student, one.sender)] or in_order


def about_sender(course: Course, student: str, sender: int) -> list[str]:
    """What to say of what counts, where somebody else has handed it in."""
    if is_own(course, student, sender):
        return []
    return [f"was put into the exchange by account {account(sender)}, not by {student}: ask both"]


def in_future(moment: datetime, now: datetime) -> bool:
    """Whether a time has not come yet, by more than clocks differ."""
    return moment > now + SLACK


def note_waiting(course: Course, student: str, others: Iterable[Sent], now: datetime) -> str:
    """What to say of hand-ins that others have put beside the student's own, a line each."""
    return "\n".join(
        f"account {account(one.sender)} has put another hand-in into the exchange under this name, of "
        f"{one.right:%Y-%m-%d %H:%M} UTC{', which has not come yet' if in_future(one.right, now) else ''}; "
        f"{student}'s own counts, that one was left there: ask both, and remove it from inbound, or put it "
        f"into submitted/{student} if it is to count"
        for one in others
    )


def collected_notes(course: Course) -> dict[str, list[str]]:
    """What a person should look at in what came from the exchange, by student."""
    notes: dict[str, list[str]] = {}
    for table in (state.COLLECTED, WAITING):
        for student, text in state.load(course, table).items():
            notes.setdefault(student, []).extend(text.splitlines())
    return notes

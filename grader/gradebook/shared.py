"""Finds, before marking, whose hand-ins count for several, or are several: see `hand_ins` and `counted`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from grader.gradebook import state
from grader.gradebook.counted import Candidates, candidates
from grader.gradebook.groups import Groups, read_groups, require_known
from grader.gradebook.hand_ins import Sharing, hand_ins
from grader.gradebook.member_lists import Proposals, propose
from grader.gradebook.prepare import number_attempts
from grader.gradebook.roster import Person, Roster

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

    from grader.gradebook.course import Course


@dataclass(frozen=True)
class Shared:
    """Those whose hand-ins are numbered.

    Attributes:
        everyone: who has which hand-ins.
        proposals: what lists of members in hand-ins ask for.
    """

    everyone: list[Candidates] = field(default_factory=list)
    proposals: Proposals = field(default_factory=lambda: Proposals({}, {}))

    @property
    def students(self) -> list[str]:
        """All for whom one of the hand-ins counts."""
        return [student for one in self.everyone for student in one.students]

    @property
    def marked(self) -> list[str]:
        """The names under which the hand-ins are marked."""
        return [hand_in.name for one in self.everyone for hand_in in one.hand_ins]


def groups_of(course: Course, gradebook: Gradebook) -> Groups:
    """The groups of a course, all of whose students are known.

    Raises:
        GraderUsageError: `groups.csv` is wrong.
    """
    groups = read_groups(course)
    roster = {student.id for student in gradebook.students}
    if not roster <= state.load(course, state.ROSTER).keys():  # else there is none that anybody has made
        require_known(course, groups, roster)
    return groups


def find_shared(course: Course, gradebook: Gradebook, sharing: Sharing) -> Shared:
    """Find all whose hand-ins are numbered, and number those that a list of members ties to others."""
    found = hand_ins(course)
    people = {
        one.id: Person(one.id, one.first_name or "", one.last_name or "", one.email or "")
        for one in gradebook.students
    }
    roster = Roster([*people.values(), *(Person(owner) for owner in found if owner not in people)])
    proposals = propose(found, roster, sharing.groups)
    state.save(course, state.PROPOSED, proposals.waiting)
    number_attempts(course, replace(sharing, waiting=proposals.waiting))
    return Shared(candidates(course, sharing.groups), proposals)

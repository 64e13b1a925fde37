"""What one marker sees of the others' marks.

Never those of an answer that waits for their own blind second reading. The others where the course's settings
say so; an instructor who is named there sees them in any case.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from sqlalchemy import Connection

from grader.desk.grades import Standing
from grader.desk.history import Entry, Place
from grader.desk.seconds import is_chosen, seconds_of
from grader.desk.settings import Settings


@dataclass(frozen=True)
class Sight:
    """What somebody may see.

    Attributes:
        marker: who.
        settings: the course's choices.
        read_twice: the answers that have had their second reading.
    """

    marker: str
    settings: Settings
    read_twice: Set[Place]

    @property
    def everyones(self) -> bool:
        """Whether others' marks are shown at all."""
        return self.settings.marks_shown or self.marker in self.settings.instructors

    def reads_second(self, one: Standing) -> bool:
        """Whether an answer waits for this marker's blind second reading."""
        return (
            one.mark is not None
            and not one.waits
            and one.mark.marker != self.marker
            and self._is_to_be_read_twice((one.student, one.cell))
        )

    def sees(self, one: Standing) -> bool:
        """Whether they see what an answer has been given."""
        if self.reads_second(one):
            return False
        return self.everyones or one.mark is None or one.mark.marker == self.marker

    def may_mark(self, one: Standing, changed: bool) -> bool:
        """Whether an answer is theirs to mark: whoever cannot see a mark does not write over it.

        Args:
            one: the answer.
            changed: whether it is another one than that which was marked.
        """
        return one.waits or changed or self.sees(one)

    def concerns(self, entry: Entry) -> bool:
        """Whether an entry of the history is shown to them."""
        if self.everyones or not entry.student or entry.marker == self.marker:
            return True
        marks = (state.get("mark") for state in (entry.before, entry.after))
        return any(mark and mark["marker"] == self.marker for mark in marks)

    def sees_points(self, entry: Entry, one: Standing | None) -> bool:
        """Whether they see the points of an entry of the history.

        Args:
            entry: of an answer.
            one: how the answer stands now; None where it is gone.
        """
        if one is None:
            return True
        if one.mark is not None:
            return not self.reads_second(one)
        # Taken back: whoever marks it next, this marker may be the one who reads it second.
        mine = entry.marker == self.marker
        return mine or not self._is_to_be_read_twice((one.student, one.cell))

    def _is_to_be_read_twice(self, place: Place) -> bool:
        return is_chosen(place, self.settings.second_share) and place not in self.read_twice


def sight_of(connection: Connection, settings: Settings, marker: str, cell: str | None = None) -> Sight:
    """What somebody may see of a question's marks, or of all."""
    return Sight(marker, settings, seconds_of(connection, cell).keys())

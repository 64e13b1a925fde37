"""What the name of a file or folder in a learning platform's download tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Entry:
    """What the name of a file or folder in a download tells.

    Attributes:
        system: `Canvas`, `Moodle` or `Brightspace`.
        student: the student's id there.
        name: what to call the submission: the student's name and id.
        file: the name under which the student handed it in; empty for a folder of files.
        hand_in: when it was handed in (year, month, day, hour, minute), where the name tells; files of the
            same time belong together.
        order: tells the later of two files of one hand-in.
        anonymous: whether the platform hides whose it is.
        late: whether the name says that it came late.
        typed: whether it was typed into Canvas, as a text or a link: no file, and none is taken back for it.
    """

    system: str
    student: str
    name: str
    file: str
    hand_in: tuple[int, ...] = ()
    order: tuple[int, ...] = ()
    anonymous: bool = False
    late: bool = False
    typed: bool = False

    @property
    def who(self) -> str:
        """The student's name, as the system writes it."""
        return self.name.removesuffix(f"_{self.student}")

    @property
    def time(self) -> datetime | None:
        """When it was handed in, on the system's clock; None where the name does not tell, or nonsense."""
        try:
            year, month, day, hour, minute = self.hand_in
            return datetime(year, month, day, hour, minute)
        except ValueError:
            return None

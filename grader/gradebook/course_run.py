"""What every run in a course begins with: the right to write there, the folder's umask, and the lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from grader.errors import GraderUsageError
from grader.gradebook.access import exposures, share_database, umask_of, unwritable
from grader.gradebook.course import Course, inside
from grader.gradebook.course_lock import only_run
from grader.gradebook.progress import say

if TYPE_CHECKING:
    from traitlets.config import Config


@contextmanager
def course_run(course: Course) -> Iterator[Config]:
    """nbgrader's configuration of a course, for the only run in it, which may write all that it has to.

    Raises:
        GraderUsageError: another run is in the course, this account cannot write something there, or the
            configuration cannot be read or is another course's.
    """
    denied = unwritable(course)
    if denied:
        more = f" ({len(denied) - 1} more: python -m grader doctor --course DIR)" if denied[1:] else ""
        raise GraderUsageError(f"{denied[0]}{more}; nothing was changed")
    with umask_of(course), only_run(course), inside(course) as config:
        share_database(course)
        for line in exposures(course, config):
            say(f"WARNING: {line}")
        yield config
        share_database(course)

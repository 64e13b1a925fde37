"""A course on disk: where everything lies, and how nbgrader is let into it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import GraderUsageError
from grader.submission.layout import is_part, misspelt_parts
from grader.submission.names import is_clutter, safe_name
from grader.text import printable

if TYPE_CHECKING:
    from traitlets.config import Config

ASSIGNMENT = "a3"
NOTEBOOK = "report"
CONFIG_FILE = "nbgrader_config.py"
POLICY_FILE = "late.toml"
REPOSITORY = Path(__file__).resolve().parents[2]

# What nbgrader and a file system both take for a folder's name: no separators, no glob, no hidden names.
_STUDENT_ID = re.compile(r"[\w@][\w.@+-]{0,79}")
# Folder names that the grader never takes for a submission.
_RESERVED_IDS = frozenset(
    {"figures", "lightning_logs", "checkpoints", "lost+found", "marks.csv", "index.html", "run.json"}
)


@dataclass(frozen=True)
class Course:
    """The folders of a course.

    Attributes:
        root: holds `nbgrader_config.py`, and all the rest.
    """

    root: Path

    @property
    def source(self) -> Path:
        """What `nbgrader generate_assignment` makes the release of."""
        return self.root / "source" / ASSIGNMENT

    @property
    def release(self) -> Path:
        """What students get."""
        return self.root / "release" / ASSIGNMENT

    @property
    def collected(self) -> Path:
        """Submissions as they came, a folder each."""
        return self.root / "collected" / ASSIGNMENT

    @property
    def results(self) -> Path:
        """The results of the grader: `grading/<student>/results.json`."""
        return self.root / "grading"

    @property
    def policy(self) -> Path:
        """The deadline and what lateness costs."""
        return self.root / POLICY_FILE

    @property
    def state(self) -> Path:
        """What one run has to know of the last."""
        return self.root / "state"

    def submitted(self, student: str) -> Path:
        """A student's submission as nbgrader sees it."""
        return self.root / "submitted" / student / ASSIGNMENT

    def autograded(self, student: str) -> Path:
        """A student's submission with its marks."""
        return self.root / "autograded" / student / ASSIGNMENT

    def feedback(self, student: str) -> Path:
        """The folder of a student's feedback page."""
        return self.root / "feedback" / student / ASSIGNMENT

    @property
    def released_notebook(self) -> Path:
        """The notebook that every submission's is rebuilt from."""
        return self.release / f"{NOTEBOOK}.ipynb"


def require_release(course: Course) -> None:
    """Check that the assignment was generated.

    Raises:
        GraderUsageError: it was not.
    """
    if not course.released_notebook.is_file():
        raise GraderUsageError(
            f"{printable(str(course.released_notebook))}: there is no released notebook yet; "
            f"run in the course's folder: nbgrader generate_assignment {ASSIGNMENT}"
        )


def fit_for_id(student: str) -> bool:
    """Whether nbgrader and the grader can both work with a folder of this name."""
    return (
        _STUDENT_ID.fullmatch(student) is not None
        and safe_name(student) == student
        and not is_clutter(student)
        and student.lower() not in _RESERVED_IDS
        and not misspelt_parts([student])
        and not is_part(student)
    )


@contextmanager
def inside(course: Course) -> Iterator[Config]:
    """nbgrader's configuration of a course, with the course as the working directory.

    Raises:
        GraderUsageError: the configuration cannot be read, or is that of another course.
    """
    from nbgrader.apps.baseapp import NbGrader

    before = os.getcwd()
    os.chdir(course.root)
    try:
        app = NbGrader()
        app.raise_config_file_errors = True
        try:
            app.load_config_file()
        except Exception as error:
            raise GraderUsageError(
                f"{printable(str(course.root / CONFIG_FILE))}: cannot be read: {printable(str(error))}"
            ) from error
        _set_root(course, app.config)
        yield app.config
    finally:
        os.chdir(before)


def _set_root(course: Course, config: Config) -> None:
    """Let nbgrader work in the course that was named, and in no other.

    Formgrader on a hub wants `CourseDirectory.root` in the configuration of the account's home. A course
    whose own configuration does not set it would be marked into that one's gradebook.
    """
    root = config.CourseDirectory.get("root")
    if isinstance(root, str) and os.path.realpath(root) != os.path.realpath(course.root):
        raise GraderUsageError(
            f"{printable(str(course.root))}: nbgrader's configuration puts the course somewhere else, into "
            f"{printable(os.path.abspath(root))} (CourseDirectory.root, perhaps in the jupyter folder of "
            f"your home); set it in {printable(str(course.root / CONFIG_FILE))}: "
            f"c.CourseDirectory.root = {str(course.root)!r}"
        )
    config.CourseDirectory.root = str(course.root)


@dataclass(frozen=True)
class NewCourse:
    """How a new course is to be set up.

    Attributes:
        course_id: nbgrader's name for it.
        exchange: the folder that students fetch from and submit to; outside the course.
        db_url: the gradebook; by default SQLite, in the course's folder.
        timezone: in which deadlines are written and times are shown.
        group: the accounts that share the course; by default it is its owner's alone.
    """

    course_id: str
    exchange: Path
    db_url: str | None = None
    timezone: str = "Europe/Amsterdam"
    group: str | None = None


def course_of_results(output: Path) -> Course | None:
    """The course that a folder of results belongs to; None where it belongs to none."""
    real = Path(os.path.realpath(output))
    course = Course(real.parent)
    return course if course.results == real and (course.root / CONFIG_FILE).is_file() else None

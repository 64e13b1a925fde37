"""A course on disk: where everything lies, and how a new one is made."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import GraderUsageError
from grader.submission.layout import is_part, misspelt_parts
from grader.submission.names import is_clutter, printable, safe_name

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


def open_course(folder: Path) -> Course:
    """The course in a folder.

    Raises:
        GraderUsageError: there is none.
    """
    root = Path(os.path.abspath(folder))
    if root.is_dir() and not os.access(root, os.X_OK):
        from grader.gradebook.access import closed_to_us

        raise GraderUsageError(closed_to_us(root))
    if not (root / CONFIG_FILE).is_file():
        raise GraderUsageError(
            f"{printable(str(folder))}: is not a course, it holds no {CONFIG_FILE}; "
            f"make one: python -m grader course init {printable(str(folder))}"
        )
    return Course(root)


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


def initialise(root: Path, new: NewCourse) -> Course:
    """Make a course in a new or empty folder.

    Raises:
        GraderUsageError: the folder holds something, an option is not valid, or it cannot be written.
    """
    from grader.gradebook import access
    from grader.gradebook.nbgrader_settings import config_text, policy_text

    course = Course(Path(os.path.abspath(root)))
    shown = printable(str(root))
    if not re.fullmatch(r"\w[\w.-]*", new.course_id):
        raise GraderUsageError(
            f"--course-id {printable(new.course_id)}: letters, digits, '.', '-' and '_' only"
        )
    _check_timezone(new.timezone)
    exchange = Path(os.path.abspath(new.exchange))
    if exchange == course.root or course.root in exchange.parents:
        raise GraderUsageError(
            f"--exchange {printable(str(new.exchange))}: is in the course, which students cannot enter; "
            "give a folder outside it"
        )
    staff = access.staff_group(new.group) if new.group is not None else None
    if course.root.exists() and (not course.root.is_dir() or any(course.root.iterdir())):
        raise GraderUsageError(f"{shown}: is not an empty folder; give a new one")
    source = _source()
    with _all_or_nothing(course.root, exchange / new.course_id):
        try:
            course.root.mkdir(mode=access.PRIVATE, parents=True, exist_ok=True)
            access.make_private(course.root, staff)
            with access.umask_of(course):
                _write_source(course, source)
                course.state.mkdir()
                (course.state / "seed").write_text(f"{secrets.randbits(48)}\n")
                course.policy.write_text(policy_text(new.timezone), encoding="utf-8")
                if staff is not None and new.db_url is None:
                    (
                        course.root / access.DATABASE
                    ).touch()  # nbgrader would make it for its own account alone
                access.make_exchange(exchange, new.course_id, staff)
                # What makes the folder a course comes last.
                (course.root / CONFIG_FILE).write_text(config_text(new, REPOSITORY), encoding="utf-8")
        except OSError as error:
            where = printable(str(error.filename or root))
            raise GraderUsageError(f"{where}: cannot make the course: {error.strerror}") from error
    return course


@contextmanager
def _all_or_nothing(root: Path, exchange: Path) -> Iterator[None]:
    """If it does not come to its end, take away what was made: the course, folders that were not there."""
    missing = [one for folder in (root, exchange) for one in (folder, *folder.parents) if not one.exists()]
    try:
        yield
    except BaseException:
        for made in list(root.iterdir()) if root.is_dir() else ():
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        for folder in missing:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def update(course: Course) -> None:
    """Write the assignment's source anew, after a change of the kit: of points, questions or stubs.

    Raises:
        GraderUsageError: the kit contradicts its rubric or questions, or the source cannot be written.
    """
    from grader.gradebook.releases import remember_release

    source = _source()
    try:
        remember_release(course)
        _write_source(course, source)
    except OSError as error:
        where = printable(str(error.filename or course.source))
        raise GraderUsageError(f"{where}: cannot be written: {error.strerror}") from error


def _source() -> dict[str, bytes]:
    """The files that nbgrader makes the release of: the stubs, and the notebook.

    Raises:
        GraderUsageError: the kit contradicts its rubric or questions, or a file of it cannot be read.
    """
    from grader.release.manifest import ContradictionError, require_agreement
    from grader.release.notebook import notebook_text

    student = REPOSITORY / "student"
    try:
        require_agreement()
        files = {
            path.relative_to(student).as_posix(): path.read_bytes()
            for path in sorted(student.rglob("*"))
            if path.is_file()
            and path.suffix != ".ipynb"
            and not any(is_clutter(part) for part in path.relative_to(student).parts)
        }
    except ContradictionError as error:
        first, *others = error.lines
        more = f" ({len(others)} more: make manifest names them)" if others else ""
        raise GraderUsageError(
            f"nothing was written, since the kit contradicts its rubric.toml or questions.toml: {first}{more}"
        ) from error
    except OSError as error:
        raise GraderUsageError(
            f"{printable(str(error.filename))}: cannot be read: {error.strerror}"
        ) from error
    return {**files, f"{NOTEBOOK}.ipynb": notebook_text().encode()}


def _write_source(course: Course, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = course.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _check_timezone(name: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise GraderUsageError(f"--timezone {printable(name)}: is not the name of a time zone") from error
    except KeyError as error:
        raise GraderUsageError(
            f"--timezone {printable(name)}: there is no such time zone; an example is Europe/Amsterdam"
        ) from error

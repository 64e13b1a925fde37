"""nbgrader's own steps, one student at a time: collect, autograde, feedback.

They run in this process: each start of nbgrader's command takes 2 s, a student 0.3 s.
"""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import nbformat
import traitlets.log
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.auth import Authenticator
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from grader.errors import GraderFault
from grader.gradebook.collect import Collect
from grader.gradebook.course import ASSIGNMENT, NOTEBOOK, Course
from grader.text import printable

LOG = "nbgrader.log"
ENTERING = "state/entering"  # where nbgrader makes what is to lie in autograded/


@dataclass(frozen=True)
class Standing:
    """What a grade was before nbgrader graded again.

    Attributes:
        manual: the points that a person gave.
        automatic: those that nbgrader gave.
        settled: whether nobody was asked to look at it.
    """

    manual: float | None
    automatic: float | None
    settled: bool


class NbGraderFault(GraderFault):
    """nbgrader could not do a step; the message says for whom and why."""


def course_directory(config: Config) -> CourseDirectory:
    """nbgrader's view of the course in the working directory."""
    return CourseDirectory(config=config)


@contextmanager
def open_gradebook(config: Config) -> Iterator[Gradebook]:
    """The course's gradebook.

    Raises:
        GraderFault: the database cannot be used.
    """
    from sqlalchemy.exc import SQLAlchemyError

    directory = course_directory(config)
    try:
        gradebook = Gradebook(directory.db_url, directory.course_id or "default_course")
    except (SQLAlchemyError, ImportError) as error:
        raise GraderFault(
            f"the gradebook at {_without_password(directory.db_url)} cannot be opened: "
            f"{printable(str(error).splitlines()[0], 200)}; see db_url in nbgrader_config.py"
        ) from error
    with gradebook:
        yield gradebook


@contextmanager
def logged(course: Course) -> Iterator[Path]:
    """Let nbgrader write its log into a file, and nothing on the terminal."""
    path = course.state / LOG
    course.state.mkdir(exist_ok=True)
    log = cast(logging.Logger, traitlets.log.get_logger())
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    before, level, propagate = log.handlers[:], log.level, log.propagate
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # of nbgrader's own making, and without consequence
            yield path
    finally:
        log.handlers[:] = before
        log.setLevel(level)
        log.propagate = propagate
        handler.close()


def collect(course: Course, config: Config) -> tuple[list[str], list[str]]:
    """Fetch from the exchange what was handed in since the last time.

    What a person should look at in a submission is kept in the course's state until the student's next one.

    Returns:
        Remarks about what was left there, or that there is nothing to fetch from; and what should have been
        collected and was not.
    """
    directory = course_directory(config)
    directory.assignment_id = ASSIGNMENT
    collector = Collect(coursedir=directory, authenticator=Authenticator(config=config), config=config)
    collector.update = True
    try:
        collector.start()
    except (ExchangeError, OSError) as error:
        text = f"nothing was collected from the exchange: {printable(str(error), 200)}"
        if _never_released(Path(collector.root, directory.course_id)):
            return [text], []
        return [], [f"{text}; what is marked is what was there before"]
    return collector.remarks, collector.faults


def _never_released(place: Path) -> bool:
    """Whether a course has nothing in the exchange that students could have handed in to: for certain."""
    try:
        (place / "inbound").stat()
    except FileNotFoundError:
        return True
    except OSError:  # it may well be there
        return False
    return False


def autograde(course: Course, config: Config, student: str) -> None:
    """Enter a student's marks and notebook, and keep what people have decided.

    nbgrader asks again for every mark that a person gave. It stays so only where the answer, or the automatic
    mark that they replaced, has changed.

    Raises:
        NbGraderFault: nbgrader failed.
    """
    before = standings(config, student)
    place, aside = course.autograded(student), course.state / "autograded" / student
    new = course.root / ENTERING / student / ASSIGNMENT
    _convert(Autograde, config, student, _beside_the_earlier)
    answers, after = _answers(aside if aside.is_dir() else place), _answers(new)
    with open_gradebook(config) as gradebook:
        for grade in _grades(gradebook, student):
            was = before.get(grade.name)
            if was is None or grade.manual_score is None:
                continue
            settled = was.settled or grade.manual_score != was.manual  # given while nbgrader was at it
            same = after.get(grade.name) == answers.get(grade.name) and grade.auto_score == was.automatic
            if settled and same:
                grade.needs_manual_grade = False
        gradebook.db.commit()
    _put_in_place(new, place, aside)


def feedback(course: Course, config: Config, student: str) -> None:
    """Write a student's feedback page.

    Raises:
        NbGraderFault: nbgrader failed.
    """
    page = Config()
    page.HTMLExporter.template_name = "feedback"
    _convert(GenerateFeedback, config, student, lambda converter: converter.update_config(page))


def standings(config: Config, student: str) -> dict[str, Standing]:
    """A student's grades, by cell."""
    with open_gradebook(config) as gradebook:
        return {
            grade.name: Standing(grade.manual_score, grade.auto_score, not grade.needs_manual_grade)
            for grade in _grades(gradebook, student)
        }


def _grades(gradebook: Gradebook, student: str) -> list:
    try:
        return list(gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, student).grades)
    except MissingEntry:
        return []


def _beside_the_earlier(converter: BaseConverter) -> None:
    """Let nbgrader make it elsewhere: formgrader shows the earlier one meanwhile, and where it fails."""
    converter.coursedir.autograded_directory = ENTERING


def _put_in_place(new: Path, place: Path, aside: Path) -> None:
    """Let a submission take the place of an earlier one, in no time, and whatever a killed run has left."""
    if place.is_dir():
        shutil.rmtree(aside, ignore_errors=True)
        aside.parent.mkdir(parents=True, exist_ok=True)
        place.rename(aside)
    place.parent.mkdir(parents=True, exist_ok=True)
    new.rename(place)
    new.parent.rmdir()
    shutil.rmtree(aside, ignore_errors=True)


def _answers(folder: Path) -> dict[str, tuple[str, str, str]]:
    """What a student answers in the autograded notebook, in the cell for it and around, by cell."""
    path = folder / f"{NOTEBOOK}.ipynb"
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError):
        return {}
    return {
        cell.metadata.nbgrader.grade_id: (
            cell.source,
            repr(cell.get("attachments")),
            cell.metadata.get("grader", {}).get("around", ""),
        )
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def _convert(
    kind: type[BaseConverter],
    config: Config,
    student: str,
    adjust: Callable[[BaseConverter], None] = lambda converter: None,
) -> None:
    directory = course_directory(config)
    directory.assignment_id, directory.student_id = ASSIGNMENT, student
    converter = kind(coursedir=directory, config=config)
    adjust(converter)
    converter.force = True
    reasons = _Reasons()
    converter.log.addHandler(reasons)
    try:
        converter.start()
    except Exception as error:
        reason = reasons.last or f"{type(error).__name__}: {error}"
        raise NbGraderFault(f"{student}: {printable(reason, 300)}; more in state/{LOG}") from error
    finally:
        converter.log.removeHandler(reasons)


class _Reasons(logging.Handler):
    """Remembers the last line of the traceback that nbgrader logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage().strip()
        if message.startswith("Traceback"):
            self.last = message.splitlines()[-1]


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the configured db_url"

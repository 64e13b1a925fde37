"""The desk of one course: its database, its answers, and what is worked out from them."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, lru_cache

from sqlalchemy import Connection, select

from grader.desk.answers import AnswerBook
from grader.desk.database import Database
from grader.desk.figures import figures_digest
from grader.desk.grades import HANDED_IN, STUDENT, Standing, standings
from grader.desk.groups import Groups, find_groups
from grader.desk.rubric_items import question_of, questions, rubric_of, seed
from grader.desk.scoring import NotValid, RubricItem
from grader.desk.settings import BY_STUDENT, Settings, read_settings
from grader.desk.tables import APART, TEXTS
from grader.errors import GraderFault
from grader.gradebook import state
from grader.gradebook.course import Course
from grader.release.answers import load_answers
from grader.release.notebook import grade_id
from grader.report.by_eye import by_eye
from grader.rubric import Item


@dataclass(frozen=True)
class Question:
    """A question as one transaction sees it.

    Attributes:
        item: of the assignment's rubric.
        cell: its cell.
        items: its rubric, by number.
        standings: everybody's answer, by student, in the order in which they are marked.
        settings: the course's choices.
    """

    item: Item
    cell: str
    items: dict[int, RubricItem]
    standings: dict[str, Standing]
    settings: Settings

    def number(self, student: str) -> int:
        """The place of an answer in the order, from 1 on."""
        return list(self.standings).index(student) + 1


class Desk:
    """All that the pages ask for. Its methods may be called from several threads at once."""

    def __init__(self, course: Course, db_url: str) -> None:
        """
        Raises:
            NewerTables: a later version of the kit has used this gradebook.
            SQLAlchemyError: the database cannot be used.
        """
        self.course = course
        self.database = Database(db_url)
        self.book = AnswerBook(course)
        self._groups: dict[str, tuple[int, Groups]] = {}
        self._lock = threading.Lock()
        self._ready = False

    def warm(self) -> None:
        """Read all answers, which takes seconds, before somebody waits for the first one."""
        with suppress(OSError):
            for student in os.listdir(self.course.root / "autograded"):
                self.book.answer(student, "")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that changes nothing."""
        self._prepare()
        with self.database.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is written whole or not at all."""
        self._prepare()
        with self.database.writing() as connection:
            yield connection

    def _prepare(self) -> None:
        """Make the tables, and fill the rubrics: at the first use, so that a server starts in any case."""
        with self._lock:
            if self._ready:
                return
            self.database.prepare(seed)
            self._ready = True

    def question(self, connection: Connection, cell: str) -> Question:
        """A question with all answers.

        Raises:
            NotValid: a person marks no such question.
        """
        item = question_of(cell)
        if item is None:
            raise NotValid(f"{cell} is no question that a person marks")
        found = standings(connection, cell)
        ordered = {student: found[student] for student in in_order(cell, tuple(sorted(found)))}
        return Question(item, cell, rubric_of(connection, cell), ordered, read_settings(connection))

    def questions(self, connection: Connection) -> list[Question]:
        """Every question that a person marks, with all answers, in the order of the assignment."""
        return [self.question(connection, grade_id(item.id)) for item in questions()]

    def digest(self, student: str, cell: str) -> str:
        """What tells whether an answer, or a figure of it, has changed."""
        answer = self.book.answer(student, cell).digest
        item = question_of(cell)
        if item is None or not _has_figures(item.id):
            return answer
        figures = figures_digest(item.id, self.book.figures(student))
        return hashlib.sha256((answer + figures).encode()).hexdigest() if figures else answer

    def changed(self, standing: Standing) -> bool:
        """Whether an answer is another one than that which was marked."""
        mark = standing.mark
        return mark is not None and mark.answer != self.digest(standing.student, standing.cell)

    def open(self, question: Question) -> list[Standing]:
        """The answers that wait for a marker: unmarked ones, and those that have changed since."""
        return [one for one in question.standings.values() if one.waits or self.changed(one)]

    def share_of(self, question: Question, student: str) -> str:
        """Whose answer it is to mark; empty where everyone's."""
        settings = question.settings
        if settings.split == BY_STUDENT and settings.markers:
            drawn = int.from_bytes(hashlib.sha256(f"share\0{student}".encode()).digest()[:8])
            return settings.markers[drawn % len(settings.markers)]
        return settings.owner_of(question.cell)

    def groups(self, connection: Connection, question: Question) -> Groups:
        """The groups of a question; found anew only where an answer or a choice has changed."""
        students = list(question.standings)
        rows = connection.execute(select(APART.c.student).where(APART.c.cell == question.cell))
        apart = frozenset(row.student for row in rows)
        digests = {student: self.digest(student, question.cell) for student in students}
        stamp = hash((tuple(digests.items()), apart, question.settings.alike))
        with self._lock:
            known = self._groups.get(question.cell)
        if known is not None and known[0] == stamp:
            return known[1]
        guide = load_answers().get(question.item.id)
        shows = _has_figures(question.item.id)
        found = find_groups(
            {student: self.book.answer(student, question.cell) for student in students},
            {
                student: figures_digest(question.item.id, self.book.figures(student)) if shows else ""
                for student in students
            },
            students,
            question.settings.alike,
            apart,
            guide.text if guide else "",
        )
        with self._lock:
            self._groups[question.cell] = (stamp, found)
        return found

    def hand_in(self, student: str) -> str:
        """The hand-in that counts for a student: of a group's members it is the same."""
        try:
            counted = state.load(self.course, state.COUNTED).get(student, "")
        except GraderFault:  # a run is just writing it
            counted = ""
        return counted.partition("\n")[0] or student

    def names(self, connection: Connection) -> dict[str, str]:
        """How to call each student, where names are shown."""
        rows = connection.execute(
            select(STUDENT.c.id, STUDENT.c.first_name, STUDENT.c.last_name).join(
                HANDED_IN, HANDED_IN.c.student_id == STUDENT.c.id
            )
        )
        return {
            row.id: " ".join(filter(None, (row.first_name, row.last_name, f"({row.id})"))) for row in rows
        }

    def text_of(self, connection: Connection, digest: str) -> str:
        """The text of an answer that was once marked; empty where it is not known."""
        return connection.scalar(select(TEXTS.c.source).where(TEXTS.c.digest == digest)) or ""


@lru_cache(maxsize=100)
def in_order(cell: str, students: tuple[str, ...]) -> list[str]:
    """The order in which a question is marked: another for each, so that nobody is always the last."""
    return sorted(students, key=lambda student: hashlib.sha256(f"order\0{cell}\0{student}".encode()).digest())


@cache
def _has_figures(question: str) -> bool:
    return any(one.item.id == question for one in by_eye())

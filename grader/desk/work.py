"""What a marker does with one answer: get the next one, open one, save, take back."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from grader.desk import claims, history
from grader.desk.claims import Author
from grader.desk.desk import Desk, Question
from grader.desk.grades import Standing, standing
from grader.desk.marks import Change, ChangedSince, give
from grader.desk.rubric_items import rubric_of
from grader.desk.scoring import Given, NotValid, points_of
from grader.desk.seconds import give_second
from grader.desk.settings import read_settings
from grader.desk.sight import sight_of
from grader.desk.undoing import Undone, latest_of, undo


class ClaimedBy(Exception):
    """Somebody else has this answer open."""

    def __init__(self, holder: Author) -> None:
        super().__init__(f"{holder.marker} has this answer open right now")
        self.holder = holder


@dataclass(frozen=True)
class Task:
    """An answer to be marked.

    Attributes:
        question: its question, as it stood when the answer was taken.
        standing: the answer.
        second: whether it is to be read a second time, blind.
        holder: who else has it open; None where nobody has.
        hidden: whether what another marker gave it is not shown, by the course's settings.
    """

    question: Question
    standing: Standing
    second: bool
    holder: Author | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Saved:
    """What was saved.

    Attributes:
        points: that it has now.
        batch: by which it can be taken back; empty for a second reading.
        second: whether it is kept as a second reading.
    """

    points: float
    batch: str
    second: bool = False


def next_task(
    desk: Desk, cell: str, author: Author, passed: Collection[str], everyone: bool, alike: bool
) -> Task | None:
    """Take the next answer that waits, and that nobody has open; None where there is none.

    Args:
        desk: the desk.
        cell: the question's cell.
        author: who asks.
        passed: nbgrader's ids of answers that the page has already, or has gone past.
        everyone: also what is another marker's share.
        alike: those of a group one after another.
    """
    # Answers are read before the database is held: of a server that has just started, hundreds of files.
    with desk.reading() as connection:
        question = desk.question(connection, cell)
        candidates = [
            (one, second)
            for one, second in _candidates(desk, connection, question, author, everyone, alike)
            if one.answer not in passed
        ]
    if not candidates:
        return None
    with desk.writing() as connection:
        for one, second in candidates:
            if not claims.claim(connection, (one.student, cell), author):
                continue
            now = standing(connection, cell, student=one.student)
            if now is not None and (second or now.waits or desk.changed(now)):
                return Task(question, now, second)
            claims.release(connection, author.browser, (one.student, cell))  # marked in this very moment
    return None


def open_task(desk: Desk, cell: str, answer: str, author: Author) -> Task:
    """Open a certain answer; it is the author's if nobody has it.

    One that waits for the author's blind second reading is opened for that, whichever way they came to it.

    Raises:
        NotValid: there is no such answer.
    """
    with desk.writing() as connection:
        question = desk.question(connection, cell)
        one = _find(connection, cell, answer)
        place = (one.student, cell)
        holder = None
        if not claims.claim(connection, place, author):
            holder = claims.holders(connection, cell).get(one.student)
        sight = sight_of(connection, question.settings, author.marker, cell)
        changed = desk.changed(one)
        second = sight.reads_second(one) and not changed
        return Task(question, one, second, holder, not second and not sight.may_mark(one, changed))


def save(desk: Desk, cell: str, answer: str, author: Author, base: str, given: Given, second: bool) -> Saved:
    """Write what an answer is given; once this returns, it is in the database.

    Where another marker was faster, and the answer is one to be read twice, it is the second reading: neither
    has seen what the other gave.

    Args:
        desk: the desk.
        cell: the question's cell.
        answer: nbgrader's id of the notebook.
        author: who saves.
        base: what the page was made from.
        given: what the answer is given.
        second: whether this is a second reading.

    Raises:
        ClaimedBy: somebody else has it open.
        ChangedSince: somebody has changed it since.
        NotValid: it cannot be given.
    """
    with desk.writing() as connection:
        one = _find(connection, cell, answer, lock=True)
        place = (one.student, cell)
        holder = claims.holders(connection, cell).get(one.student)
        if holder is not None and holder.browser != author.browser:
            raise ClaimedBy(holder)
        items = rubric_of(connection, cell)
        digest = desk.digest(one.student, cell)
        late = one.version(digest) != base
        sight = sight_of(connection, read_settings(connection), author.marker, cell)
        mine = sight.may_mark(one, desk.changed(one))
        if second or (late and not mine and sight.reads_second(one)):
            points = give_second(connection, place, given, items, one.worth, author.marker)
            claims.release(connection, author.browser, place)
            return Saved(points, "", second=True)
        if not mine:
            if sight.reads_second(one):
                raise NotValid("this answer waits for your second reading: open it again")
            first = one.mark.marker if one.mark else "somebody"
            raise NotValid(
                f"{first} has marked this answer, and the settings hide others' marks: "
                "an instructor can change it"
            )
        if late:
            raise ChangedSince(one)
        batch = history.new_batch()
        text = (digest, desk.book.answer(one.student, cell).source)
        give(connection, one, given, items, Change(author.marker, history.MARK, batch), text)
        claims.release(connection, author.browser, place)
        return Saved(points_of(given, items, one.worth), batch)


def save_group(
    desk: Desk, cell: str, answers: dict[str, str], author: Author, given: Given
) -> tuple[Saved, list[str]]:
    """Give several answers the same, as one change.

    Args:
        desk: the desk.
        cell: the question's cell.
        answers: what the page was made from, by nbgrader's id of the notebook.
        author: who saves.
        given: what they are given.

    Returns:
        What was saved, and the ids of those that were left out: somebody has them open, or has changed them,
        or they are not the author's to mark.

    Raises:
        NotValid: it cannot be given.
    """
    left_out = []
    with desk.writing() as connection:
        items, batch = rubric_of(connection, cell), history.new_batch()
        held = claims.holders(connection, cell)
        sight = sight_of(connection, read_settings(connection), author.marker, cell)
        worth = 0.0
        for answer in sorted(answers):
            one = _find(connection, cell, answer, lock=True)
            worth = one.worth
            holder = held.get(one.student)
            digest = desk.digest(one.student, cell)
            elsewhere = holder is not None and holder.browser != author.browser
            is_old = one.version(digest) != answers[answer]
            if elsewhere or is_old or not sight.may_mark(one, desk.changed(one)):
                left_out.append(answer)
                continue
            text = (digest, desk.book.answer(one.student, cell).source)
            give(connection, one, given, items, Change(author.marker, history.GROUP, batch), text)
            claims.release(connection, author.browser, (one.student, cell))
        return Saved(points_of(given, items, worth), batch), left_out


def take_back(desk: Desk, cell: str, author: Author, batch: str = "") -> tuple[Undone, str]:
    """Take back a change, by default the last one of the author's at a question.

    Returns:
        What was taken back, and nbgrader's id of one of the answers.

    Raises:
        NotValid: there is nothing, or it cannot be taken back any more.
    """
    with desk.writing() as connection:
        if not batch:
            entry = latest_of(connection, author.marker, cell)
            if entry is None:
                raise NotValid("there is nothing of yours to take back at this question")
            batch = entry.batch
        undone = undo(connection, batch, author.marker)
        first = undone.first
        one = standing(connection, first.cell, student=first.student) if first else None
        return undone, one.answer if one else ""


def _find(connection: Connection, cell: str, answer: str, lock: bool = False) -> Standing:
    one = standing(connection, cell, answer=answer, lock=lock)
    if one is None:
        raise NotValid("this answer is not in the gradebook any more: copy what you wrote, and go on")
    return one


def _candidates(
    desk: Desk, connection: Connection, question: Question, author: Author, everyone: bool, alike: bool
) -> Iterator[tuple[Standing, bool]]:
    """What is to be marked, and then what is to be read a second time."""
    held = claims.holders(connection, question.cell)
    mine = {
        student
        for student in question.standings
        if everyone or desk.share_of(question, student) in ("", author.marker)
    }
    free = [
        one
        for one in desk.open(question)
        if one.student in mine and (one.student not in held or held[one.student].browser == author.browser)
    ]
    if alike:
        rank = {
            student: number
            for number, group in enumerate(desk.groups(connection, question).groups)
            for student in group.members
        }
        free.sort(key=lambda one: rank[one.student])
    yield from ((one, False) for one in free)
    sight = sight_of(connection, question.settings, author.marker, question.cell)
    for one in question.standings.values():
        free_for_me = one.student not in held or held[one.student].browser == author.browser
        if free_for_me and sight.reads_second(one):
            yield one, True

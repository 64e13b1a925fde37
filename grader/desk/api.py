"""What the marking page's script asks of the server: the next answer, save, take back, stay alive."""

from __future__ import annotations

from typing import Any

from tornado import web

from grader.desk import claims
from grader.desk.claims import Author
from grader.desk.desk import Desk
from grader.desk.grades import standing
from grader.desk.marks import ChangedSince
from grader.desk.rubric_items import rubric_of
from grader.desk.scoring import NotValid, read_given
from grader.desk.server import IN_USE, NOT_POSSIBLE, ApiHandler, Problem
from grader.desk.views import Pages, items_view, task_view, versions_view
from grader.desk.work import ClaimedBy, Saved, Task, next_task, open_task, save, save_group, take_back


class NextHandler(ApiHandler):
    """The next answer that waits."""

    @web.authenticated
    async def post(self) -> None:
        table = self.body()
        author = self.author(table)
        self.reply(await self.in_thread(lambda: _next(self.desk, self.shared.pages, table, author)))


class AnswerHandler(ApiHandler):
    """A certain answer."""

    @web.authenticated
    async def post(self) -> None:
        table = self.body()
        author = self.author(table)

        def work() -> dict[str, Any]:
            task = open_task(self.desk, _text(table, "cell"), _text(table, "answer"), author)
            return {"task": _view(self.desk, self.shared.pages, task)}

        self.reply(await self.in_thread(work))


class SaveHandler(ApiHandler):
    """Save what an answer is given; the reply may bring the next one along."""

    @web.authenticated
    async def post(self) -> None:
        table = self.body()
        author = self.author(table)

        def work() -> dict[str, Any]:
            saved = _save(self.desk, table, author)
            reply: dict[str, Any] = {"points": saved.points, "batch": saved.batch, "second": saved.second}
            if table.get("next"):
                reply |= _next(self.desk, self.shared.pages, table, author)
            return reply

        self.reply(await self.in_thread(work))


class GroupHandler(ApiHandler):
    """Save the same for several answers."""

    @web.authenticated
    async def post(self) -> None:
        table = self.body()
        author = self.author(table)
        answers = table.get("answers")
        if (
            not isinstance(answers, dict)
            or not answers
            or not all(isinstance(one, str) for one in answers.values())
        ):
            raise Problem(NOT_POSSIBLE, "no answer is chosen")

        def work() -> dict[str, Any]:
            given = read_given(table.get("given"))
            saved, left_out = save_group(self.desk, _text(table, "cell"), answers, author, given)
            return {"points": saved.points, "batch": saved.batch, "left_out": left_out}

        self.reply(await self.in_thread(work))


class UndoHandler(ApiHandler):
    """Take back a change."""

    @web.authenticated
    async def post(self) -> None:
        table = self.body()
        author = self.author(table)

        def work() -> dict[str, Any]:
            batch = table.get("batch") or ""
            undone, answer = take_back(self.desk, table.get("cell") or "", author, str(batch))
            given = undone.given.as_json if undone.given else None
            return {"answer": answer, "given": given, "undone": len(undone.entries), "kept": len(undone.kept)}

        self.reply(await self.in_thread(work))


class AliveHandler(ApiHandler):
    """A sign of life of a page, by which it keeps its answers."""

    @web.authenticated
    async def post(self) -> None:
        author = self.author(self.body())

        def work() -> dict[str, Any]:
            with self.desk.writing() as connection:
                claims.forget_expired(connection)
                held = claims.renew(connection, author.browser)
                found = [standing(connection, cell, student=student) for student, cell in held]
                return {"held": [one.answer for one in found if one is not None]}

        self.reply(await self.in_thread(work))


class ReleaseHandler(ApiHandler):
    """Give back an answer, or all that a page has."""

    @web.authenticated
    async def post(self) -> None:
        table = self.body()
        author = self.author(table)

        def work() -> dict[str, Any]:
            with self.desk.writing() as connection:
                place = None
                if table.get("answer"):
                    one = standing(connection, _text(table, "cell"), answer=_text(table, "answer"))
                    place = (one.student, one.cell) if one else ("", "")
                claims.release(connection, author.browser, place)
                return {}

        self.reply(await self.in_thread(work))


def _next(desk: Desk, pages: Pages, table: dict[str, Any], author: Author) -> dict[str, Any]:
    passed = table.get("passed", [])
    if not isinstance(passed, list):
        raise NotValid("what was passed is no list")
    cell = _text(table, "cell")
    task = next_task(
        desk, cell, author, set(map(str, passed)), bool(table.get("everyone")), bool(table.get("alike"))
    )
    with desk.reading() as connection:
        question = task.question if task else desk.question(connection, cell)
        return {
            "task": task_view(desk, pages, connection, task) if task else None,
            "left": len(desk.open(question)),
            "all": len(question.standings),
            "items": items_view(question.items),
        }


def _view(desk: Desk, pages: Pages, task: Task) -> dict[str, Any]:
    with desk.reading() as connection:
        return task_view(desk, pages, connection, task)


def _save(desk: Desk, table: dict[str, Any], author: Author) -> Saved:
    cell, given = _text(table, "cell"), read_given(table.get("given"))
    try:
        return save(
            desk,
            cell,
            _text(table, "answer"),
            author,
            _text(table, "version"),
            given,
            bool(table.get("second")),
        )
    except ClaimedBy as error:
        raise Problem(IN_USE, f"{error}; yours was not saved", holder=error.holder.marker) from error
    except ChangedSince as error:
        one = error.standing
        with desk.reading() as connection:
            theirs = versions_view(one, rubric_of(connection, cell))
        digest = desk.digest(one.student, one.cell)
        raise Problem(
            IN_USE, f"{error}; yours was not saved", theirs=theirs, version=one.version(digest)
        ) from error


def _text(table: dict[str, Any], name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value:
        raise NotValid(f"the page did not say which {name} it means: load it again")
    return value


HANDLERS = {
    "api/next": NextHandler,
    "api/answer": AnswerHandler,
    "api/save": SaveHandler,
    "api/group": GroupHandler,
    "api/undo": UndoHandler,
    "api/alive": AliveHandler,
    "api/release": ReleaseHandler,
}

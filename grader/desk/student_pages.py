"""The pages on which one student is found across all questions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from tornado import web

from grader.desk.finding import find
from grader.desk.listing import answer_row
from grader.desk.server import PageHandler, by_name
from grader.desk.settings import read_settings
from grader.desk.sight import sight_of


class FindHandler(PageHandler):
    """Whom somebody may mean; the only one's page at once."""

    @by_name
    async def get(self) -> None:
        typed = self.get_argument("of", "")

        def work() -> dict[str, Any]:
            with self.desk.reading() as connection:
                settings = read_settings(connection)
                names = self.desk.names(connection) if settings.names_shown else None
                hits = find(self.desk.questions(connection), names, typed) if typed.strip() else []
                return {"hits": hits, "settings": settings}

        values = await self.in_thread(work)
        if len({hit.answer for hit in values["hits"]}) == 1:
            self.redirect(f"{self.root}/student/{values['hits'][0].answer}")
            return
        self.page("find.html.j2", typed=typed, **values)


class StudentHandler(PageHandler):
    """All answers of one student, with their marks as far as the marker may see them."""

    @by_name
    async def get(self, answer: str) -> None:
        def work() -> dict[str, Any] | None:
            with self.desk.reading() as connection:
                return self._rows(connection, answer)

        values = await self.in_thread(work)
        if values is None:
            raise web.HTTPError(404)
        self.page("student.html.j2", typed="", **values)

    def _rows(self, connection: Connection, answer: str) -> dict[str, Any] | None:
        settings = read_settings(connection)
        sight = sight_of(connection, settings, self.marker)
        rows, student = [], ""
        for question in self.desk.questions(connection):
            one = next((one for one in question.standings.values() if one.answer == answer), None)
            if one is None:
                continue
            student = one.student
            place = {"item": question.item, "cell": question.cell, "number": question.number(student)}
            rows.append(place | answer_row(self.desk, one, sight))
        if not rows:
            return None
        name = self.desk.names(connection).get(student, student) if settings.names_shown else ""
        return {"rows": rows, "name": name, "settings": settings}


HANDLERS = [(r"/find", FindHandler), (r"/student/([0-9a-f]{32})", StudentHandler)]

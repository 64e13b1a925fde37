"""The desk's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from tornado import web

from grader.desk.agreement import agreement
from grader.desk.claims import RENEWED, Author, holders
from grader.desk.desk import Question
from grader.desk.grades import Standing
from grader.desk.history import Entry, entries
from grader.desk.listing import answer_row, label_of, pairs_of, shown_batch
from grader.desk.progress import by_marker, by_question
from grader.desk.rubric_items import question_of, questions
from grader.desk.scoring import STEP, STEP_RULE
from grader.desk.server import NOT_POSSIBLE, PageHandler, Problem, by_name
from grader.desk.settings import marker_name, read_settings
from grader.desk.sight import Sight, sight_of
from grader.desk.tables import HISTORY
from grader.desk.views import question_view
from grader.release.notebook import grade_id

MOST_ENTRIES = 300
MOST_GROUPS = 200


class WhoHandler(PageHandler):
    """Asks for a name, where the server does not know it."""

    @web.authenticated
    async def get(self) -> None:
        from getpass import getuser

        self.page("who.html.j2", suggestion=self.marker or getuser(), next=self._next(), problem="")

    @web.authenticated
    async def post(self) -> None:
        name = marker_name(self.get_body_argument("name", ""))
        self.remember_marker(name)
        self.redirect(self._next())

    def _next(self) -> str:
        """Where to go then: never to another site."""
        wanted = self.get_argument("next", "")
        return wanted if wanted.startswith(self.root) and "//" not in wanted else self.root


class OverviewHandler(PageHandler):
    """All questions, with how far they are."""

    @by_name
    async def get(self) -> None:
        def work() -> dict[str, Any]:
            with self.desk.reading() as connection:
                settings = read_settings(connection)
                rows = by_question(self.desk, connection, settings)
                return {"rows": rows, "settings": settings}

        values = await self.in_thread(work)
        rows = values["rows"]
        self.page(
            "overview.html.j2",
            answers=sum(row.answers for row in rows),
            left=sum(row.left for row in rows),
            submissions=max((row.answers for row in rows), default=0),
            by_hand=sum(row.item.points for row in rows),
            **values,
        )


class MarkHandler(PageHandler):
    """The page on which a question is marked."""

    @by_name
    async def get(self, cell: str, answer: str | None = None) -> None:
        def work() -> dict[str, Any]:
            with self.desk.reading() as connection:
                question = self.desk.question(connection, cell)
                self.desk.groups(connection, question)  # so that the first answer comes at once
                return {
                    "view": question_view(question),
                    "settings": question.settings,
                    "owner": question.settings.owner_of(cell),
                }

        values = await self.in_thread(work)
        order = [grade_id(item.id) for item in questions()]
        place = order.index(cell)
        self.page(
            "mark.html.j2",
            answer=answer or "",
            cell=cell,
            before=order[place - 1] if place else "",
            after=order[place + 1] if place + 1 < len(order) else "",
            renewed=RENEWED,
            step={"size": STEP, "rule": STEP_RULE},
            mathjax=True,
            **values,
        )


class AnswersHandler(PageHandler):
    """All answers to a question, to find one of them again."""

    @by_name
    async def get(self, cell: str) -> None:
        def work() -> dict[str, Any]:
            with self.desk.reading() as connection:
                question = self.desk.question(connection, cell)
                names = self.desk.names(connection) if question.settings.names_shown else {}
                held = holders(connection, cell)
                sight = sight_of(connection, question.settings, self.marker, cell)
                rows = [self._row(question, one, names, held, sight) for one in question.standings.values()]
                return {"item": question.item, "rows": rows, "settings": question.settings}

        self.page("answers.html.j2", cell=cell, **await self.in_thread(work))

    def _row(
        self,
        question: Question,
        one: Standing,
        names: Mapping[str, str],
        held: Mapping[str, Author],
        sight: Sight,
    ) -> dict[str, Any]:
        return answer_row(self.desk, one, sight) | {
            "label": label_of(question, one, names),
            "holder": held[one.student].marker if one.student in held else "",
        }


class GroupsHandler(PageHandler):
    """The groups of a question."""

    @by_name
    async def get(self, cell: str) -> None:
        only = self.get_argument("of", "")

        def work() -> dict[str, Any]:
            with self.desk.reading() as connection:
                question = self.desk.question(connection, cell)
                return self._rows(connection, question, only)

        self.page("groups.html.j2", cell=cell, mathjax=True, only=only, **await self.in_thread(work))

    def _rows(self, connection: Connection, question: Question, only: str) -> dict[str, Any]:
        found = self.desk.groups(connection, question)
        names = self.desk.names(connection) if question.settings.names_shown else {}
        held = holders(connection, question.cell)
        sight = sight_of(connection, question.settings, self.marker, question.cell)
        groups = []
        for group in found.groups:
            ids = [question.standings[student].answer for student in group.members]
            if (only and only not in ids) or (not only and len(ids) < 2):
                continue
            members = []
            for student in group.members:
                one = question.standings[student]
                digest = self.desk.digest(student, question.cell)
                members.append(
                    {
                        "one": one,
                        "version": one.version(digest),
                        "label": label_of(question, one, names),
                        "html": self.shared.pages.of(self.desk, student, question.cell, digest),
                        "changed": self.desk.changed(one),
                        "holder": held[student].marker if student in held else "",
                        "sees": sight.sees(one),
                        "may_mark": sight.may_mark(one, self.desk.changed(one)),
                    }
                )
            groups.append({"group": group, "members": members})
        alone = sum(len(group.members) == 1 for group in found.groups)
        return {
            "view": question_view(question),
            "groups": groups[:MOST_GROUPS],
            "alone": alone,
            "settings": question.settings,
        }


class AgreementHandler(PageHandler):
    """How well markers agree, and where they do not."""

    @by_name
    async def get(self, cell: str | None = None) -> None:
        def work() -> dict[str, Any]:
            with self.desk.reading() as connection:
                settings = read_settings(connection)
                rows, shown = [], []
                for question in self.desk.questions(connection):
                    pairs = pairs_of(self.desk, connection, question)
                    unsettled = sum(bool(pair.difference) and not pair.second.settled for pair in pairs)
                    figures = agreement(pairs, question.item.points)
                    rows.append((question.item, question.cell, figures, unsettled))
                    if cell == question.cell:
                        sight = sight_of(connection, settings, self.marker, cell)
                        shown = [
                            self._pair(connection, question, pair)
                            for pair in pairs
                            if sight.sees(pair.first) or pair.second.marker == self.marker
                        ]
                return {"rows": rows, "pairs": shown, "settings": settings}

        values = await self.in_thread(work)
        item = question_of(cell) if cell else None
        if cell and item is None:
            raise Problem(NOT_POSSIBLE, f"{cell} is no question that a person marks")
        self.page("agreement.html.j2", cell=cell or "", item=item, mathjax=bool(cell), **values)

    def _pair(self, connection: Connection, question: Question, pair: Any) -> dict[str, Any]:
        one = pair.first
        names = self.desk.names(connection) if question.settings.names_shown else {}
        digest = self.desk.digest(one.student, one.cell)
        given = one.given(question.items)
        return {
            "pair": pair,
            "label": label_of(question, one, names),
            "version": one.version(digest),
            "html": self.shared.pages.of(self.desk, one.student, one.cell, digest),
            "first_items": [question.items[n] for n in given.items if n in question.items],
            "first": given,
            "second_items": [question.items[n] for n in pair.second.given.items if n in question.items],
        }


class ProgressHandler(PageHandler):
    """How far the marking is, by question and by marker."""

    @by_name
    async def get(self) -> None:
        def work() -> dict[str, Any]:
            with self.desk.reading() as connection:
                settings = read_settings(connection)
                rows = by_question(self.desk, connection, settings)
                return {"rows": rows, "markers": by_marker(connection, rows), "settings": settings}

        self.page("progress.html.j2", **await self.in_thread(work))


class HistoryHandler(PageHandler):
    """Who changed what, and when."""

    @by_name
    async def get(self) -> None:
        cell, who = self.get_argument("question", ""), self.get_argument("marker", "")
        answer = self.get_argument("answer", "")

        def work() -> dict[str, Any]:
            with self.desk.reading() as connection:
                conditions = [HISTORY.c.cell == cell] if cell else []
                conditions += [HISTORY.c.marker == who] if who else []
                settings = read_settings(connection)
                names = self.desk.names(connection) if settings.names_shown else {}
                sight = sight_of(connection, settings, self.marker)
                labels: dict[tuple[str, str], tuple[str, str]] = {}
                now: dict[tuple[str, str], Standing] = {}
                asked = [self.desk.question(connection, cell)] if cell else self.desk.questions(connection)
                for question in asked:
                    for student, standing in question.standings.items():
                        place = (student, question.cell)
                        labels[place] = (standing.answer, label_of(question, standing, names))
                        now[place] = standing
                if answer:
                    mine = [student for (student, _), (number, _) in labels.items() if number == answer]
                    conditions.append(HISTORY.c.student.in_(mine))
                found = entries(connection, *conditions, most=MOST_ENTRIES, wanted=sight.concerns)
                blind = {
                    entry.id
                    for entry in found
                    if entry.student and not sight.sees_points(entry, now.get((entry.student, entry.cell)))
                }
                batches: dict[tuple[str, bool], list[Entry]] = {}
                for entry in found:  # what formgrader did stands by itself
                    batches.setdefault((entry.batch, bool(entry.marker)), []).append(entry)
                markers = sorted({entry.marker for entry in entries(connection, most=5_000)} - {""})
                rows = [shown_batch(batch, labels, blind) for batch in batches.values()]
                return {"rows": rows, "markers": markers}

        self.page(
            "history.html.j2",
            cell=cell,
            who=who,
            most=MOST_ENTRIES,
            mathjax=True,
            questions=[(item, grade_id(item.id)) for item in questions()],
            **await self.in_thread(work),
        )


class SettingsPageHandler(PageHandler):
    """The course's choices."""

    @by_name
    async def get(self) -> None:
        def work() -> dict[str, Any]:
            with self.desk.reading() as connection:
                return {"settings": read_settings(connection)}

        values = await self.in_thread(work)
        self.page(
            "settings.html.j2",
            may_change=values["settings"].may_change(self.marker),
            questions=[(item, grade_id(item.id)) for item in questions()],
            **values,
        )


class NoSuchPage(PageHandler):
    """Everything else below the desk."""

    @web.authenticated
    async def get(self) -> None:
        raise web.HTTPError(404)


_CELL, _ANSWER = r"(q[0-9a-z_-]+)", r"([0-9a-f]{32})"
HANDLERS = [
    (r"", OverviewHandler),
    (r"/", OverviewHandler),
    (r"/who", WhoHandler),
    (rf"/mark/{_CELL}", MarkHandler),
    (rf"/mark/{_CELL}/{_ANSWER}", MarkHandler),
    (rf"/answers/{_CELL}", AnswersHandler),
    (rf"/groups/{_CELL}", GroupsHandler),
    (r"/agreement", AgreementHandler),
    (rf"/agreement/{_CELL}", AgreementHandler),
    (r"/progress", ProgressHandler),
    (r"/history", HistoryHandler),
    (r"/settings", SettingsPageHandler),
]

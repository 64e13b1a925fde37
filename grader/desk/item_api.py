"""Changes of rubrics, groups and settings, as the pages' scripts ask for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete
from tornado import web

from grader.desk import history
from grader.desk.claims import Author
from grader.desk.grades import standing
from grader.desk.marks import Change, give
from grader.desk.repricing import PreviewIsOld, change_item, preview
from grader.desk.rubric_items import add, read_item, reorder, rubric_of
from grader.desk.scoring import NotValid, RubricItem, read_given
from grader.desk.seconds import seconds_of, settle
from grader.desk.server import IN_USE, NOT_POSSIBLE, ApiHandler, Problem
from grader.desk.settings import read_settings, write_settings
from grader.desk.tables import APART
from grader.desk.upsert import upsert
from grader.desk.views import items_view


class _Writing(ApiHandler):
    """One transaction that writes."""

    def work(self, connection: Connection, table: dict[str, Any], author: Author) -> dict[str, Any]:
        raise NotImplementedError

    @web.authenticated
    async def post(self) -> None:
        table = self.body()
        author = self.author(table)

        def within() -> dict[str, Any]:
            with self.desk.writing() as connection:
                return self.work(connection, table, author)

        self.reply(await self.in_thread(within))


class ItemHandler(_Writing):
    """Add an item, change it, retire it, or put all into another order."""

    def work(self, connection: Connection, table: dict[str, Any], author: Author) -> dict[str, Any]:
        cell, do = str(table.get("cell")), table.get("do")
        reply: dict[str, Any] = {}
        if do == "add":
            made = add(connection, cell, table.get("points"), table.get("text"), table.get("note", ""))
            history.record(
                connection,
                author.marker,
                history.NEW_ITEM,
                history.new_batch(),
                ("", cell),
                {},
                made.as_json,
            )
            reply["added"] = made.id
        elif do == "order":
            order = table.get("order")
            reorder(connection, cell, order if isinstance(order, list) else [])
        elif do in ("change", "retire", "offer", "remove"):
            reply |= self._change(connection, cell, str(do), table, author)
        else:
            raise NotValid("the page did not say what to do with the item")
        return reply | {"items": items_view(rubric_of(connection, cell))}

    def _change(
        self, connection: Connection, cell: str, do: str, table: dict[str, Any], author: Author
    ) -> dict[str, Any]:
        items = rubric_of(connection, cell)
        number = table.get("item")
        if type(number) is not int or number not in items:
            raise NotValid("this item is not in the question's rubric any more: load the page again")
        new = _changed(items[number], do, table)
        taken_off = do == "remove"
        if table.get("preview"):
            return {"preview": preview(connection, items, new, taken_off).as_json}
        try:
            done = change_item(connection, items, new, author.marker, str(table.get("token", "")), taken_off)
        except PreviewIsOld as error:
            now = preview(connection, items, new, taken_off).as_json
            raise Problem(
                IN_USE, "answers were marked in the meantime: look at what it does now", preview=now
            ) from error
        return {"preview": done.as_json}


class ApartHandler(_Writing):
    """Take answers out of their group, or let them stand in one again."""

    def work(self, connection: Connection, table: dict[str, Any], author: Author) -> dict[str, Any]:
        cell, answers = str(table.get("cell")), table.get("answers")
        for answer in answers if isinstance(answers, list) else []:
            one = standing(connection, cell, answer=str(answer))
            if one is None:
                raise NotValid("this answer is not in the gradebook any more")
            if table.get("apart"):
                upsert(connection, APART, {"student": one.student, "cell": cell}, {}, replace=False)
            else:
                connection.execute(delete(APART).where(APART.c.student == one.student, APART.c.cell == cell))
        return {}


class SettleHandler(_Writing):
    """Settle the difference between two readings."""

    def work(self, connection: Connection, table: dict[str, Any], author: Author) -> dict[str, Any]:
        cell = str(table.get("cell"))
        one = standing(connection, cell, answer=str(table.get("answer")), lock=True)
        second = seconds_of(connection, cell).get((one.student, cell)) if one else None
        if one is None or second is None:
            raise NotValid("this answer was not read twice")
        digest = self.desk.digest(one.student, cell)
        if one.version(digest) != table.get("version"):
            raise Problem(IN_USE, "somebody has changed this answer's marks: load the page again")
        items = rubric_of(connection, cell)
        first = one.manual if one.manual is not None else 0.0
        choice = table.get("choice")
        if choice == "first":
            settle(connection, (one.student, cell), author.marker, first)
            return {"points": one.points}
        given = second.given if choice == "second" else read_given(table.get("given"))
        text = (digest, self.desk.book.answer(one.student, cell).source)
        change = Change(author.marker, history.SETTLE, history.new_batch())
        state = give(connection, one, given, items, change, text)
        settle(connection, (one.student, cell), author.marker, first)
        return {"points": state["points"]}


class SettingsHandler(_Writing):
    """Change the course's choices."""

    def work(self, connection: Connection, table: dict[str, Any], author: Author) -> dict[str, Any]:
        before = read_settings(connection)
        if not before.may_change(author.marker):
            raise Problem(NOT_POSSIBLE, f"only an instructor changes this: {', '.join(before.instructors)}")
        changes = table.get("changes")
        after = write_settings(connection, changes if isinstance(changes, dict) else {})
        if not after.may_change(author.marker):
            raise NotValid("put yourself among the instructors, or nobody here could change it back")
        history.record(
            connection,
            author.marker,
            history.SETTING,
            history.new_batch(),
            ("", ""),
            before.as_json(),
            after.as_json(),
        )
        return {"settings": after.as_json()}


def _changed(item: RubricItem, do: str, table: dict[str, Any]) -> RubricItem:
    """The item as it is to be."""
    if do == "change":
        points, text, note = read_item(
            item.cell, table.get("points"), table.get("text"), table.get("note", "")
        )
        return replace(item, points=points, text=text, note=note)
    return replace(item, retired=do != "offer")


HANDLERS = {
    "api/item": ItemHandler,
    "api/apart": ApartHandler,
    "api/settle": SettleHandler,
    "api/settings": SettingsHandler,
}

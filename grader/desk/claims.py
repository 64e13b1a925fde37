"""Who has which answer open: two browsers never mark the same one.

A claim belongs to a page that is open in a browser. It is renewed while the page is there, given back when it
goes, and ends by itself soon after a browser that has died.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, or_, select, update

from grader.desk.history import Place
from grader.desk.tables import CLAIMS
from grader.desk.upsert import upsert

LASTS = 60.0  # seconds without a sign of life
RENEWED = 20.0  # seconds between two of them


@dataclass(frozen=True)
class Author:
    """Who asks.

    Attributes:
        marker: the person.
        browser: the page, by a number that it has drawn.
    """

    marker: str
    browser: str


def claim(connection: Connection, place: Place, author: Author) -> bool:
    """Take an answer, or keep it; returns whether it is the author's now."""
    now = time.time()
    return upsert(
        connection,
        CLAIMS,
        {"student": place[0], "cell": place[1]},
        {"browser": author.browser, "marker": author.marker, "expires": now + LASTS},
        only=or_(CLAIMS.c.expires < now, CLAIMS.c.browser == author.browser),
    )


def holders(connection: Connection, cell: str) -> dict[str, Author]:
    """Who has which answers of a question open, by student."""
    rows = connection.execute(select(CLAIMS).where(CLAIMS.c.cell == cell, CLAIMS.c.expires >= time.time()))
    return {row.student: Author(row.marker, row.browser) for row in rows}


def renew(connection: Connection, browser: str) -> list[Place]:
    """Say that a page is still there; returns what it holds."""
    connection.execute(update(CLAIMS).where(CLAIMS.c.browser == browser).values(expires=time.time() + LASTS))
    rows = connection.execute(select(CLAIMS.c.student, CLAIMS.c.cell).where(CLAIMS.c.browser == browser))
    return [(row.student, row.cell) for row in rows]


def release(connection: Connection, browser: str, place: Place | None = None) -> None:
    """Give an answer back, or all that a page has."""
    statement = delete(CLAIMS).where(CLAIMS.c.browser == browser)
    if place is not None:
        statement = statement.where(CLAIMS.c.student == place[0], CLAIMS.c.cell == place[1])
    connection.execute(statement)


def forget_expired(connection: Connection) -> None:
    """Remove what nobody holds any more."""
    connection.execute(delete(CLAIMS).where(CLAIMS.c.expires < time.time() - LASTS))

"""The desk's own tables in the gradebook's database, and how an older version becomes the present one.

nbgrader knows none of them, and none of them refers to its rows: an answer is a student and a cell, so that
what is known of it outlives a submission that is collected again. What a column holds is the same on SQLite
and PostgreSQL; times are text, ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    select,
)

from grader.errors import GraderFault

VERSION = 2

METADATA = MetaData()
NAME = String(128)  # as long as nbgrader's ids and names

SCHEMA = Table("desk_schema", METADATA, Column("version", Integer, primary_key=True, autoincrement=False))
# Choices of the instructor, as JSON.
SETTINGS = Table(
    "desk_setting",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
ITEMS = Table(
    "desk_item",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("cell", NAME, nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("points", Float, nullable=False),  # below 0: taken
    Column("text", Text, nullable=False),  # for the student
    Column("note", Text, nullable=False),  # for markers
    Column("origin", NAME, nullable=False),  # where in the marking guide it comes from; empty: a marker's own
    Column("retired", Boolean, nullable=False),  # offered for no further answer
)
# What was given at the desk, and what was then written into nbgrader's grade and comment.
MARKS = Table(
    "desk_mark",
    METADATA,
    Column("student", NAME, primary_key=True),
    Column("cell", NAME, primary_key=True),
    Column("adjustment", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("points", Float, nullable=False),
    Column("written", Text),
    Column("marker", NAME, nullable=False),
    Column("at", String(32), nullable=False),
    Column("answer", String(64), nullable=False),  # digest of what was marked
    Column("version", Integer, nullable=False),
)
# Which item applies to which answer.
APPLIED = Table(
    "desk_applied",
    METADATA,
    Column("student", NAME, primary_key=True),
    Column("cell", NAME, primary_key=True),
    Column("item", Integer, primary_key=True, autoincrement=False),
    Index("desk_applied_cell", "cell"),
)
# The text of every answer that was marked, to be shown beside a later one.
TEXTS = Table(
    "desk_text",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("source", Text, nullable=False),
)
CLAIMS = Table(
    "desk_claim",
    METADATA,
    Column("student", NAME, primary_key=True),
    Column("cell", NAME, primary_key=True),
    Column("browser", String(64), nullable=False, index=True),
    Column("marker", NAME, nullable=False),
    Column("expires", Float, nullable=False),  # seconds since 1970
)
HISTORY = Table(
    "desk_history",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("marker", NAME, nullable=False),
    Column("action", String(32), nullable=False),
    Column("batch", String(32), nullable=False, index=True),  # what was done in one go
    Column("student", NAME, nullable=False),
    Column("cell", NAME, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("undone_by", String(32), nullable=False),  # a later batch
    Index("desk_history_answer", "cell", "student"),
)
# Since version 2: second readings, and answers that were taken out of their group.
SECONDS = Table(
    "desk_second",
    METADATA,
    Column("student", NAME, primary_key=True),
    Column("cell", NAME, primary_key=True),
    Column("given", Text, nullable=False),  # JSON
    Column("points", Float, nullable=False),
    Column("marker", NAME, nullable=False),
    Column("at", String(32), nullable=False),
    Column("first", Float),  # what the first marker had given, once it is settled
    Column("settled", NAME, nullable=False),  # who has settled it; empty: nobody yet
)
APART = Table(
    "desk_apart", METADATA, Column("student", NAME, primary_key=True), Column("cell", NAME, primary_key=True)
)


class NewerTables(GraderFault):
    """The database was used by a later version of the kit."""


def _to_1(connection: Connection) -> None:
    METADATA.create_all(
        connection,
        tables=[SCHEMA, SETTINGS, ITEMS, MARKS, APPLIED, TEXTS, CLAIMS, HISTORY],
    )


def _to_2(connection: Connection) -> None:
    METADATA.create_all(connection, tables=[SECONDS, APART])


# Each takes the tables of the version before, and makes those of its own.
MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_to_1, _to_2)
assert len(MIGRATIONS) == VERSION


def migrate(connection: Connection) -> int:
    """Bring the tables up to date, within the connection's transaction.

    Returns:
        The version that was there; 0 where there was none.

    Raises:
        NewerTables: they are of a later version than this kit knows.
    """
    found = 0
    if inspect(connection).has_table(SCHEMA.name):
        found = connection.execute(select(SCHEMA.c.version)).scalar_one_or_none() or 0
    if found > VERSION:
        raise NewerTables(
            f"the desk's tables in the gradebook are of version {found}, and this kit knows {VERSION}: "
            "update the kit"
        )
    for step in MIGRATIONS[found:]:
        step(connection)
    if found != VERSION:
        connection.execute(SCHEMA.delete())
        connection.execute(SCHEMA.insert().values(version=VERSION))
    return found

"""The gradebook's database as the desk uses it: many short transactions, each whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from grader.desk.tables import migrate
from grader.limits import DESK_BUSY_SECONDS


class Database:
    """Connections to one gradebook."""

    def __init__(self, url: str) -> None:
        """
        Args:
            url: nbgrader's `db_url`.
        """
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self._engine = _engine(url, self.is_sqlite)
        # SQLite lets those who wait try again in no order: of eight, one may never get its turn.
        self._one_by_one: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that changes nothing.

        On SQLite every statement stands alone: whoever reads for seconds, and files between two statements,
        would keep all from writing. What is written afterwards is compared with what was read.
        """
        with self._engine.connect() as connection:
            connection.info["begin"] = ""
            yield connection
            connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at its end, and rolled back where something goes wrong.

        On SQLite it is the only one that writes from its beginning on: what it has read is still so when it
        writes. On PostgreSQL rows are locked one by one.
        """
        with self._one_by_one, self._engine.connect() as connection:
            connection.info["begin"] = "BEGIN IMMEDIATE"
            with connection.begin():
                yield connection

    def prepare(self, fill: Callable[[Connection], object] = lambda connection: None) -> int:
        """Make the desk's tables, or bring them up to date; returns the version that was there.

        Args:
            fill: what to do then, in the same transaction: of servers that start at once, one after another.

        Raises:
            NewerTables: a later version of the kit has made them.
            SQLAlchemyError: the database cannot be used.
        """
        with self.writing() as connection:
            if not self.is_sqlite:  # of two servers that start at once, one waits
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(64281)")
            found = migrate(connection)
            fill(connection)
            return found

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()


def _engine(url: str, is_sqlite: bool) -> Engine:
    if not is_sqlite:
        return create_engine(url, pool_pre_ping=True, pool_size=8)
    engine = create_engine(url, connect_args={"timeout": DESK_BUSY_SECONDS, "check_same_thread": False})

    # Python's driver begins a transaction only at the first change: what was read before may be old by then.
    @event.listens_for(engine, "connect")
    def _by_hand(connection: Any, record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if begin := connection.info.get("begin", "BEGIN"):
            connection.exec_driver_sql(begin)

    return engine

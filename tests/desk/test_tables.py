"""The desk's tables: made where there are none, brought up to date where old, left alone where newer."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import inspect, select

from grader.desk.database import Database
from grader.desk.desk import Desk
from grader.desk.scoring import Given
from grader.desk.tables import METADATA, SCHEMA, VERSION, NewerTables, migrate
from grader.desk.tables import _to_1 as to_version_1
from tests.desk.working import give, items, take


@pytest.fixture
def database(tmp_path) -> Database:
    return Database(f"sqlite:///{tmp_path}/other.db")


def test_they_are_made_once(database):
    assert database.prepare() == 0
    assert database.prepare() == VERSION
    with database.reading() as connection:
        assert set(METADATA.tables) <= set(inspect(connection).get_table_names())
        assert connection.execute(select(SCHEMA.c.version)).scalar_one() == VERSION


def test_those_of_version_1_get_what_is_missing_and_lose_nothing(database):
    with database.writing() as connection:
        to_version_1(connection)
        connection.execute(SCHEMA.insert().values(version=1))
        row = {"cell": "q1-1", "position": 0, "points": 1.0, "text": "kept", "note": "", "origin": ""}
        connection.execute(METADATA.tables["desk_item"].insert().values(**row, retired=False))
    assert database.prepare() == 1
    with database.reading() as connection:
        assert {"desk_second", "desk_apart"} <= set(inspect(connection).get_table_names())
        assert connection.execute(select(METADATA.tables["desk_item"].c.text)).scalar_one() == "kept"


def test_a_migration_that_fails_changes_nothing(database, monkeypatch):
    def fails(connection) -> None:
        raise OSError("no")

    monkeypatch.setattr("grader.desk.tables.MIGRATIONS", (to_version_1, fails))
    with pytest.raises(OSError, match="no"):
        database.prepare()
    with database.reading() as connection:
        assert inspect(connection).get_table_names() == []


def test_those_of_a_later_version_are_left_alone(database):
    database.prepare()
    with database.writing() as connection:
        connection.execute(SCHEMA.update().values(version=VERSION + 1))
    with pytest.raises(NewerTables, match="update the kit"), database.writing() as connection:
        migrate(connection)


def test_nbgrader_works_on_beside_them(desk, ana, demo):
    """Its own migration passes over them, and its gradebook shows the mark."""
    from nbgrader.api import Gradebook

    task = take(desk, ana)
    give(desk, ana, task, Given((items(desk)[0],)))
    with Gradebook(desk.database.url) as gradebook:
        grade = gradebook.find_grade("q1-1", "report", "a3", task.standing.student)
        assert (grade.score, grade.needs_manual_grade) == (1.0, False)


def test_a_locked_database_is_told_and_worked_with_again_afterwards(desk, ana, monkeypatch):
    from sqlalchemy.exc import OperationalError

    monkeypatch.setattr("grader.desk.database.DESK_BUSY_SECONDS", 0.2)
    other = Desk(desk.course, desk.database.url)
    task = take(other, ana)
    with sqlite3.connect(desk.database.url.removeprefix("sqlite:///"), isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OperationalError, match="locked"):
            give(other, ana, task, Given((1,)))
        holder.execute("ROLLBACK")
    assert give(other, ana, task, Given((1,))).points == 1
    other.database.close()

"""A copy of a made-up course, which a benchmark of the desk may change; its gradebook may be elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from nbgrader.api import Base
from sqlalchemy import MetaData, Table, create_engine, insert, select
from sqlalchemy.exc import NoSuchTableError

from grader.gradebook.course import Course

MOST_ROWS = 5_000  # in one statement


def copy_of(course: Path, folder: Path, db_url: str | None) -> tuple[Course, str]:
    """A course like another, and the URL of its gradebook. What a desk does not change is linked: gigabytes.

    Args:
        course: which one; it stays as it is.
        folder: a folder of the caller's, on the same disk.
        db_url: an empty database for the copy's gradebook; by default it is a file of the copy's.
    """

    def copied(source: str, target: str) -> None:
        if "autograded" in source or "collected" in source or "submitted" in source:
            os.link(source, target)
        else:
            shutil.copy2(source, target)

    root = Path(shutil.copytree(course, folder / "course", copy_function=copied))
    own = f"sqlite:///{root}/gradebook.db"
    if db_url is None:
        return Course(root), own
    copy_database(own, db_url)
    with (root / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.CourseDirectory.db_url = {db_url!r}\n")
    return Course(root), db_url


def copy_database(source: str, target: str) -> None:
    """nbgrader's tables with all rows. The desk's own, which it makes where they are missing, stay behind."""
    reading, writing = create_engine(source), create_engine(target)
    Base.metadata.create_all(writing)
    with reading.connect() as old, writing.begin() as new:
        for table in (*Base.metadata.sorted_tables, *_migrations(reading)):
            table.create(writing, checkfirst=True)
            rows = [dict(row) for row in old.execute(select(table)).mappings()]
            for start in range(0, len(rows), MOST_ROWS):
                new.execute(insert(table), rows[start : start + MOST_ROWS])
    reading.dispose()
    writing.dispose()


def _migrations(engine: object) -> list[Table]:
    """The table in which nbgrader's migrations say how far they are."""
    try:
        return [Table("alembic_version", MetaData(), autoload_with=engine)]
    except NoSuchTableError:
        return []

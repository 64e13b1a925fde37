"""What the kit changes in formgrader's handlers, without a server or a browser."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from nbgrader.api import Gradebook
from nbgrader.server_extensions.formgrader import apihandlers
from nbgrader.server_extensions.formgrader.base import BaseApiHandler, BaseHandler
from sqlalchemy.exc import OperationalError

from gradebook.courses import roster
from grader.gradebook import steps
from grader.gradebook.access import unwritable_gradebook
from grader.gradebook.course import inside
from grader.gradebook.formgrader_server import problem_of


def test_a_courses_configuration_changes_the_handlers_once(course):
    with inside(course), inside(course):
        pass
    routes = [route for route, _ in apihandlers.default_handlers]
    assert routes.count("/formgrader/api/gradebook") == 1
    assert issubclass(BaseApiHandler, BaseHandler)
    assert BaseHandler.on_finish.__module__ == "grader.gradebook.formgrader_server"


def test_a_session_that_failed_does_not_spoil_the_next_request(course):
    """As nbgrader keeps it: one for all requests."""
    roster(course, "ada")
    with inside(course) as config:
        url = steps.course_directory(config).db_url
    handler = type("Handler", (), {"settings": {"nbgrader_gradebook": Gradebook(url, "dgm")}})()
    gradebook = handler.settings["nbgrader_gradebook"]
    with closing(sqlite3.connect(course.root / "gradebook.db", isolation_level=None)) as run_elsewhere:
        run_elsewhere.execute("BEGIN IMMEDIATE")
        gradebook.find_student("ada").first_name = "Ada"
        with pytest.raises(OperationalError) as caught:
            gradebook.db.commit()
        told = problem_of(caught.value, course, url)
        assert told == "the gradebook is in use, perhaps by a run that enters marks: try again in a moment"
        run_elsewhere.execute("ROLLBACK")
    BaseHandler.on_finish(handler)
    assert handler.settings == {"nbgrader_gradebook": None}
    BaseHandler.on_finish(handler)  # a request that needed no gradebook
    gradebook.find_student("ada").first_name = "Ada"
    gradebook.db.commit()
    gradebook.close()


def test_other_faults_of_the_database_are_told_in_one_line(course):
    error = OperationalError("UPDATE grade SET ...", {}, Exception("database or disk is full\nmore"))
    told = problem_of(error, course, f"sqlite:///{course.root}/gradebook.db")
    assert told == "the gradebook cannot be used: database or disk is full"


def test_only_a_file_can_be_told_to_be_unwritable(course):
    for url in ("postgresql+psycopg2://course:secret@db.example/dgm", "sqlite://", "sqlite:///gradebook.db"):
        assert unwritable_gradebook(course, url) is None

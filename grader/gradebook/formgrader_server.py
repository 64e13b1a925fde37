"""What nbgrader 0.9.6's formgrader lacks on the server: it says why a save failed, and goes on after it.

It keeps one database session for all requests and never rolls it back: after one save that fails, every
page is an error until the server restarts. It keeps it, too, when the course or the file of the gradebook is
another by then. nbgrader has no hook, but it reads a course's configuration before it makes its handlers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nbgrader.server_extensions.formgrader import apihandlers
from nbgrader.server_extensions.formgrader.base import (
    BaseApiHandler,
    BaseHandler,
    check_notebook_dir,
    check_xsrf,
)
from sqlalchemy.exc import SQLAlchemyError
from tornado import web

from grader.gradebook.access import unwritable_gradebook
from grader.gradebook.course import Course
from grader.text import printable

UNAVAILABLE = 503
_PAGE = (
    "{% extends 'base.tpl' %}{% block title %}Error{% endblock %}"
    "{% block body %}<p class='alert alert-danger' role='alert'>{{ problem | e }}</p>{% endblock %}"
)
_write_error = BaseHandler.write_error
_render = BaseHandler.render
DESK = "grader_desk"  # in the server's settings where the marking desk is there, too
_LIST = '<ul class="nav nav-pills nav-stacked">'  # of nbgrader's pages, at their left


class GradebookHandler(BaseApiHandler):
    """Tells a page that is being opened whether marks can be saved."""

    @web.authenticated
    @check_xsrf
    @check_notebook_dir
    def get(self) -> None:
        """Answer `{"problem": null, "desk": null}`: why they cannot, and where the marking desk is."""
        problem = unwritable_gradebook(_course(self), self.coursedir.db_url)
        self.write({"problem": problem, "desk": _desk(self)})


def extend_formgrader() -> None:
    """Change formgrader's handlers, once, before it makes any."""
    BaseHandler.on_finish = _forget_gradebook
    BaseHandler.write_error = _tell_error
    BaseHandler.render = _link_to_desk
    route = (r"/formgrader/api/gradebook", GradebookHandler)
    if route not in apihandlers.default_handlers:
        apihandlers.default_handlers.append(route)


def problem_of(error: SQLAlchemyError, course: Course, db_url: str) -> str:
    """Why the gradebook could not be used, and what to do; for a person at a page."""
    denied = unwritable_gradebook(course, db_url)
    if denied is not None:
        return denied
    reason = printable(str(getattr(error, "orig", None) or error).splitlines()[0], 200)
    if "locked" in reason:
        return "the gradebook is in use, perhaps by a run that enters marks: try again in a moment"
    return f"the gradebook cannot be used: {reason}"


def _desk(handler: BaseHandler) -> str | None:
    """The address of the marking desk; None where this server has none."""
    return f"{handler.base_url}/desk" if DESK in handler.settings else None


def _link_to_desk(self: BaseHandler, name: str, **values: Any) -> str:
    """A page of nbgrader's, with the desk in its list of pages."""
    page: str = _render(self, name, **values)
    desk = _desk(self)
    link = f'<li role="presentation"><a href="{desk}">Marking desk</a></li>'
    return page.replace(_LIST, f"{_LIST}{link}", 1) if desk else page


def _course(handler: BaseHandler) -> Course:
    return Course(Path(handler.coursedir.root))


def _forget_gradebook(self: BaseHandler) -> None:
    """End a request's session: what it left undone is rolled back, and the next one reads anew."""
    gradebook = self.settings.get("nbgrader_gradebook")
    if gradebook is not None:
        self.settings["nbgrader_gradebook"] = None
        gradebook.close()


def _tell_error(self: BaseHandler, status_code: int, **kwargs: Any) -> None:
    error = (kwargs.get("exc_info") or (None, None))[1]
    if not isinstance(error, SQLAlchemyError):
        _write_error(self, status_code, **kwargs)
        return
    problem = problem_of(error, _course(self), self.coursedir.db_url)
    self.set_status(UNAVAILABLE)
    if isinstance(self, BaseApiHandler):
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"message": problem}))
    else:
        page = self.settings["nbgrader_jinja2_env"].from_string(_PAGE)
        self.finish(page.render(base_url=self.base_url, problem=problem))

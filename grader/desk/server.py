"""What all handlers of the desk share: who asks, work in threads, and errors that say what to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from jinja2 import Environment, PackageLoader, StrictUndefined
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from sqlalchemy.exc import SQLAlchemyError
from tornado import web

from grader.desk.claims import Author
from grader.desk.clock import shown, zone_of
from grader.desk.desk import Desk
from grader.desk.scoring import NotValid, signed
from grader.desk.settings import marker_name
from grader.desk.views import Pages
from grader.errors import GraderFault
from grader.gradebook.formgrader_server import DESK as KEY
from grader.gradebook.formgrader_server import problem_of
from grader.report.marks_csv import number
from grader.report.theme import stylesheet

COOKIE = "desk-marker"
PREFIX = "desk"
THREADS = 8
REFUSED, IN_USE, NOT_POSSIBLE, UNAVAILABLE = 403, 409, 400, 503

# No script but the desk's own, and nothing from elsewhere, whatever an answer holds. MathJax sets styles.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)

T = TypeVar("T")


class Shared:
    """What one server keeps for all requests."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.pages = Pages()
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="desk")
        self.templates = Environment(
            loader=PackageLoader("grader.desk", "templates"), autoescape=True, undefined=StrictUndefined
        )
        self.templates.filters["number"] = number
        self.templates.filters["signed"] = lambda points: signed(points).replace("-", "\N{MINUS SIGN}")
        self.templates.filters["moment"] = lambda at: shown(at, zone_of(desk.course))
        self.templates.globals["colours"] = stylesheet()


class Problem(web.HTTPError):
    """An error with one line for a person, and data for the page."""

    def __init__(self, status: int, problem: str, **data: Any) -> None:
        super().__init__(status, log_message=None)
        self.problem, self.data = problem, data


class DeskHandler(JupyterHandler):
    """A request to the desk."""

    @property
    def shared(self) -> Shared:
        shared: Shared = self.settings[KEY]
        return shared

    @property
    def desk(self) -> Desk:
        return self.shared.desk

    @property
    def content_security_policy(self) -> str:
        return POLICY

    @property
    def root(self) -> str:
        """The address of the desk on this server."""
        return url_path_join(self.base_url, PREFIX)

    @property
    def is_known(self) -> bool:
        """Whether the server itself says who asks, as JupyterHub does."""
        return type(self.identity_provider).__module__.startswith("jupyterhub")

    @property
    def marker(self) -> str:
        """Who asks: the hub's user, or the name that they gave; empty where they gave none yet."""
        if self.is_known:
            return str(self.current_user.username)
        given = self.get_cookie(COOKIE) or ""
        try:
            return marker_name(unquote(given)) if given else ""
        except NotValid:
            return ""

    def remember_marker(self, name: str) -> None:
        """Keep a name that somebody gave, in their browser."""
        self.set_cookie(
            COOKIE, quote(name), path=self.base_url, expires_days=120, httponly=True, samesite="Lax"
        )

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do something that waits for the database, and let other requests go on meanwhile.

        Raises:
            Problem: it could not be done.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self.shared.threads, work)
        except SQLAlchemyError as error:
            self.log.warning("desk: %s", error)
            problem = problem_of(error, self.desk.course, self.desk.database.url)
            raise Problem(UNAVAILABLE, problem) from error
        except NotValid as error:
            raise Problem(NOT_POSSIBLE, str(error)) from error
        except GraderFault as error:
            raise Problem(UNAVAILABLE, str(error)) from error

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")


class ApiHandler(DeskHandler):
    """A request of a page's script: JSON in, JSON out."""

    def body(self) -> dict[str, Any]:
        """What the page has sent.

        Raises:
            Problem: it is no JSON object.
        """
        try:
            table = json.loads(self.request.body or b"{}")
        except ValueError as error:
            raise Problem(NOT_POSSIBLE, "what was sent is not JSON") from error
        if not isinstance(table, dict):
            raise Problem(NOT_POSSIBLE, "what was sent is no object")
        return table

    def author(self, table: dict[str, Any]) -> Author:
        """Who sends this.

        Raises:
            Problem: nobody has said who they are.
        """
        if not self.marker:
            raise Problem(NOT_POSSIBLE, "say who you are first: open the desk's first page")
        browser = table.get("browser")
        if not isinstance(browser, str) or not 8 <= len(browser) <= 64:
            raise Problem(NOT_POSSIBLE, "the page did not say which one it is: load it again")
        return Author(self.marker, browser)

    def reply(self, table: dict[str, Any]) -> None:
        """Answer the page."""
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(table, allow_nan=False))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = (kwargs.get("exc_info") or (None, None))[1]
        table = {"problem": reason(status_code, error)}
        if isinstance(error, Problem):
            table |= error.data
        self.reply(table)


class PageHandler(DeskHandler):
    """A request for a page."""

    def page(self, template: str, **values: Any) -> None:
        """Answer with a page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        text = self.shared.templates.get_template(template).render(
            root=self.root,
            formgrader=url_path_join(self.base_url, "formgrader"),
            xsrf=self.xsrf_token.decode(),  # also sets the cookie, without which nothing can be saved
            marker=self.marker,
            is_known=self.is_known,
            **values,
        )
        self.finish(text)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        problem = reason(status_code, (kwargs.get("exc_info") or (None, None))[1])
        self.page("problem.html.j2", problem=problem)


def reason(status: int, error: BaseException | None) -> str:
    """What went wrong, for a person."""
    if isinstance(error, Problem):
        return error.problem
    if status == REFUSED:
        return "this request does not come from a page of the desk, or you are not logged in any more"
    if status == 404:
        return "there is no such page at the desk"
    return "the desk has failed at this: the server's log says why"


def by_name(method: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Show a page to whoever is logged in, and has said who they are."""

    @wraps(method)
    async def first(self: PageHandler, *arguments: Any) -> None:
        if self.marker:
            await method(self, *arguments)
        else:
            # Without the token, which is in the address where somebody comes by a link.
            uri = self.request.path if self.get_query_argument("token", "") else self.request.uri
            place = quote(uri or "", safe="")
            self.redirect(f"{url_path_join(self.root, 'who')}?next={place}")

    allowed: Callable[..., Awaitable[None]] = web.authenticated(first)  # type: ignore[assignment]
    return allowed

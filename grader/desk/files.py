"""What a page loads besides itself: scripts and styles, MathJax, and figures. Nothing without a login."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from tornado import web

from grader.desk.figures import RESULTS, solution_figures
from grader.desk.grades import standing
from grader.desk.server import DeskHandler
from grader.gradebook.formulas import mathjax_code, mathjax_settings
from grader.gradebook.handed_in import read_picture

TEMPLATES = Path(__file__).parent / "templates"
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
MATHJAX, MATHJAX_SETTINGS = "mathjax.js", "mathjax-settings.js"


class FileHandler(DeskHandler):
    """A script or a style sheet, by a name that is known."""

    @web.authenticated
    async def get(self, name: str) -> None:
        content = static_file(name)
        if content is None:
            raise web.HTTPError(404)
        self.set_header("Content-Type", KINDS[Path(name).suffix])
        self.set_header("Cache-Control", "private, no-cache")  # asked for again, and not sent again
        self.set_header("Etag", f'"{hashlib.sha256(content).hexdigest()[:32]}"')
        if self.check_etag_header():
            self.set_status(304)
            return
        self.write(content)


class FigureHandler(DeskHandler):
    """A figure that a student handed in."""

    @web.authenticated
    async def get(self, cell: str, answer: str, name: str) -> None:
        def work() -> tuple[str, bytes] | None:
            with self.desk.reading() as connection:
                one = standing(connection, cell, answer=answer)
            return read_picture(self.desk.book.figures(one.student) / name) if one else None

        _send(self, await self.in_thread(work) if Path(name).name == name else None)


class SolutionHandler(DeskHandler):
    """A figure of the solutions."""

    @web.authenticated
    async def get(self, name: str) -> None:
        _send(self, read_picture(RESULTS / name) if name in solution_figures().values() else None)


def _send(handler: DeskHandler, picture: tuple[str, bytes] | None) -> None:
    if picture is None:
        raise web.HTTPError(404)
    handler.set_header("Content-Type", picture[0])
    handler.set_header("Cache-Control", "private, max-age=300")
    handler.finish(picture[1])


@cache
def _names() -> dict[str, Path]:
    return {path.name: path for path in TEMPLATES.iterdir() if path.suffix in KINDS}


def static_file(name: str) -> bytes | None:
    """The content of one of the desk's files; None where there is none of this name."""
    if name == MATHJAX:
        return mathjax_code().encode()
    if name == MATHJAX_SETTINGS:
        return mathjax_settings().encode()
    path = _names().get(name)
    return path.read_bytes() if path else None


HANDLERS: list[tuple[str, Any]] = [
    (r"/static/([\w.-]+)", FileHandler),
    (r"/figure/(q[0-9a-z_-]+)/([0-9a-f]{32})/([^/]+)", FigureHandler),
    (r"/solution/([\w.-]+)", SolutionHandler),
]

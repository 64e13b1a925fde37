"""Puts the desk into a Jupyter server: which course it is, and which address leads to what."""

from __future__ import annotations

import os
import re
from pathlib import Path
from threading import Thread
from typing import Any

from jupyter_server.utils import url_path_join
from nbgrader.apps.baseapp import NbGrader

from grader.desk import api, files, item_api, pages, student_pages
from grader.desk.desk import Desk
from grader.desk.server import KEY, PREFIX, Shared
from grader.errors import GraderFault, GraderUsageError
from grader.gradebook.course import CONFIG_FILE, Course, inside
from grader.gradebook.steps import course_directory
from grader.text import printable


def load(server_app: Any) -> None:
    """Add the desk to a server, for the course that nbgrader is configured for.

    Where there is none, or its configuration cannot be read, the server starts without a desk, and its log
    says why: it has other things to do, too.
    """
    try:
        course = find_course(Path(server_app.root_dir))
        with inside(course) as config:
            db_url = course_directory(config).db_url
        shared = Shared(Desk(course, db_url))
    except (GraderUsageError, GraderFault) as error:
        server_app.log.error("The marking desk is not there: %s", error)
        return
    Thread(target=shared.desk.warm, name="desk-warm", daemon=True).start()
    web_app = server_app.web_app
    web_app.settings[KEY] = shared
    base = url_path_join(web_app.settings["base_url"], PREFIX)
    handlers = [(re.escape(base) + pattern, handler) for pattern, handler in routes()]
    web_app.add_handlers(".*$", handlers)
    server_app.log.info("Marking desk of %s at %s", printable(str(course.root)), base)


def routes() -> list[tuple[str, Any]]:
    """All addresses below that of the desk, with their handlers."""
    calls = {**api.HANDLERS, **item_api.HANDLERS}
    return [
        *pages.HANDLERS,
        *student_pages.HANDLERS,
        *files.HANDLERS,
        *((f"/{name}", handler) for name, handler in calls.items()),
        (r"/.*", pages.NoSuchPage),
    ]


def find_course(root: Path) -> Course:
    """The course of a server: the folder that it serves, or the one that nbgrader is configured for.

    Raises:
        GraderUsageError: there is none.
    """
    if (root / CONFIG_FILE).is_file():
        return Course(root.absolute())
    app = NbGrader()
    app.load_cwd_config = False
    try:
        app.load_config_file()
    except Exception as error:
        raise GraderUsageError(f"nbgrader's configuration cannot be read: {printable(str(error))}") from error
    configured = app.config.CourseDirectory.get("root")
    if isinstance(configured, str) and (Path(configured) / CONFIG_FILE).is_file():
        return Course(Path(os.path.abspath(configured)))
    raise GraderUsageError(
        f"{printable(str(root))}: is no course, and nbgrader's configuration names none "
        "(CourseDirectory.root)"
    )

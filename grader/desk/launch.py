"""Starts a Jupyter server with the desk and formgrader, for one course, on this machine alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from grader.errors import GraderUsageError
from grader.gradebook.access import umask_of, unwritable_gradebook
from grader.gradebook.course import REPOSITORY, Course, inside, require_release
from grader.gradebook.progress import say
from grader.gradebook.steps import course_directory
from grader.text import printable

PORT = 8888
EXTENSIONS = (
    "grader.desk",
    "nbgrader.server_extensions.formgrader",
)


def running(course: Course) -> list[str]:
    """The addresses of the Jupyter servers of this account that serve the course's folder."""
    from jupyter_server.serverapp import list_running_servers

    return [
        one["url"]
        for one in list_running_servers()
        if os.path.realpath(one.get("root_dir", "")) == os.path.realpath(course.root)
    ]


def serve(course: Course, port: int | None = None, browser: bool = False) -> int:
    """Serve until it is interrupted.

    Args:
        course: whose answers are marked.
        port: which port; by default the first free one from 8888 on.
        browser: whether to open a browser.

    Raises:
        GraderUsageError: there is nothing to mark yet, or the gradebook cannot be written.
    """
    require_release(course)
    with inside(course) as config:
        denied = unwritable_gradebook(course, course_directory(config).db_url)
    if denied:
        raise GraderUsageError(denied)
    # nbgrader reads the configuration of the working directory, and formgrader calls its commands by name.
    sys.path.insert(0, str(REPOSITORY))  # where `python -m` had the working directory
    os.chdir(course.root)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    arguments = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port or PORT}",
        f"--ServerApp.port_retries={0 if port else 50}",
        f"--ServerApp.root_dir={course.root}",
        "--ServerApp.default_url=/desk",
        f"--ServerApp.open_browser={browser}",
        f"--ServerApp.jpserver_extensions={dict.fromkeys(EXTENSIONS, True)!r}",
    ]
    if os.geteuid() == 0:  # as in a container
        arguments.append("--allow-root")
    from jupyter_server.serverapp import ServerApp

    for url in running(course):
        say(
            f"note: this course has a server already, {url}. Both work on the same gradebook: an answer that "
            "is open at one is not handed out by the other"
        )
    say(f"the marking desk of {printable(str(course.root))}: open the address below; Ctrl-C ends it")
    with umask_of(course):
        ServerApp.launch_instance(arguments)
    return 0

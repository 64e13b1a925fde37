"""A real server with the desk, and people who have logged in there, for the tests."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from grader.gradebook.course import REPOSITORY, Course

TOKEN = secrets.token_hex(12)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CELL = "q1-1"


class Server:
    """A server's process and address."""

    def __init__(self, course: Course, home: Path) -> None:
        """
        Args:
            course: whose answers are marked.
            home: a folder for its account's own files, and its log.
        """
        home.mkdir(exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = home / "log"
        self._environment = os.environ | {"HOME": str(home), "JUPYTER_TOKEN": TOKEN}
        self._command = [
            sys.executable,
            "-m",
            "grader",
            "course",
            "desk",
            str(course.root),
            "--port",
            str(self.port),
        ]
        self.start()

    def start(self) -> None:
        """Start it, at the same address, and wait until it answers."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self._command, cwd=REPOSITORY, env=self._environment, stdout=output, stderr=output
            )
        for _ in range(480):
            assert self.process.poll() is None, self.log.read_text()
            try:
                requests.get(f"{self.address}/api/status", params={"token": TOKEN}, timeout=5)
                return
            except requests.RequestException:
                time.sleep(0.25)
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self.process.kill()
        self.process.wait(timeout=30)

    def close(self) -> None:
        """End it as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)


@contextmanager
def served(course: Course, home: Path) -> Iterator[Server]:
    """A server for as long as it is needed."""
    server = Server(course, home)
    try:
        yield server
    finally:
        server.close()


class Person:
    """Somebody who has logged in, and has said who they are: what a page's script does, without a page."""

    def __init__(self, address: str, name: str = "Ana") -> None:
        self.root = f"{address}/desk"
        self.browser = secrets.token_hex(8)
        self.session = requests.Session()
        page = self.session.get(f"{self.root}/who", params={"token": TOKEN}, timeout=60)
        self.xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
        self.session.post(f"{self.root}/who", data={"_xsrf": self.xsrf, "name": name, "next": ""}, timeout=60)

    def page(self, place: str) -> requests.Response:
        return self.session.get(f"{self.root}{place}", timeout=60)

    def call(self, name: str, status: int = 200, **body: Any) -> dict[str, Any]:
        """What the server answers to a page's script, whose status is checked."""
        answer = self.session.post(
            f"{self.root}/api/{name}",
            json={"browser": self.browser, **body},
            headers={"X-XSRFToken": self.xsrf},
            timeout=60,
        )
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()

    def next(self, cell: str = CELL, **more: Any) -> dict[str, Any] | None:
        return self.call("next", cell=cell, **more)["task"]

    def save(self, task: dict[str, Any], items: list[int], status: int = 200, **more: Any) -> dict[str, Any]:
        given = {"items": items, "adjustment": 0, "reason": "", "comment": ""} | more.pop("given", {})
        about = {name: task[name] for name in ("cell", "answer", "version", "second")}
        return self.call("save", status, given=given, **about, **more)

    def items(self, cell: str = CELL) -> list[int]:
        return [item["id"] for item in self.call("next", cell=cell)["items"]]


def scores(course: Course, cell: str = CELL) -> dict[str, tuple[float | None, bool]]:
    """Points by hand, and whether it waits, by student, as nbgrader's own library reads them."""
    from grader.gradebook.course import inside
    from grader.gradebook.steps import open_gradebook

    found = {}
    with inside(course) as config, open_gradebook(config) as gradebook:
        for submission in gradebook.assignment_submissions("a3"):
            grade = next(one for one in submission.notebooks[0].grades if one.name == cell)
            found[submission.student_id] = (grade.manual_score, grade.needs_manual_grade)
    return found

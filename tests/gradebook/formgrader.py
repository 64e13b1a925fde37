"""A real Jupyter server with formgrader, and browsers that have logged in there, for the tests of both."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from page_errors import watch

from grader.gradebook.course import Course

TOKEN = secrets.token_hex(8)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LIST = "/formgrader/gradebook/a3/report"

IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt install chromium"),
]


@contextmanager
def served(course: Course, home: Path, within: Sequence[str] = ()) -> Iterator[str]:
    """A server in a course's folder.

    Args:
        course: which one.
        home: an empty folder for its account's own files, and its log.
        within: a command that runs the server's.

    Yields:
        Its address.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    command = [*within, sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", f"--ServerApp.token={TOKEN}", f"--ServerApp.root_dir={course.root}"]
    log = home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--allow-root"], cwd=course.root, env=environment, stdout=output, stderr=output
        )
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                assert process.poll() is None, log.read_text()
                try:
                    with urllib.request.urlopen(f"{address}/api/status?token={TOKEN}", timeout=5):
                        break
                except OSError:
                    time.sleep(0.5)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextmanager
def browser() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root, as in a container, Chromium only starts without its own sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@contextmanager
def visitor(browser: Any, address: str) -> Iterator[Any]:
    """A page that has logged in. In the end, there was no error on any page.

    A test that makes errors takes those that it expects out of `page.errors`.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    errors = watch(context)
    page = context.new_page()
    page.errors = errors
    page.set_default_timeout(60_000)
    page.goto(f"{address}/formgrader?token={TOKEN}")
    yield page
    context.close()
    assert errors == [], errors


def asked(address: str, place: str) -> Any:
    """What formgrader's server answers, from JSON."""
    request = urllib.request.Request(
        f"{address}/formgrader/api/{place}", headers={"Authorization": f"token {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def submissions(address: str) -> list[str]:
    """The addresses of all submissions' pages, in the order of *Next*."""
    found = asked(address, "submitted_notebooks/a3/report")
    ordered = sorted(found, key=lambda one: one["index"])
    return [f"{address}/formgrader/submissions/{one['id']}/" for one in ordered]


def opened(page, address: str) -> None:
    """A submission's page, ready for the keyboard."""
    page.goto(address)
    ready(page)


def ready(page) -> None:
    page.wait_for_function("window.formgrader && formgrader.loaded && MathJax.loaded")
    page.wait_for_function("formgrader.grades.loaded && formgrader.comments.loaded")


def arrives(page, address: str) -> None:
    """Wait until a submission's page has come, whatever the field."""
    page.wait_for_url(re.compile(re.escape(address.rstrip("/")) + r"/(\?.*)?$"))
    ready(page)

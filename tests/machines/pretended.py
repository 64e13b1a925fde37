"""Runs commands for an account, with results made up where code would be marked.

Reads a folder and a command's arguments from each line, in JSON, and runs it in a fork: what a command loads,
which takes seconds, is loaded once.
"""

from __future__ import annotations

import json
import os
import sys

import nbgrader.apps.nbgraderapp
import pytest
from gradebook.courses import pretend_to_grade

from grader.cli import main
from grader.gradebook import steps  # noqa: F401  (loads what every run needs)

END = "\0"


def run(folder: str, arguments: list[str]) -> int:
    """Run a command of the grader's, or of nbgrader's, in a folder; returns its exit status."""
    os.chdir(folder)
    os.dup2(1, 2)
    if arguments[0] == "nbgrader":
        sys.argv = arguments
        try:
            return nbgrader.apps.nbgraderapp.main()
        except SystemExit as end:
            return int(end.code or 0)
    pretend_to_grade(pytest.MonkeyPatch())
    return main(arguments)


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if not child:
            status = run(*json.loads(line))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status or 0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(f"{END}{ended}", flush=True)

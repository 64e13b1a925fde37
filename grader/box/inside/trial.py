"""Run in a box in place of the template: can a session be set up here at all? Says so in a line of JSON.

All that a session goes through, without torch, which would take seconds: {"held": true}, or the step that the
kernel refused.
"""

from __future__ import annotations

import json
import os
import sys

import isolation


def main() -> None:
    """Try, and report on standard output."""
    step = "nobody"
    try:
        isolation.drop_privileges()
        step = "namespaces"
        reading, writing = os.pipe()
        pid = isolation.fork_into_namespaces()
        if pid == 0:
            _session(writing)
        os.close(writing)
        with open(reading, "rb") as report:
            said = report.read()
        os.waitpid(pid, 0)
        reply = json.loads(said) if said else {"step": "session", "error": "it ended while it was set up"}
    except BaseException as error:
        reply = {"step": step, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(reply))
    sys.stdout.flush()


def _session(writing: int) -> None:
    """What a session does to confine itself; never returns."""
    reply: dict[str, object] = {"held": True}
    try:
        os.setsid()
        isolation.confine()
    except BaseException as error:
        reply = {"step": "session", "error": f"{type(error).__name__}: {error}"}
    os.write(writing, json.dumps(reply).encode())
    os._exit(0)

"""The template: a process that has imported torch and Lightning once and forks every session.

It never runs a student's code. It speaks on descriptor 3 with the grader: each request is a line of
JSON, `open` with the session's wire attached as a file descriptor, `close` with a session's number.
"""

from __future__ import annotations

import array
import ctypes
import gc
import json
import os
import random
import resource
import signal
import socket
import sys
import tempfile
from typing import Any

import forbidden
import fused_adam
import huge_pages
import isolation
import session as session_loop

CONTROL = 3
# New objects before the search for garbage, and searches before a wider one. With Python's own numbers the
# search took 3.6% of a marking; a training that leaves its graphs in circles still gives them back soon.
COLLECT_AFTER = (1000, 20, 50)
SET_PARENT_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36


def import_everything() -> None:
    """Import what students import, and what torch would import lazily (the first optimizer step costs 1.1 s).

    Only imports, on one thread: a fork of a process that has run a multi-threaded torch operation hangs.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot
    import numpy
    import pytorch_lightning  # noqa: F401
    import torch
    import torch._dynamo
    import torch.utils.tensorboard
    import torchvision
    import torchvision.utils  # noqa: F401

    # Nothing can be compiled in a session, and a short check would not gain from it; the compiler itself uses
    # torch.distributions, which would be taken for the student's use.
    torch.compile = run_eagerly
    setattr(torch.nn.Module, "compile", lambda self, *args, **options: None)  # noqa: B010 (mypy)
    fused_adam.install()
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    # Both can be set once in a process, and are: what a student asks for changes nothing, and is no error.
    torch.set_num_interop_threads = lambda nthreads: None
    matplotlib.use = draw_without_a_window
    numpy.random.seed(0)
    random.seed(0)


def draw_without_a_window(backend: str, *, force: bool = True) -> None:
    """Stands in for `matplotlib.use`: there is no display, whatever backend a student has at home."""


def run_eagerly(model: Any = None, **options: Any) -> Any:
    """Stands in for `torch.compile`, as a function and as a decorator with options: what it is given."""
    return (lambda model: model) if model is None else model


def take_distributions_away() -> None:
    """Make torch.distributions, which the assignment forbids, useless to every session."""
    forbidden.install()
    isolation.HIDDEN_PACKAGES.append("distributions")


def make_way() -> None:
    """Forget the names of the modules of this folder: a student may have a `devices.py`, too."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != here]
    for name, module in list(sys.modules.items()):
        if os.path.dirname(getattr(module, "__file__", None) or "") == here:
            del sys.modules[name]


def receive(control: socket.socket) -> tuple[dict[str, Any], int | None]:
    """One request and the descriptor that came with it, if any."""
    data, ancillary, _, _ = control.recvmsg(4096, socket.CMSG_SPACE(4))
    if not data:
        os._exit(0)
    descriptor = None
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptor = array.array("i", content[:4])[0]
    return json.loads(data), descriptor


def start_unprotected(wire: int, folder: str) -> int:
    """Fork a session without any confinement (the instructor's own code), in a folder of its own."""
    work = tempfile.mkdtemp(dir=folder)
    pid = os.fork()
    if pid == 0:
        try:
            ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
            session_loop.work_in(work)
            session_loop.serve(isolation.close_files(wire))
        finally:
            os._exit(0)
    os.close(wire)
    return pid


def start_session(wire: int) -> int:
    """Fork a session into namespaces of its own; its process number, as the template sees it.

    It is the first process of its own process namespace: killing it ends everything in it.
    """
    reading, writing = os.pipe()
    pid = isolation.fork_into_namespaces()
    if pid == 0:
        session_process(wire, writing)
    SESSIONS.add(pid)
    os.close(writing)
    os.close(wire)
    with open(
        reading, "rb"
    ) as reports:  # ends when the session has closed its end, before any student's code
        reply = dict(pair for line in reports for pair in json.loads(line).items())
    if "ready" not in reply:
        stop_session(pid)
        raise isolation.IsolationError(reply.get("error", "the session ended while it was set up"))
    return pid


def report(writing: int, message: dict[str, Any]) -> None:
    """Tell the template how the start of a session goes."""
    os.write(writing, json.dumps(message).encode() + b"\n")


# Every session that was started and not yet closed, whether it still runs or has ended by itself.
SESSIONS: set[int] = set()


def session_process(wire: int, writing: int) -> None:
    """The forked session: confine itself, report, serve; never returns."""
    try:
        # A process group reaches across process namespaces: kill(0) must not find the template in it.
        os.setsid()
        isolation.confine()
        report(writing, {"ready": True})
        descriptor = isolation.close_files(wire)
    except BaseException as error:
        report(writing, {"error": f"{type(error).__name__}: {error}"})
        os._exit(1)
    try:
        session_loop.serve(descriptor)
    finally:
        os._exit(0)


def stop_session(pid: int) -> None:
    """Kill a session and wait until nothing of it is left."""
    if pid in SESSIONS:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        SESSIONS.discard(pid)


def cpu_seconds() -> float:
    """CPU time of the template and all ended sessions so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main(unprotected: str = "", allow_distributions: bool = False) -> None:
    """Serve the grader.

    Args:
        unprotected: a folder to work in without any confinement.
        allow_distributions: leave torch.distributions as it is.
    """
    control = socket.socket(fileno=CONTROL)
    # A third of the time of the imports would go into the search for garbage among what is there to stay.
    gc.disable()
    try:
        if not unprotected:
            isolation.drop_privileges()
        import_everything()
        if not allow_distributions:
            take_distributions_away()
        make_way()
    except BaseException as error:
        control.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        raise
    gc.collect()
    gc.freeze()
    gc.enable()
    # Nothing that is there by now is looked at again, and little of what comes is garbage in a circle.
    gc.set_threshold(*COLLECT_AFTER)
    huge_pages.gather()
    control.send(json.dumps({"ready": True, "cpu": cpu_seconds()}).encode())
    while True:
        request, wire = receive(control)
        try:
            if request["op"] == "open" and wire is not None:
                pid = start_unprotected(wire, unprotected) if unprotected else start_session(wire)
                SESSIONS.add(pid)
                reply: dict[str, Any] = {"session": pid}
            elif request["op"] == "close":
                stop_session(int(request["session"]))
                reply = {"closed": True, "cpu": cpu_seconds()}
            else:
                reply = {"error": "unknown request"}
        except isolation.IsolationError as error:
            reply = {"error": str(error)}
        control.send(json.dumps(reply).encode())


if __name__ == "__main__":
    main()

"""Code that a student could have written, run in a session of the shared box."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grader.box.client import Session
from grader.box.launcher import Box


def session_with(box: Box, file: str, source: bytes) -> Iterator[Session]:
    """A session in the folder of a student's file."""
    session = Session(box)
    session.files({file: source})
    session.enter(file.partition("/")[0])
    yield session
    session.close()


PROBE = b'''
import errno

def run(code):
    space = {"__name__": "probe"}
    exec(compile(code, __file__, "exec"), space)
    return space.get("result")

def refused(code):
    """The name of the error number that the kernel answers with, or what happens instead."""
    try:
        run(code)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    except BaseException as error:
        return type(error).__name__
    return "done"

def call(number, *arguments):
    """A raw system call: its error number's name, or "done"."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments))
    return errno.errorcode[ctypes.get_errno()] if result == -1 else "done"
'''


class Probe:
    """A session in which any code can be run."""

    def __init__(self, box: Box) -> None:
        self.session = Session(box)
        self.session.files({"part1/probe.py": PROBE})
        self.session.enter("part1")
        self._module = self.session.load("probe")

    def run(self, code: str) -> Any:
        """Run code, and hand back its variable `result`."""
        return self._module.run(textwrap.dedent(code))

    def refused(self, code: str) -> str:
        """The name of the error number with which the code fails, its exception's name, or `done`."""
        return self._module.refused(textwrap.dedent(code))

    def call(self, number: int, *arguments: int) -> str:
        """The name of the error number of a raw system call, or `done`."""
        return self._module.call(number, *arguments)


@pytest.fixture
def open_probe(box: Box) -> Iterator[Callable[[], Probe]]:
    """Opens sessions; all are closed after the test."""
    probes: list[Probe] = []

    def open_one() -> Probe:
        probes.append(Probe(box))
        return probes[-1]

    yield open_one
    for probe in probes:
        probe.session.close()
    assert box.alive()


@pytest.fixture
def probe(open_probe: Callable[[], Probe]) -> Probe:
    """One session."""
    return open_probe()

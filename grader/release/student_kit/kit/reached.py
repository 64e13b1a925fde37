"""Which files of your folder your code loads and opens while the tests run: the grader has few of them.

The text of a program does not always show it, since names of files and modules can be computed. Python itself
tells of every file that it opens and all code that it executes, by audit events (PEP 578).
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from kit.imports import PARTS, not_there

WRITES = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
OURS = ("kit", "tests")  # folders at the top
EMPTY = {"__doc__"}  # the names in an __init__.py that makes a folder a package and has nothing in it
IMPORTING = "<frozen importlib"


@dataclass(frozen=True)
class Use:
    """A file of your folder that your code has reached, and the grader has not there.

    Attributes:
        file: its name in the folder.
        by: the one of your five files from which it was; empty where none was on the way.
        line: of that file.
        is_code: whether it has been executed, or is Python.
    """

    file: str
    by: str
    line: int
    is_code: bool


def told(uses: Iterable[Use], theirs: Collection[str]) -> Iterator[str]:
    """What is to be said of uses: a line for each file of code, and for each place that reads others."""
    read: dict[str, list[str]] = {}
    for use in uses:
        who = f"{use.by}, line {use.line}," if use.by else "Your code"
        if use.is_code:
            yield f"{who} loads {use.file}, {not_there(use.by or use.file, use.file, theirs)}"
        else:
            read.setdefault(who, []).append(use.file)
    for who, (first, *others) in read.items():
        more = f" and {len(others)} more" if others else ""
        yield (
            f"{who} reads {first}{more}, which the grader does not have. Write what your code needs of it "
            "into the code, or let the code compute it."
        )


class Reached:
    """A plugin of pytest: notes uses from the first test to the last.

    Args:
        folder: that of the exercise.
        yours: your five files.
        theirs: all files that the grader has.
    """

    def __init__(self, folder: Path, yours: Collection[str], theirs: Collection[str]) -> None:
        self._base = os.path.normcase(folder) + os.sep
        self._yours, self._theirs = set(yours), set(theirs)
        self._uses: dict[str, Use] = {}
        self._written: set[str] = set()
        prefixes = [os.path.normcase(one) + os.sep for one in (sys.prefix, sys.exec_prefix, sys.base_prefix)]
        self._environments = tuple(one for one in prefixes if one.startswith(self._base))
        self._began = 0.0
        self._runs = False

    @property
    def uses(self) -> Iterable[Use]:
        """Every file once, with its first use."""
        return self._uses.values()

    def pytest_runtestloop(self) -> None:
        """Begin: the libraries are loaded, and a spare process of watch.py has got its save."""
        self._began = time.time()
        self._runs = True

        def note(event: str, arguments: tuple[Any, ...]) -> None:
            # Called for every event of Python, of which there are many more than files: nothing else here.
            if (event == "open" or event == "exec") and self._runs:
                try:
                    self._note(event, arguments, sys._getframe(1))
                except Exception:
                    return  # what is raised here would be raised in your code, whose fault it is not

        sys.addaudithook(note)

    def pytest_sessionfinish(self) -> None:
        """End."""
        self._runs = False

    def _note(self, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
        """Keep what is a use."""
        if event == "exec":
            code = arguments[0]
            if not os.path.isabs(code.co_filename) or EMPTY.issuperset(code.co_names):
                return
            name = self._name(code.co_filename)
        else:
            file, mode, flags = arguments
            name = "" if isinstance(file, int) else self._name(os.fsdecode(file))
            if name and (flags & WRITES or any(sign in (mode or "") for sign in "wax")):
                self._written.add(name)
                return
        if not name or name in self._uses or name in self._written or not self._is_of_before(name):
            return
        is_code = event == "exec" or name.endswith(".py")
        by, line, nearest = self._who(event, frame)
        if name in self._theirs:
            others = {*PARTS} - {name.partition("/")[0]}
            if not by or nearest.partition("/")[0] not in others:
                return
        elif event == "open" and (not nearest or nearest in self._theirs - self._yours):
            return  # a library, a test or a given file does so at the grader as well
        self._uses[name] = Use(name, by, line, is_code)

    def _name(self, file: str) -> str:
        """The name in the folder of what may be a file of yours; empty for all else."""
        plain = os.path.isabs(file) and os.pardir not in file  # as libraries are, which are most of it
        path = file if plain else os.path.abspath(file)
        compared = os.path.normcase(path)
        if not compared.startswith(self._base) or compared.startswith(self._environments):
            return ""
        parts = os.path.abspath(path)[len(self._base) :].split(os.sep)
        if parts[0] in OURS or "__pycache__" in parts or any(one[:1] == "." for one in parts):
            return ""
        if parts[0] == "data" or "MNIST" in parts or "site-packages" in parts:
            return ""
        return "/".join(parts)

    def _is_of_before(self, name: str) -> bool:
        """Whether a file was there before the tests. PyTorch writes some without an event."""
        try:
            found = os.stat(self._base + name)
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_mtime < self._began

    def _who(self, event: str, frame: FrameType | None) -> tuple[str, int, str]:
        """The one of your five files that has come to an event, with its line; and the nearest file at all.

        That is empty where a test has, or what Python or a library reads when it is imported.
        """
        nearest = ""
        while frame is not None:
            file = frame.f_code.co_filename
            if event == "open" and not nearest and file.startswith(IMPORTING):
                break
            if os.path.isabs(file) and os.path.normcase(file).startswith(self._base):
                if not nearest and os.path.normcase(file)[len(self._base) :].split(os.sep)[0] in OURS:
                    break
                name = self._name(file)
                nearest = nearest or name
                if name in self._yours:
                    return name, frame.f_lineno, nearest
            frame = frame.f_back
        return "", 0, nearest

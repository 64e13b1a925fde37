"""Which Python runs students' code: the grader's own, or the one that BOX_PYTHON names.

A cohort that was written for a newer Python than the grader's can be marked all the same: the grader stays
what it is, and the box holds another interpreter, with an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from grader.digits import digits_folder
from grader.errors import GraderUsageError
from grader.limits import BOX_PYTHON_SECONDS

VARIABLE = "BOX_PYTHON"
# What students' code and the worker in the box import, and marks depend on.
LIBRARIES = ("torch", "torchvision", "numpy", "pytorch-lightning", "matplotlib", "tensorboard")
SAME = ("torch", "torchvision")  # the references are the grader's: its tensors have to be the box's
OLDEST = (3, 11)

# Run by the other interpreter, which may be of any version: so nothing in it is new.
_ASK = """
import importlib.util, json, os, sys
try:
    from importlib.metadata import PackageNotFoundError, version
except ImportError:
    version, PackageNotFoundError = None, Exception
def release(name):
    try:
        return version(name) if version else ""
    except PackageNotFoundError:
        return ""
def folder(name, *inner):
    found = importlib.util.find_spec(name)
    return os.path.join(os.path.dirname(found.origin), *inner) if found and found.origin else ""
print(json.dumps({
    "executable": sys.executable, "prefix": sys.prefix, "base_prefix": sys.base_prefix,
    "version": list(sys.version_info[:3]), "releases": dict((name, release(name)) for name in sys.argv[1:]),
    "hidden": [place for place in (folder("sklearn", "datasets", "data"), folder("grader")) if place],
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python with its environment.

    Attributes:
        executable: its program.
        prefixes: the folders that it needs: the environment's, and that of the Python behind it.
        version: such as (3, 11, 2).
        releases: the versions of `LIBRARIES`; empty for one that is missing.
        hidden: folders among these that the box must not show: images and suites, where a copy lies there.
    """

    executable: str
    prefixes: tuple[str, ...]
    version: tuple[int, int, int]
    releases: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...] = ()

    @property
    def dotted(self) -> str:
        """The version as text."""
        return ".".join(map(str, self.version))


def box_python() -> Interpreter:
    """The Python that runs students' code.

    Raises:
        GraderUsageError: BOX_PYTHON does not name one that can.
    """
    given = os.environ.get(VARIABLE, "")
    return _other(given) if given else own_python()


@cache
def own_python() -> Interpreter:
    """The Python that runs the grader."""
    images = digits_folder()
    return Interpreter(
        sys.executable,
        tuple(dict.fromkeys((sys.base_prefix, sys.prefix))),
        sys.version_info[:3],
        tuple((name, _release(name)) for name in LIBRARIES),
        (str(images),) if images is not None else (),
    )


def _release(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


@cache
def _other(given: str) -> Interpreter:
    try:
        done = subprocess.run(
            [given, "-I", "-c", _ASK, *LIBRARIES],
            capture_output=True,
            text=True,
            timeout=BOX_PYTHON_SECONDS,
            check=True,
        )
        said = json.loads(done.stdout)
        found = Interpreter(
            said["executable"],
            tuple(dict.fromkeys((said["base_prefix"], said["prefix"]))),
            tuple(said["version"]),
            tuple(said["releases"].items()),
            tuple(said["hidden"]),
        )
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError) as error:
        raise GraderUsageError(
            f"{VARIABLE}={given}: this is not a Python that can be run ({type(error).__name__}); give the "
            "path of the python in an environment of its own, such as /srv/python3.13/bin/python"
        ) from error
    _check(found, given)
    return found


def _check(found: Interpreter, given: str) -> None:
    install = f"install what the grader's environment has: {given} -m pip install -r requirements.txt"
    if found.version < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise GraderUsageError(
            f"{VARIABLE}={given}: this is Python {found.dotted}; the box needs {needed} or newer"
        )
    releases = dict(found.releases)
    missing = [name for name in LIBRARIES if not releases[name]]
    if missing:
        raise GraderUsageError(f"{VARIABLE}={given}: {', '.join(missing)} is missing there; {install}")
    for name in SAME:
        if releases[name] != _release(name):
            raise GraderUsageError(
                f"{VARIABLE}={given}: {name} is {releases[name]} there, and {_release(name)} here; {install}"
            )

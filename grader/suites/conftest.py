"""Fixtures of the hidden suites."""

from __future__ import annotations

import py_compile
import tempfile
from collections.abc import Generator, Iterator
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest
import torch

from grader.box.errors import BoxError, StudentError
from grader.data import split_images
from grader.submission.model import GIVEN_FILES
from grader.suites.causes import explain, lacks_device
from grader.suites.context import CONTEXT, Context
from grader.suites.draw import Draw, derive_seed
from grader.suites.part import HELPER_FOLDER, Part, helpers_of

# The files that come with the assignment: the grader always uses its own copies of them.
STUDENT = Path(__file__).parents[2] / "student"
GIVEN = sorted(name for name in GIVEN_FILES if (STUDENT / name).exists())


@pytest.fixture(scope="session")
def context(pytestconfig: pytest.Config) -> Context:
    """The submission that is being marked."""
    return pytestconfig.stash[CONTEXT]


@pytest.fixture
def draw(context: Context, request: pytest.FixtureRequest) -> Draw:
    """Random inputs for this check of this submission in this run."""
    return Draw(derive_seed(context.seed, context.identity, request.node.name))


@pytest.fixture(autouse=True)
def _own_randomness() -> Iterator[None]:
    """No check sees, or leaves, a seed in torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        yield


def _files(context: Context, folder: str) -> dict[str, bytes]:
    """The student's files of one part, the given ones, and the grader's helpers for it."""
    files = {name: content for name, content in context.files.items() if name.startswith(f"{folder}/")}
    for name in GIVEN:
        if name.startswith(f"{folder}/"):
            files[name] = (STUDENT / name).read_bytes()
    for source in helpers_of(folder):
        name = f"{HELPER_FOLDER}/{source.name}"
        files[name] = source.read_bytes()
        files[cache_from_source(name)] = _compiled(source)
    return files


@cache
def _compiled(source: Path) -> bytes:
    """A helper as Python keeps it beside the source: each session would compile it anew, in 10 ms."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "compiled")
        unchecked = PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(source), str(path), doraise=True, invalidation_mode=unchecked)
        return path.read_bytes()


@pytest.fixture(scope="session")
def _parts(context: Context) -> Iterator[dict[str, Part]]:
    parts = {
        folder: Part(context.box, folder, _files(context, folder), context.budget, context.devices)
        for folder in ("part1", "part2")
    }
    yield parts
    for part in parts.values():
        part.close()


@pytest.fixture(scope="module")
def part1(_parts: dict[str, Part]) -> Part:
    """The student's part 1."""
    _parts["part2"].close()  # two warm sessions would take 0.2 GB more than one
    _parts["part1"].begin_item()
    return _parts["part1"]


@pytest.fixture(scope="module")
def part2(_parts: dict[str, Part]) -> Part:
    """The student's part 2."""
    _parts["part1"].close()
    _parts["part2"].begin_item()
    return _parts["part2"]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Try a check again alone if it failed in a session in which others were before."""
    context = pyfuncitem.config.stash[CONTEXT]
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    (part,) = (value for value in arguments.values() if isinstance(value, Part))
    context.budget.begin_check()
    part.begin_check(derive_seed(context.seed, context.identity, f"session of {pyfuncitem.name}"))
    try:
        try:
            return (yield)
        except Exception as error:
            if isinstance(error, StudentError) and error.kind == "not_implemented":
                raise  # a stub leaves nothing behind
            again = part.in_used_session and not _final(error)
            missing = part.missing_device
            part.close()
            if missing is not None and not context.devices:
                # It costs this check, unless that is waived; from here on everything stays on the CPU.
                context.devices.append(missing.device)
                if not context.allow_devices:
                    raise lacks_device(missing) from None
                again = True
            if not again:
                if isinstance(error, StudentError):
                    explain(error)
                raise
        try:
            return pyfuncitem.obj(**arguments) or True
        except Exception as error:
            part.close()
            if isinstance(error, StudentError):
                explain(error)
            raise
    finally:
        part.close_fresh()


def _final(error: Exception) -> bool:
    """Whether a check would end this way wherever it is tried."""
    if isinstance(error, StudentError):
        return error.kind in ("timeout", "hung")
    return isinstance(error, BoxError)


@pytest.fixture(scope="session")
def training_images(context: Context) -> torch.Tensor:
    """Images to train on, float `[N, 1, 28, 28]` in [0, 1]."""
    return split_images(context.data)[0]


@pytest.fixture(scope="session")
def held_out_images(context: Context) -> torch.Tensor:
    """Images to judge on, float `[360, 1, 28, 28]` in [0, 1].

    In an order of their own for every submission: who has the images by heart must read off the codes which
    of them is meant.
    """
    images = split_images(context.data)[1]
    order = Draw(derive_seed(context.seed, context.identity, "order of the held-out images"))
    return order.images(images, len(images))

"""Fixtures of the hidden suites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from grader.data import split_images
from grader.marking.context import CONTEXT, Context
from grader.suites.draw import Draw, derive_seed
from grader.suites.part import DRIVERS, HELPER_FOLDER, Part

# The files that come with the assignment: the grader always uses its own copies of them.
STUDENT = Path(__file__).parents[2] / "student"
GIVEN = ("part1/mnist.py", "part2/mnist.py", "part2/utils.py")


@pytest.fixture(scope="session")
def context(pytestconfig: pytest.Config) -> Context:
    """The submission that is being marked."""
    return pytestconfig.stash[CONTEXT]


@pytest.fixture
def draw(context: Context, request: pytest.FixtureRequest) -> Draw:
    """Random inputs for this check of this submission in this run."""
    return Draw(derive_seed(context.seed, context.name, request.node.name))


@pytest.fixture(autouse=True)
def _own_randomness() -> Iterator[None]:
    """No check sees, or leaves, a seed in torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        yield


def _files(context: Context, folder: str) -> dict[str, bytes]:
    """The student's files of one part, the given ones, and the grader's helpers."""
    files = {name: content for name, content in context.files.items() if name.startswith(f"{folder}/")}
    for name in GIVEN:
        if name.startswith(f"{folder}/"):
            files[name] = (STUDENT / name).read_bytes()
    for source in sorted(DRIVERS.glob("*.py")):
        files[f"{HELPER_FOLDER}/{source.name}"] = source.read_bytes()
    return files


def _open(context: Context, folder: str) -> Iterator[Part]:
    part = Part(context.box, folder, _files(context, folder), context.budget)
    yield part
    part.close()


@pytest.fixture(scope="module")
def part1(context: Context) -> Iterator[Part]:
    """The student's part 1, in a session that the checks of one item share."""
    yield from _open(context, "part1")


@pytest.fixture(scope="module")
def part2(context: Context) -> Iterator[Part]:
    """The student's part 2, in a session that the checks of one item share."""
    yield from _open(context, "part2")


@pytest.fixture(scope="session")
def training_images(context: Context) -> torch.Tensor:
    """Images to train on, float `[N, 1, 28, 28]` in [0, 1]."""
    return split_images(context.data)[0]


@pytest.fixture(scope="session")
def held_out_images(context: Context) -> torch.Tensor:
    """Images to judge on, float `[360, 1, 28, 28]` in [0, 1]."""
    return split_images(context.data)[1]

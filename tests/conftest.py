"""What the tests of several rooms share: one box, since a box takes seconds to start."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from grader.box.errors import BoxError
from grader.box.launcher import Box, find_bubblewrap

# A shell lets background jobs ignore Ctrl-C, and so would all that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    """A running box. Tests open sessions of their own in it, and leave it alive."""
    try:
        find_bubblewrap()
    except BoxError as error:
        pytest.skip(str(error))
    box = Box()
    yield box
    box.close()

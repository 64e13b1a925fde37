"""A submission to wrap."""

from __future__ import annotations

import pytest

from grader.submission import NAMED_FILES


@pytest.fixture
def files() -> dict[str, bytes]:
    """The named files, each with contents of its own."""
    return {name: f"# {name}\n".encode() for name in NAMED_FILES}

"""The release with the solutions in it, for each test a new one."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from grader.release import bundle
from grader.release.stubs import REPOSITORY
from tests.release.public_runs import without_caches


@pytest.fixture(scope="session")
def packed() -> bytes:
    return bundle.pack(bundle.contents())


@pytest.fixture
def kit(packed: bytes, tmp_path: Path) -> Path:
    """The release with the solutions in it."""
    zipfile.ZipFile(io.BytesIO(packed)).extractall(tmp_path)
    without_caches(REPOSITORY / "solutions", tmp_path / bundle.NAME)
    return tmp_path / bundle.NAME

"""What is found out before the first submission is marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import GraderFault, GraderUsageError
from grader.grading.environment import check_environment
from grader.marking.marker import MarkingOptions


def test_without_bubblewrap_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GraderFault, match="apt install bubblewrap"):
        check_environment(MarkingOptions(seed=1))


def test_a_missing_mnist_is_said_before_anything_is_marked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    with pytest.raises(GraderUsageError, match="MNIST_ROOT"):
        check_environment(MarkingOptions(seed=1, data="mnist"))

from __future__ import annotations

from pathlib import Path

import pytest

from gradebook.courses import copied, make_course
from grader.gradebook.course import Course


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Course:
    """A course as it is after `nbgrader generate_assignment`; not to be changed."""
    return make_course(tmp_path_factory.mktemp("template") / "course")


@pytest.fixture
def course(template: Course, tmp_path: Path) -> Course:
    """A course of the test's own."""
    return copied(template, tmp_path / "course")

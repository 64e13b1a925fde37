"""A course for nbgrader whose notebook runs the checks in its cells."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from grader.rubric import load_rubric
from tests.benchmarks.measure import run

REPOSITORY = Path(__file__).resolve().parents[2]
ASSIGNMENT = "a3"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "benchmark"
c.IncludeHeaderFooter.header = ""
c.ExecutePreprocessor.timeout = 600
c.Execute.timeout = 600
c.Autograde.exclude_overwriting = {overwriting!r}
"""
START = """
import os, sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from grader.marking.marker import Marker, MarkingOptions
from grader.submission import read_submission
marker = Marker(MarkingOptions(seed=7, sandbox=False))
result = marker.mark(read_submission(Path.cwd(), "submission"))
marker.close()
points = {{item.id: item.points for item in result.items}}
"""


def prepare_course(course: Path, cohort: Path) -> None:
    """Make the course, release the assignment, and put the cohort where it was submitted."""
    source = course / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    nbformat.write(_notebook(), source / "checks.ipynb")
    names = [
        f"{part}/{file.name}"
        for part in ("part1", "part2")
        for file in (REPOSITORY / "student" / part).glob("*.py")
    ]
    (course / "nbgrader_config.py").write_text(CONFIG.format(overwriting={ASSIGNMENT: names}))
    _nbgrader(course, "generate_assignment", ASSIGNMENT)
    for submission in sorted(cohort.iterdir()):
        place = course / "submitted" / submission.name / ASSIGNMENT
        shutil.copytree(submission, place)
        shutil.copyfile(course / "release" / ASSIGNMENT / "checks.ipynb", place / "checks.ipynb")


def autograde(course: Path, students: str) -> None:
    """Autograde the students whose names match a glob, one after the other, as nbgrader does."""
    _nbgrader(course, "autograde", ASSIGNMENT, f"--student={students}")


def _notebook() -> nbformat.NotebookNode:
    """A cell that marks everything, and for every item a cell that is worth its points."""
    cells = [_cell("start", START.format(repository=str(REPOSITORY)), points=0.0)]
    for item in load_rubric().automatic:
        cells.append(_cell(item.id.replace(".", "-"), f"points[{item.id!r}]", item.points))
    return new_notebook(
        cells=cells,
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )


def _cell(name: str, source: str, points: float) -> nbformat.NotebookNode:
    cell = new_code_cell(source)
    cell.metadata["nbgrader"] = {
        "grade": True,
        "solution": False,
        "task": False,
        "locked": True,
        "grade_id": name,
        "points": points,
        "schema_version": 3,
    }
    return cell


def _nbgrader(course: Path, *arguments: str) -> None:
    programs = Path(sys.executable).parent
    log = course / f"{uuid.uuid4().hex}.log"
    # On the path for alembic, which nbgrader starts by its name.
    path = f"PATH={programs}{os.pathsep}{os.environ['PATH']}"
    run(["env", path, str(programs / "nbgrader"), *arguments], course, log)

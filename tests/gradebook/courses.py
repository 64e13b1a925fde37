"""Courses, submissions and results made up for the tests of the gradebook."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from report.results import Outcome, result

from grader.gradebook import grade_course, steps
from grader.gradebook.course import ASSIGNMENT, Course, NewCourse, inside
from grader.gradebook.new_course import initialise
from grader.grading.options import GradingOptions
from grader.grading.results import Results
from grader.marking.marker import suite_digest
from grader.marking.result import PARTIAL, SubmissionResult
from grader.report.decisions import carried_over
from grader.report.results_json import write_result
from grader.rubric import Item

ROOT = Path(__file__).parents[2]
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()


def half(item: Item) -> Outcome:
    """Half of every item's points, with a message that names no check."""
    return (PARTIAL, 0.5, f"the message of {item.id}", f"the hint of {item.id}")


def make_course(folder: Path, db_url: str | None = None) -> Course:
    """A course with its assignment generated, by nbgrader's own converter."""
    course = initialise(folder, NewCourse("dgm", folder.with_name(f"{folder.name}-exchange"), db_url))
    generate(course)
    return course


def generate(course: Course, force: bool = False) -> None:
    """What `nbgrader generate_assignment` does."""
    from nbgrader.converters import GenerateAssignment

    with inside(course) as config, steps.logged(course):
        directory = steps.course_directory(config)
        directory.assignment_id = ASSIGNMENT
        converter = GenerateAssignment(coursedir=directory, config=config)
        converter.force = force
        converter.start()


def copied(template: Course, folder: Path) -> Course:
    """A course like another, with an exchange of its own."""
    shutil.copytree(template.root, folder)
    file = folder / "nbgrader_config.py"
    file.write_text(file.read_text().replace(str(template.root), str(folder)))
    exchange(Course(folder)).mkdir(mode=0o777)
    exchange(Course(folder)).chmod(0o777)
    return Course(folder)


def exchange(course: Course) -> Path:
    """Where the students of a course fetch and submit."""
    return course.root.with_name(f"{course.root.name}-exchange")


def roster(course: Course, *students: str, **about: str) -> None:
    """Put students on the roster."""
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        for student in students:
            gradebook.add_student(student, **about)


def notebook(
    course: Course, answer: Callable[[str], str | None] = lambda name: f"My answer to {name}."
) -> dict[str, Any]:
    """The released notebook with answers: as a student hands it in, plain JSON."""
    table = json.loads(course.released_notebook.read_text())
    for cell in table["cells"]:
        about = cell["metadata"]["nbgrader"]
        if about["solution"] and (text := answer(about["grade_id"])) is not None:
            cell["source"] = text
    return table


def hand_in(
    course: Course,
    student: str,
    report: dict[str, Any] | bytes | None = None,
    time: str | None = "2027-12-10 12:00:00 UTC",
    code: bool = True,
    extra: Mapping[str, bytes] | None = None,
) -> Path:
    """Put a submission where nbgrader's collect puts it."""
    folder = course.submitted(student)
    folder.mkdir(parents=True)
    if code:
        for part in ("part1", "part2"):
            shutil.copytree(ROOT / "student" / part, folder / part)
    if report is not None:
        content = report if isinstance(report, bytes) else json.dumps(report).encode()
        (folder / "report.ipynb").write_bytes(content)
    if time:
        (folder / "timestamp.txt").write_text(time)
    for name, data in (extra or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def current(
    student: str,
    outcome: Callable[[Item], Outcome] = half,
    reviews: Mapping[str, str] | None = None,
    **changes: Any,
) -> SubmissionResult:
    """A result of today's suites; `reviews` says why a person has to look at an item, by item."""
    made = replace(result(student, outcome), **({"suite": suite_digest()} | changes))
    items = tuple(replace(item, review=(reviews or {}).get(item.id, "")) for item in made.items)
    return replace(made, items=items)


def marked_course(
    template: Course,
    folder: Path,
    reports: Mapping[str, dict[str, Any]],
    outcomes: Mapping[str, Callable[[Item], Outcome]] | None = None,
) -> Course:
    """A course in which these reports, by student, have been marked by a pretended grader."""
    course = copied(template, folder)
    roster(course, *reports)
    with pytest.MonkeyPatch.context() as patch:
        pretend_to_grade(patch, outcomes)
        for student, report in reports.items():
            hand_in(course, student, report)
        assert run(course) == 0
    return course


def pretend_to_grade(
    monkeypatch: Any,
    outcomes: Mapping[str, Callable[[Item], Outcome]] | None = None,
    skip: Iterable[str] = (),
    fault: str = "",
    interrupted: bool = False,
    **changes: Any,
) -> None:
    """Write results directly where `make grade` would mark code: half of all points by default."""

    def mark(options: GradingOptions, details: bool) -> Results:
        (collected,) = options.paths
        options.output.mkdir(exist_ok=True)
        results = [
            current(student, (outcomes or {}).get(student, half), **changes)
            for student in sorted(os.listdir(collected))
            if student not in skip
        ]
        for one in results:
            write_result(options.output, carried_over(options.output / one.submission, one))
        return Results(
            options.output,
            7,
            seed_given=True,
            submissions=tuple(results),
            fault=fault,
            interrupted=interrupted,
        )

    monkeypatch.setattr(grade_course, "grade_in_terminal", mark)


def run(course: Course, **options: Any) -> int:
    """Grade the course, without the exchange."""
    grading = GradingOptions((course.collected,), course.results)
    return grade_course.run(
        course, grade_course.Options(grading, **({"collect": False, "feedback": False} | options))
    )


def scores(course: Course, student: str) -> dict[str, SimpleNamespace]:
    """What the gradebook holds for a student, by cell."""
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        submission = gradebook.find_submission_notebook("report", ASSIGNMENT, student)
        return {
            grade.name: SimpleNamespace(
                auto=grade.auto_score,
                manual=grade.manual_score,
                waits=grade.needs_manual_grade,
                worth=grade.max_score,
            )
            for grade in submission.grades
        }


def autograded(course: Course, student: str) -> nbformat.NotebookNode:
    """A student's notebook with the marks in it."""
    return nbformat.read(course.autograded(student) / "report.ipynb", as_version=4)


def answers(node: nbformat.NotebookNode) -> dict[str, str]:
    """The answers in a notebook, by cell."""
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in node.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }

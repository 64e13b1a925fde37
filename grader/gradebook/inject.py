"""nbgrader's preprocessors of this kit: marks go in where nbgrader would run the notebook.

`InjectMarks` stands in the place of nbgrader's `Execute`. It reads the result of the student's code and
writes it into every locked grade cell, in the form from which nbgrader takes points: the `repr` of a float as
the result of the cell. No cell of a student's notebook is ever run.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from grader.gradebook import state
from grader.gradebook.course import ASSIGNMENT, Course
from grader.gradebook.feedback_text import feedback_text
from grader.gradebook.hand_ins import owner_of
from grader.gradebook.results import UnusableResult, read_result, results_path
from grader.marking.marker import suite_digest
from grader.marking.result import GRADER_ERROR, ItemResult, SubmissionResult
from grader.release.answers import guide
from grader.release.notebook import grade_id, item_id
from grader.rubric import load_rubric

GUIDE = "guide"
AGAIN = "run make grade COURSE=..."

Converted = tuple[NotebookNode, dict[str, Any]]


class InjectMarks(NbGraderPreprocessor):
    """Writes points and feedback into the grade cells, and the marking guides beneath the answers."""

    course = Unicode(
        "", help="The course's folder; by default the working directory, as nbgrader sets it."
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Converted:
        """Mark one notebook.

        Raises:
            UnusableResult: there is no result that holds for this submission. nbgrader then leaves the
                student out and says so.
        """
        if resources["nbgrader"]["assignment"] != ASSIGNMENT:
            raise UnusableResult(f"this course marks {ASSIGNMENT}, not {resources['nbgrader']['assignment']}")
        student = resources["nbgrader"]["student"]
        course = Course(Path(self.course or ".").absolute())
        result = current_result(course, student)
        points = {grade_id(item.id): item for item in result.items}
        cells = _whose(state.load(course, state.COUNTED).get(student, ""))
        for cell in nb.cells:
            cells.append(cell)
            if utils.is_grade(cell) and not utils.is_solution(cell):
                name = cell.metadata.nbgrader.grade_id
                if name not in points:
                    raise UnusableResult(f"the result of {student} has no points for the cell {name}")
                _mark(cell, points.pop(name))
            elif utils.is_solution(cell):
                cells.append(_guide(item_id(cell.metadata.nbgrader.grade_id)))
        if points:
            raise UnusableResult(f"the notebook has no cells for {', '.join(sorted(points))}")
        nb.cells = cells
        resources["nbgrader"]["unmarked"] = [
            grade_id(item.id) for item in result.items if item.status == GRADER_ERROR
        ]
        resources["nbgrader"]["waiting"] = [grade_id(item.id) for item in result.items if item.review]
        return nb, resources


class HoldUnmarked(NbGraderPreprocessor):
    """Leaves open what the grader failed to mark, which nbgrader would count as zero, and what waits."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Converted:
        """Take back the score of every item that was not marked, and ask for a person; so for what waits."""
        about = resources["nbgrader"]
        unmarked, waiting = about.get("unmarked", ()), about.get("waiting", ())
        with Gradebook(about["db_url"]) as gradebook:
            for name in dict.fromkeys((*unmarked, *waiting)):
                grade = gradebook.find_grade(name, about["notebook"], about["assignment"], about["student"])
                if name in unmarked:
                    grade.auto_score = None
                grade.needs_manual_grade = True
            gradebook.db.commit()
        return nb, resources


class RemoveGuides(NbGraderPreprocessor):
    """Takes the marking guides out of what students get to read."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Converted:
        """Remove the cells that `InjectMarks` has added."""
        nb.cells = [cell for cell in nb.cells if GUIDE not in cell.metadata.get("grader", {})]
        return nb, resources


def current_result(course: Course, student: str) -> SubmissionResult:
    """A student's result, if it holds for the code that was handed in and for today's suites.

    Raises:
        UnusableResult: it does not, or may not be used.
    """
    path = results_path(course.results, student)
    result = read_result(path, student)
    shown = f"grading/{student}/{path.name}"
    if result.suite != suite_digest():
        raise UnusableResult(f"{shown}: is out of date, the suites or the rubric have changed; {AGAIN}")
    graded = state.load(course, state.GRADED).get(student)
    if graded != graded_digest(course, student):
        raise UnusableResult(
            f"{shown}: is out of date, it does not belong to the code in submitted/{student}; {AGAIN}"
        )
    return result


def graded_digest(course: Course, student: str) -> str:
    """What ties a result to the code it was found for: of a student, or of a hand-in that is numbered."""
    # A hand-in that counts for several, or is one of several attempts, is marked by itself.
    shared = owner_of(student) != student
    code = state.code_digest(course.collected / student if shared else course.submitted(student))
    return state.digest(code.encode(), state.file_digest(results_path(course.results, student)).encode())


@cache
def guides_digest() -> str:
    """SHA-256 over all marking guides: a new one has to reach the notebooks that are being marked."""
    guides = [guide(item.id) for item in load_rubric().items if item.how != "auto"]
    return state.digest(*(text.encode() for text in guides))


def _mark(cell: NotebookNode, item: ItemResult) -> None:
    """Write an item's points into its cell.

    Raises:
        UnusableResult: nbgrader would make something else of them.
    """
    worth = float(cell.metadata.nbgrader.points)
    points = float(item.points)
    if not math.isfinite(points) or not 0 <= points <= worth or worth != item.max_points:
        raise UnusableResult(
            f"{item.id}: {item.points!r} of {item.max_points!r} points do not fit its cell, worth {worth!r}; "
            "after a change of the rubric's points, run python -m grader course update"
        )
    title = load_rubric()[item.id].title
    cell.execution_count = 1
    cell.outputs = [
        new_output("stream", name="stdout", text=feedback_text(item, title)),
        new_output("execute_result", data={"text/plain": repr(points)}, execution_count=1),
    ]


def _whose(counted: str) -> list[NotebookNode]:
    """A cell that says whose hand-in this is, where several could count, or one counts for several."""
    told = counted.splitlines()[1:]
    if not told:
        return []
    cell = new_markdown_cell("\n\n".join(f"`{line.replace('`', chr(39))}`" for line in told))
    cell.id = "whose-hand-in"
    return [cell]


def _guide(item: str) -> NotebookNode:
    """The marking guide of an answer, for people only; folded up, so that answers stay together."""
    text = f"<details><summary>Marking guide for {item}</summary>\n\n{guide(item)}\n\n</details>"
    cell = new_markdown_cell(text)
    cell.id = f"guide-{grade_id(item)}"
    cell.metadata.grader = NotebookNode({GUIDE: item})
    return cell

"""A made-up course for the marking desk: everybody has handed in, and the code is marked.

    python -m tests.desk.demo FOLDER [--count 300] [--seed 1]

The code was not really run: points are drawn, with messages that the grader once gave. Answers and figures
are put together for each student. The rest is what `make grade COURSE=...` does, with nbgrader's own steps.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # where pytest has it, too

import pytest  # noqa: E402
from gradebook.courses import generate, hand_in, notebook, pretend_to_grade, run  # noqa: E402
from PIL import Image, ImageEnhance  # noqa: E402

from grader.desk.figures import RESULTS, solution_figures  # noqa: E402
from grader.gradebook.course import Course, NewCourse, inside  # noqa: E402
from grader.gradebook.new_course import initialise  # noqa: E402
from grader.gradebook.steps import open_gradebook  # noqa: E402
from grader.marking.result import FAILED, PARTIAL, PASSED  # noqa: E402
from grader.release.notebook import item_id  # noqa: E402
from grader.rubric import Item  # noqa: E402
from tests.desk.made_up import answer_of  # noqa: E402

FIRST = ("Anna", "Björn", "Chiara", "Dinh", "Elif", "Farid", "Grace", "Hanna", "Ivo", "Jun", "Katya", "Léa")
LAST = ("Arslan", "Bauer", "Costa", "de Vries", "Eriksen", "Fischer", "García", "Huber", "Ito", "Jansen")
MISSING = 0.04  # of the figures
SIDE = 420  # pixels, at most


def make_demo(folder: Path, count: int = 300, seed: int = 1, db_url: str | None = None) -> Course:
    """A course in a new folder, ready to be marked by hand.

    Args:
        folder: where; it must not exist.
        count: how many students.
        seed: another one makes other answers.
        db_url: the gradebook, if it is not to be SQLite.
    """
    exchange = folder.absolute().with_name(f"{folder.name}-exchange")
    course = initialise(folder, NewCourse(folder.name, exchange, db_url))
    generate(course)
    students = [f"s{number:04d}" for number in range(1, count + 1)]
    _roster(course, students, seed)
    for number, student in enumerate(students):
        report = notebook(course, lambda cell, number=number: answer_of(number, item_id(cell), seed))
        hand_in(course, student, report, extra=dict(_figures(number, seed)))
    with pytest.MonkeyPatch.context() as patch:
        outcomes = {student: _outcome(number, seed) for number, student in enumerate(students)}
        pretend_to_grade(patch, outcomes)
        if run(course) != 0:
            raise SystemExit("the made-up course could not be marked")
    return course


def _roster(course: Course, students: list[str], seed: int) -> None:
    draw = random.Random(f"{seed}/names")
    with inside(course) as config, open_gradebook(config) as gradebook:
        for student in students:
            gradebook.add_student(student, first_name=draw.choice(FIRST), last_name=draw.choice(LAST))


def _outcome(number: int, seed: int):
    """How a student does on each item of the code."""

    def outcome(item: Item) -> tuple:
        draw = random.Random(f"{seed}/code/{item.id}/{number}").random()
        if draw < 0.72:
            return (PASSED, 1.0, "", "")
        share, status = (0.5, PARTIAL) if draw < 0.9 else (0.0, FAILED)
        return (status, share, f"the value of {item.id} differs from the expected one", "see the handout")

    return outcome


@cache
def _drawn(name: str, variant: int) -> bytes:
    """A figure that a student's training might have drawn: that of the solutions, a little different."""
    with Image.open(RESULTS / name) as picture:
        made = picture.convert("RGB")
        made.thumbnail((SIDE, SIDE))
    if variant % 3 == 1:
        made = ImageEnhance.Contrast(made).enhance(0.75 + 0.05 * variant)
    if variant % 3 == 2:
        made = made.rotate(0.4 * variant, fillcolor="white").resize((made.width, made.height))
    buffer = io.BytesIO()
    made.quantize(32).save(buffer, "PNG")
    return buffer.getvalue()


def _figures(number: int, seed: int):
    for theirs, ours in solution_figures().items():
        draw = random.Random(f"{seed}/{theirs}/{number}")
        if draw.random() >= MISSING:
            yield f"figures/{theirs}", _drawn(ours, draw.randrange(6))


def main() -> None:
    """Make the course, and say how to open it."""
    parser = argparse.ArgumentParser(description="Make a course to try the marking desk on.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.folder.exists():
        parser.error(f"{options.folder} exists: remove it, or choose another folder")
    course = make_demo(options.folder, options.count, options.seed)
    print(f"{options.count} made-up students in {course.root}")
    print(f"next: make desk COURSE={options.folder}")


if __name__ == "__main__":
    main()

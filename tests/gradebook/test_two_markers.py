"""Two browsers, of two teaching assistants with servers of their own, mark while two runs are started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from gradebook.courses import ROOT, marked_course, notebook, scores
from gradebook.formgrader import (
    IN_A_BROWSER,
    LIST,
    arrives,
    asked,
    browser,
    opened,
    served,
    submissions,
    visitor,
)
from grader.gradebook.course import Course
from grader.release.notebook import grade_id
from grader.rubric import load_rubric

STUDENTS = ("ada", "bob", "cleo", "dora", "emil", "fay", "grace")
BY_HAND = [grade_id(item.id) for item in load_rubric().items if item.how != "auto"]
MARKS = 50  # of each of the two
WARM = 5  # so many, before a run is started

pytestmark = [*IN_A_BROWSER, pytest.mark.timeout(1800)]


@pytest.fixture
def course(template: Course, tmp_path: Path) -> Course:
    """A course in whose gradebook there are other automatic marks than the next run finds."""
    return marked_course(template, tmp_path / "course", dict.fromkeys(STUDENTS, notebook(template)))


def points_of(number: int) -> str:
    return ("0.25", "0.5", "0")[number % 3]


def mark(address: str, cells: Sequence[str], warm: Event) -> dict[tuple[str, str], str]:
    """Mark one question of everybody after another with the keyboard; what was given, by page and cell."""
    given: dict[tuple[str, str], str] = {}
    pages = submissions(address)
    with browser() as one, visitor(one, address) as page:
        for cell in cells:
            opened(page, pages[0])
            page.locator(f"#{cell}").focus()
            for place in pages:
                if len(given) == MARKS:
                    break
                arrives(page, place)
                assert page.evaluate("document.activeElement.id") == cell
                points = points_of(len(given))
                page.keyboard.type(points)
                page.keyboard.press("Control+Period")
                left = place
                given[place.rstrip("/").split("/")[-1], cell] = points
                if len(given) == WARM:
                    warm.set()
            # Leaves when the mark is saved; to go elsewhere before that would break the request off.
            page.wait_for_url(lambda url, left=left: not url.startswith(left))
        page.goto(address + LIST)
    return given


def unless_failed(markers: Sequence[Future]) -> None:
    """Raise what has ended one of them before its time."""
    for one in markers:
        if one.done():
            one.result()


def started(course: Course) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "grader", "course", "grade", str(course.root), "--no-collect", "--jobs", "1"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_no_mark_is_lost_none_is_sent_back_and_one_run_is_refused(course, tmp_path):
    servers, warm = [], [Event(), Event()]
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        servers.append(served(course, tmp_path / name))
    half = -(-MARKS // len(STUDENTS))
    shares = (BY_HAND[:half], BY_HAND[half : 2 * half])
    with servers[0] as first, servers[1] as second, ThreadPoolExecutor(2) as both:
        markers = [
            both.submit(mark, address, cells, event)
            for address, cells, event in zip((first, second), shares, warm, strict=True)
        ]
        while not all(event.is_set() for event in warm):
            unless_failed(markers)
            time.sleep(0.2)
        runs = [started(course)]
        while not (course.state / "lock").read_text() and runs[0].poll() is None:
            time.sleep(0.1)
        runs.append(started(course))
        refused = runs[1].communicate(timeout=600)[0]
        unless_failed(markers)
        assert not any(one.done() for one in markers), "they mark before the run and during it"
        said = runs[0].communicate(timeout=1200)[0]
        given = [marker.result() for marker in markers]
        students = {one["id"]: one["student"] for one in asked(first, "submitted_notebooks/a3/report")}
    assert [one.returncode for one in runs] == [0, 2], (said, refused)
    assert "nothing was changed" in refused
    assert f"Entering marks: {len(STUDENTS)} of {len(STUDENTS)}" in said
    found = {student: scores(course, student) for student in STUDENTS}
    for marks in given:
        assert len(marks) == MARKS
        for (number, cell), points in marks.items():
            grade = found[students[number]][cell]
            assert (grade.manual, grade.waits) == (float(points), False), (students[number], cell)

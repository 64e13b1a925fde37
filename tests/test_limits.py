"""How the limits of time depend on each other: what is reached first decides whose fault it is."""

from __future__ import annotations

import re
from pathlib import Path

from grader import limits
from grader.rubric import load_rubric

GRADER = Path(limits.__file__).parent
# These run where nothing of the grader can be imported.
APART = ("box/inside/isolation.py", "report/redraw.py")
CPU_LIMIT = re.compile(r"^CPU_SECONDS = (\d+)", re.MULTILINE)


def test_a_call_ends_before_a_submission_a_check_and_a_worker_do():
    order = [
        limits.CALL_SECONDS,
        limits.PART2_CHUNK_SECONDS,
        limits.PART1_CHUNK_SECONDS,
        limits.SUBMISSION_SECONDS,
        limits.CHECK_SECONDS,
        limits.WORKER_SECONDS,
    ]
    assert order == sorted(order)
    assert len(set(order)) == len(order)


def test_a_submission_has_time_for_an_endless_call_in_every_item():
    items = len(load_rubric().automatic)
    assert items * limits.CALL_SECONDS + limits.PART1_CHUNK_SECONDS < limits.SUBMISSION_SECONDS


def test_the_last_call_of_a_submission_ends_before_its_check_does():
    outlast = limits.SUBMISSION_SECONDS + limits.BOX_START_SECONDS + limits.BOX_REPLY_SECONDS
    assert outlast + limits.BOX_END_SECONDS < limits.CHECK_SECONDS


def test_a_worker_has_time_to_mark_a_submission_twice_and_to_draw_its_figures():
    once = limits.BOX_START_SECONDS + limits.SUBMISSION_SECONDS + limits.BOX_END_SECONDS
    assert 2 * once + limits.FIGURES_SECONDS < limits.WORKER_SECONDS


def test_a_process_computes_longer_than_a_call_lasts_and_not_as_long_as_a_submission():
    code, drawing = (int(CPU_LIMIT.search((GRADER / name).read_text())[1]) for name in APART)
    assert limits.PART1_CHUNK_SECONDS < code < limits.SUBMISSION_SECONDS
    assert drawing < limits.FIGURES_SECONDS


def test_no_other_file_sets_a_limit_of_time():
    limit = re.compile(r"^(?!LOOK_|LINE_)[A-Z][A-Z_]*SECONDS\b[^=\n]*= *[\d.]+", re.MULTILINE)
    literal = re.compile(r"\b(?:timeout|deadline) ?= ?[\d.]+")
    found = {
        path.relative_to(GRADER).as_posix(): [*limit.findall(text), *literal.findall(text)]
        for path in GRADER.rglob("*.py")
        if "drivers" not in path.parts and "student_kit" not in path.parts
        for text in [path.read_text()]
        if path.name != "limits.py" and (limit.search(text) or literal.search(text))
    }
    assert found.keys() - set(APART) == {"engine/guard.py"}, found  # a canary, which runs in the box

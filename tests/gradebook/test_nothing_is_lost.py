"""The law as a property: no text of a student's is missing, and none of it is at 0 without a person."""

from __future__ import annotations

import json
import re
from functools import lru_cache

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradebook.changed_notebooks import changed
from grader.gradebook.handed_in import read_cells
from grader.gradebook.rebuild import rebuild
from grader.gradebook.released_notebook import Released
from grader.gradebook.safe_html import render
from grader.release.notebook import EMPTY_ANSWER, build_notebook

RELEASED = Released(build_notebook())
LINES = {line.strip() for cell in RELEASED.notebook.cells for line in cell.source.splitlines()}
OF_RELEASED = {"".join(filter(str.isalnum, line)) for line in LINES}
CELLS = json.loads(nbformat.writes(RELEASED.notebook))["cells"]
for cell in CELLS:
    cell["source"] = "".join(cell["source"])

COMMON = settings(
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def is_a_students(line: str) -> bool:
    """Whether no line of the released notebook reads like this, but for its markup."""
    return (
        bool(line.strip())
        and line.strip() not in LINES
        and (not letters(line) or letters(line) not in OF_RELEASED)
    )


def answered_within(cells):
    """Answers whose question stands in a cell, such as one that was merged, with a student's text behind."""
    found = set()
    for cell in cells:
        question = ""
        for line in cell["source"].splitlines():
            if line.strip() in LINES and (heading := re.match(r"## Question (\d)\.(\d+): ", line)):
                question = f"q{heading[1]}-{heading[2]}"
            elif question in RELEASED.answers and re.search(r"typed\d+word", line):
                found.add(question)
    return found


page = lru_cache(maxsize=1_000)(render)  # what stands in blank answers is the same in many notebooks


def check(path, cells):
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    notebook = rebuild(RELEASED, read_cells(path)).notebook
    nbformat.validate(notebook)
    kept = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    assert [cell.id for cell in kept] == RELEASED.names
    assert all(
        cell.source == released.source
        for cell, released in zip(kept, RELEASED.notebook.cells, strict=True)
        if not cell.metadata.nbgrader.solution
    )
    # What the page holds beside the released notebook.
    written = [cell for cell in notebook.cells if cell not in RELEASED.notebook.cells]
    shown = "\n".join(cell.source for cell in written)
    for cell in cells:
        for line in filter(is_a_students, cell["source"].splitlines()):
            assert line.strip() in shown
    words = set(re.findall(r"typed\d+word", " ".join(cell["source"] for cell in cells)))
    pages = " ".join(map(page, dict.fromkeys(cell.source for cell in written)))
    assert not [word for word in words if word not in pages]
    # None at 0 without a person: nbgrader gives one only to a cell that reads as released.
    answers = [cell for cell in kept if cell.metadata.nbgrader.solution]
    own = [cell for cell in written if cell not in answers]
    blank = [cell.id for cell in answers if cell.source == EMPTY_ANSWER]
    if own:
        assert not blank
    assert not answered_within(cells) & set(blank)


@settings(COMMON, max_examples=200, derandomize=True)
@given(data=st.data())
def test_every_text_is_shown_and_none_is_zero_without_a_person(tmp_path, data):
    check(tmp_path / "report.ipynb", data.draw(changed(CELLS)))


@pytest.mark.slow
@settings(COMMON, max_examples=2_000, print_blob=True)
@given(data=st.data())
def test_every_text_is_shown_in_thousands_of_notebooks(tmp_path, data):
    check(tmp_path / "report.ipynb", data.draw(changed(CELLS)))

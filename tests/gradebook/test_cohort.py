"""A cohort of 30 through the whole cycle, exchange and box included: nothing is pretended here."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradebook.courses import ROOT, notebook, roster, scores
from grader.gradebook import steps
from grader.gradebook.course import ASSIGNMENT, Course, inside
from grader.gradebook.grade_course import Options, run
from grader.grading.options import GradingOptions
from grader.release.notebook import grade_id
from grader.rubric import load_rubric

STUDENTS = [f"{1000 + number}" for number in range(1, 31)]  # numeric ids, as many universities have them


def code(student: int) -> Path | None:
    """Whose code a student hands in: complete, partly done, hostile, untouched, or none."""
    kinds = [ROOT / "solutions", ROOT / "student", None, ROOT / "tests" / "submissions" / "hostile", None]
    return (
        (kinds[student % 5] if student >= 3 else kinds[0])
        if student < 20
        else kinds[1]
        if student < 24
        else None
    )


def write_code(source: Path | None, folder: Path, partial: bool) -> None:
    if source is None:
        return
    for path in source.rglob("*"):
        if path.name.endswith((".py", ".py.txt")) and "__pycache__" not in path.parts:
            target = folder / path.relative_to(source).with_name(path.name.removesuffix(".txt"))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    if partial:
        shutil.copyfile(ROOT / "solutions" / "part1" / "utils.py", folder / "part1" / "utils.py")


def write_notebook(course: Course, student: int, folder: Path) -> bool:
    """A notebook of every kind; returns whether somebody has to look at it."""
    table = notebook(course)
    path = folder / "report.ipynb"
    kind = student % 6
    if kind == 1:  # forged: everything a notebook can claim
        for cell in table["cells"]:
            about = cell["metadata"]["nbgrader"]
            if about["grade"]:
                about["points"], about["locked"] = 1000, False
            if cell["cell_type"] == "code":
                cell["source"] = "1000.0"
                cell["outputs"] = [
                    {
                        "output_type": "execute_result",
                        "metadata": {},
                        "execution_count": 1,
                        "data": {"text/plain": "1000.0"},
                    }
                ]
    elif kind == 2:  # deleted, copied and added cells
        table["cells"] = table["cells"][5:] + table["cells"][10:14]
        table["cells"].append(
            {"cell_type": "code", "metadata": {}, "source": "import os; os._exit(0)", "outputs": []}
        )
    elif kind == 3:
        path.write_bytes(b'{"cells": [' if student % 2 else b"\x00\xff not a notebook")
        return True
    elif kind == 4:
        (folder / "draft.ipynb").write_text(json.dumps(table))
        if student % 4:
            path = folder / "copy of report.ipynb"
    path.write_text(json.dumps(table))
    return kind != 0 and kind != 5


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_thirty_submissions_from_release_to_gradebook(course, tmp_path, monkeypatch, capfd):
    roster(course, *STUDENTS, "absent")
    for name in ("JUPYTER_DATA_DIR", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    look = set()
    with inside(course) as config, steps.logged(course):
        exchange("ReleaseAssignment", config)
        for number, student in enumerate(STUDENTS):
            home = tmp_path / "homes" / student
            home.mkdir(parents=True)
            os.chdir(home)
            exchange("FetchAssignment", config, student)
            folder = home / ASSIGNMENT
            assert (folder / "report.ipynb").is_file()
            shutil.rmtree(folder)
            folder.mkdir()
            write_code(code(number), folder, partial=number % 4 == 1)
            if number != 29:
                if write_notebook(course, number, folder):
                    look.add(student)
            else:
                look.add(student)
            exchange("Submit", config, student)
        os.chdir(course.root)
    assert run(course, Options(GradingOptions((course.collected,), course.results, jobs=2))) == 0
    said = capfd.readouterr().out
    assert f"{16 * 30} scores of 30 submissions agree with the results" in said
    assert "1 on the roster handed in nothing: absent" in said
    assert look <= set(re.findall(r"^  (\d{4}): ", said, re.MULTILINE))
    automatic = [item.id for item in load_rubric().automatic]
    totals = []
    for number, student in enumerate(STUDENTS):
        result = json.loads((course.results / student / "results.json").read_text())
        grades = scores(course, student)
        assert {item["id"]: item["points"] for item in result["items"]} == {
            item: grades[grade_id(item)].auto for item in automatic
        }
        assert (course.feedback(student) / "report.html").is_file()
        assert (course.collected / student).is_dir()
        totals.append(result["points"])
        if code(number) == ROOT / "solutions":
            assert result["points"] == 22.5
        if code(number) is None:
            assert result["points"] == 0
    assert len({round(total, 3) for total in totals}) > 2  # complete, partly done, and nothing

    # The roster is complete: everyone has a row.
    out = tmp_path / "marks.csv"
    command = [
        sys.executable,
        "-m",
        "grader",
        "course",
        "export",
        str(course.root),
        "csv",
        "--output",
        str(out),
    ]
    subprocess.run(command, cwd=ROOT, check=True)
    rows = list(csv.DictReader(out.open()))
    assert [row["student"] for row in rows] == sorted([*STUDENTS, "absent"])

    # What it costs to enter marks that are there: processor time, since other work may go on beside.
    with inside(course) as config, steps.logged(course):
        started = time.process_time()
        for student in STUDENTS:
            steps.autograde(course, config, student)
        each = (time.process_time() - started) / len(STUDENTS)
    with capfd.disabled():
        print(f" injection: {each:.2f} s per submission ", end="")
    assert each <= 0.5


def exchange(step: str, config, student: str | None = None) -> None:
    """One of nbgrader's own steps through the exchange."""
    from nbgrader.auth import Authenticator
    from nbgrader.exchange import ExchangeFactory

    directory = steps.course_directory(config)
    directory.assignment_id = ASSIGNMENT
    if student:
        directory.student_id = student
    kind = getattr(ExchangeFactory(config=config), step)
    kind(coursedir=directory, authenticator=Authenticator(config=config), config=config).start()

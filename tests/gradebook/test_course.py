from __future__ import annotations

import os
import stat
import subprocess

import nbformat
import pytest

from gradebook.courses import ROOT, exchange
from grader.cli import main
from grader.gradebook import grade_course, steps
from grader.gradebook.course import ASSIGNMENT, fit_for_id, inside
from grader.grading.options import Data, GradingOptions
from grader.rubric import load_rubric


def test_the_gradebook_counts_the_points_of_the_rubric(template):
    with inside(template) as config, steps.open_gradebook(config) as gradebook:
        assignment = gradebook.find_assignment(ASSIGNMENT)
        assert assignment.max_score == 64 == sum(item.points for item in load_rubric().items)
        assert assignment.max_code_score == 22.5
        assert assignment.max_written_score == 41.5


def test_generate_assignment_has_nothing_to_say(template):
    log = (template.state / "nbgrader.log").read_text()
    assert "Writing" in log
    assert "WARNING" not in log
    assert "ERROR" not in log


def test_the_source_holds_the_stubs_and_no_solution(template):
    for part in ("part1", "part2"):
        for file in (ROOT / "student" / part).glob("*.py"):
            assert (template.source / part / file.name).read_bytes() == file.read_bytes()
    for folder in (template.source, template.release):
        for file in folder.rglob("*"):
            if file.is_file():
                text = file.read_text()
                assert "BEGIN SOLUTION" not in text
                assert "What earns points" not in text


def test_every_automatic_item_has_a_locked_cell(template):
    notebook = nbformat.read(template.released_notebook, as_version=4)
    locked = [
        cell for cell in notebook.cells if cell.metadata.nbgrader.grade and cell.metadata.nbgrader.locked
    ]
    assert len(locked) == len(load_rubric().automatic)
    assert all(cell.cell_type == "code" and not cell.outputs for cell in locked)


def test_everyone_may_write_to_the_exchange(template):
    assert stat.S_IMODE(os.stat(exchange(template)).st_mode) == 0o777


def test_init_refuses_a_folder_with_something_in_it(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["course", "init", str(tmp_path)]) == 2
    assert "is not an empty folder" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["notes.txt"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--timezone", "Amsterdam", "there is no such time zone"),
        ("--timezone", "../etc/passwd", "--timezone"),
        ("--course-id", "a/b", "letters, digits"),
    ],
)
def test_init_refuses_options_that_cannot_be(tmp_path, capsys, option, value, said):
    assert main(["course", "init", str(tmp_path / "new"), option, value]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_init_says_what_comes_next(tmp_path, capsys):
    assert main(["course", "init", str(tmp_path / "new"), "--db-url", "sqlite:///elsewhere.db"]) == 0
    assert "nbgrader generate_assignment a3" in capsys.readouterr().out
    assert "'sqlite:///elsewhere.db'" in (tmp_path / "new" / "nbgrader_config.py").read_text()


def test_grade_wants_a_course(tmp_path, capsys):
    assert main(["course", "grade", str(tmp_path)]) == 2
    assert "python -m grader course init" in capsys.readouterr().err


def test_grade_wants_a_release(tmp_path, capsys):
    main(["course", "init", str(tmp_path / "new")])
    assert main(["course", "grade", str(tmp_path / "new")]) == 2
    assert "nbgrader generate_assignment a3" in capsys.readouterr().err


def test_grade_wants_a_readable_configuration(course, capsys):
    (course.root / "nbgrader_config.py").write_text("c = get_config(\n")
    assert main(["course", "grade", str(course.root)]) == 2
    assert "nbgrader_config.py: cannot be read" in capsys.readouterr().err


def test_grade_wants_submissions(course, capsys):
    assert main(["course", "grade", str(course.root), "--no-collect"]) == 2
    assert "there are no submissions yet" in capsys.readouterr().err


@pytest.mark.parametrize("student", ["1042", "ada", "a.b-c_d@uni.nl", "x+y", "åsa"])
def test_ids_that_can_be(student):
    assert fit_for_id(student)


@pytest.mark.parametrize(
    "student", ["", ".x", "-x", "a b", "a*", "[ab]", "../x", "part1", "Part 1", "figures"]
)
def test_ids_that_cannot_be(student):
    assert not fit_for_id(student)


@pytest.mark.parametrize(
    ("where", "placed"),
    [
        (["--jobs", "3"], {"jobs": 3}),
        (["--dask", "tls://host:1"], {"dask": "tls://host:1"}),
        (
            ["--dask", "tcp://host:1", "--dask-without-tls"],
            {"dask": "tcp://host:1", "dask_without_tls": True},
        ),
        (["--slurm", "2"], {"slurm": 2}),
    ],
)
def test_options_of_grade_reach_the_grader(course, monkeypatch, where, placed):
    given = []
    monkeypatch.setattr(grade_course, "run", lambda course, options: given.append(options) or 0)
    options = ["--seed", "7", "--data", "mnist", "--allow-distributions", "--allow-devices", "--fresh"]
    assert main(["course", "grade", str(course.root), *where, *options, "--details", "--no-collect"]) == 0
    grading = GradingOptions(
        (course.collected,),
        course.results,
        seed=7,
        data=Data.mnist,
        allow_distributions=True,
        allow_devices=True,
        fresh=True,
        **placed,
    )
    assert given == [grade_course.Options(grading, details=True, collect=False)]


def test_make_passes_every_option_on_for_a_course():
    options = ["JOBS=3", "SEED=7", "DATA=mnist", "ALLOW_DISTRIBUTIONS=yes", "FRESH=yes", "DETAILS=yes"]
    options += [
        "DASK=tcp://host:1",
        "DASK_WITHOUT_TLS=yes",
        "SLURM=2",
        "ALLOW_DEVICES=yes",
        "COURSE=my course",
    ]
    said = subprocess.run(
        ["make", "-n", "-o", ".venv/.ready", "grade", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (line,) = [line for line in said.replace("\\\n", " ").splitlines() if "course grade" in line]
    assert " ".join(line.split()).endswith(
        'grader course grade "my course" --jobs 3 --seed 7 --data mnist --details --fresh '
        "--dask tcp://host:1 --dask-without-tls --slurm 2 --allow-distributions --allow-devices"
    )

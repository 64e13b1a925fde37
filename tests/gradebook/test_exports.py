from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from gradebook.courses import ROOT, copied, current, half, hand_in, notebook, pretend_to_grade, roster, run
from grader.cli import main
from grader.errors import GraderUsageError
from grader.gradebook import steps
from grader.gradebook.course import ASSIGNMENT, Course, inside
from grader.gradebook.exports.brightspace import write_brightspace
from grader.gradebook.exports.canvas import write_canvas
from grader.gradebook.exports.filling import Filled
from grader.gradebook.exports.formats import FORMATS, Format, Request
from grader.gradebook.exports.gradescope import RUN, as_gradescope
from grader.gradebook.exports.marks import Mark, final_marks
from grader.gradebook.exports.moodle import write_moodle
from grader.gradebook.exports.remarks import remarks
from grader.gradebook.exports.run import export_marks
from grader.gradebook.exports.tables import read_table
from grader.marking.result import GRADER_ERROR, Note
from grader.report.results_json import write_result

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Quiz (1),Practical 3 (22),Final Score\r\n"
    ",,,,,Manual Posting,Manual Posting,\r\n"
    "    Points Possible,,,,,10,64,(read only)\r\n"
    '"Lovelace, Ada",901,,ada,"S, 1",7,,12\r\n'
    '"Hopper, Grace",902,,gh,S,,,\r\n'
    '"Student, Test",999,,x,S,,,\r\n'
)


def mark(student: str, points: float = 40.5, **about) -> Mark:
    names = {
        "first_name": student.title(),
        "last_name": "L",
        "email": f"{student}@uni.example",
        "platform_id": "",
    }
    return Mark(student, **(names | {"handed_in": True, "points": points, "max_points": 64.0} | about))


@pytest.fixture(scope="module")
def graded(template, tmp_path_factory) -> Course:
    """Ada is marked completely, Grace not yet, Bob handed in nothing."""
    course = copied(template, tmp_path_factory.mktemp("graded") / "course")
    course.policy.write_text(
        'due = "2027-12-09 23:59"\n[penalty]\nunit = "points"\nper_day = 2\n[extensions]\ngrace = 9\n'
    )
    for student, last in (("ada", "=1+1"), ("grace", "Hopper, Dr."), ("bob", "Ünal")):
        roster(course, student, last_name=last, first_name=student.title(), email=f"{student}@uni.example")
    patch = pytest.MonkeyPatch()
    pretend_to_grade(patch)
    for student in ("ada", "grace"):
        hand_in(course, student, notebook(course))
    assert run(course) == 0
    patch.undo()
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        for grade in gradebook.find_submission_notebook("report", ASSIGNMENT, "ada").grades:
            if grade.needs_manual_grade:
                grade.manual_score, grade.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    return course


def export(course: Course, tmp_path: Path, *options: str) -> tuple[int, Path]:
    out = tmp_path / "out.csv"
    return main(["course", "export", str(course.root), *options, "--output", str(out)]), out


def test_our_table_has_everyone_and_every_item(graded, tmp_path, capsys):
    status, out = export(graded, tmp_path, "csv")
    assert status == 0
    with out.open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    ada = rows["ada"]
    by_hand = len([item for item in ada if item[0].isdigit()]) - 16
    assert (ada["automatic"], ada["by_hand"], ada["penalty"]) == ("11.25", str(by_hand), "2")
    assert float(ada["points"]) == 11.25 + by_hand - 2
    assert (ada["days_late"], ada["submitted"]) == ("1", "2027-12-10T12:00:00+00:00")
    assert (ada["status"], ada["1.7.kld"], ada["1.1"]) == ("complete", "0.75", "1")
    assert ada["last_name"] == "'=1+1"  # a spreadsheet would run it
    assert (rows["grace"]["status"], rows["grace"]["1.1"]) == (f"{by_hand} to mark", "")
    assert rows["grace"]["last_name"] == "Hopper, Dr."
    assert (rows["bob"]["status"], rows["bob"]["points"]) == ("nothing handed in", "0")
    assert "not complete yet, see the column status: grace" in capsys.readouterr().out


def test_our_table_adds_up_while_marks_wait_for_confirmation(graded, tmp_path):
    course = copied(graded, tmp_path / "course")
    policy = course.policy.read_text()
    course.policy.write_text(policy.replace('"points"', '"percent"').replace("per_day = 2", "per_day = 10"))
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        for name in ("q1-1", "q1-7-kld"):  # the answer has changed, or the code is in newer syntax
            gradebook.find_grade(name, "report", ASSIGNMENT, "ada").needs_manual_grade = True
        gradebook.db.commit()
    assert export(course, tmp_path, "csv")[0] == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert (rows["ada"]["status"], rows["ada"]["1.1"], rows["ada"]["1.7.kld"]) == ("2 to mark", "", "")
    for row in rows.values():
        items = sum(float(points) for name, points in row.items() if name[0].isdigit() and points)
        earned = float(row["automatic"] or 0) + float(row["by_hand"] or 0)
        assert items == pytest.approx(earned)
        assert float(row["points"]) == pytest.approx(earned - float(row["penalty"] or 0))
    assert float(rows["ada"]["penalty"]) == pytest.approx(0.1 * (11.25 + 17 - 1 - 0.75), abs=1e-3)


def test_platforms_get_only_what_is_complete(graded, tmp_path, capsys):
    status, out = export(graded, tmp_path, "brightspace")
    assert status == 0
    assert [row[0] for row in csv.reader(out.open())] == ["Username", "ada"]
    said = capsys.readouterr().out
    assert "handed in nothing, left out: bob" in said
    assert "not complete yet, left out (--unfinished takes them): grace" in said
    status, out = export(graded, tmp_path, "brightspace", "--unfinished")
    assert [row[0] for row in csv.reader(out.open())] == ["Username", "ada", "grace"]


def test_marks_made_without_a_sandbox_are_refused(graded, tmp_path, capsys):
    course = copied(graded, tmp_path / "course")
    write_result(course.results, current("ada", half, sandbox="none"))
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(CANVAS)
    for kind in ("csv", "canvas", "moodle", "brightspace"):
        status, out = export(course, tmp_path, kind, *(["--sheet", str(sheet)] if kind == "canvas" else []))
        assert status == 1
        assert "was made without a sandbox" in capsys.readouterr().err
        assert not out.exists()


def test_a_gradebook_that_does_not_agree_is_not_exported(graded, tmp_path, capsys):
    course = copied(graded, tmp_path / "course")
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        gradebook.find_grade("q1-7-kld", "report", ASSIGNMENT, "ada").auto_score = 1.5
        gradebook.db.commit()
    assert export(course, tmp_path, "csv")[0] == 1
    assert "the gradebook does not agree with the results" in capsys.readouterr().err


def test_final_marks_hold_what_waits(graded):
    marks = {mark.student: mark for mark in final_marks(graded)}
    assert marks["ada"].final
    assert not marks["grace"].final
    assert not marks["bob"].handed_in
    assert marks["ada"].max_points == 64


def test_canvas_gets_its_own_file_back_with_one_column_filled(tmp_path):
    sheet, out = tmp_path / "canvas.csv", tmp_path / "out.csv"
    sheet.write_bytes(CANVAS.encode())
    marks = [mark("ada"), mark("grace", 12.5, platform_id="902"), mark("lost")]
    filled = write_canvas(out, marks, sheet, "Practical 3")
    before, after = read_table(sheet), read_table(out)
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    assert [row[6] for row in after.rows] == ["Manual Posting", "64", "40.5", "12.5", ""]
    for old, new in zip(before.rows, after.rows, strict=True):
        assert old[:6] + old[7:] == new[:6] + new[7:]
    assert filled == Filled(["ada", "grace"], strangers=[("Student, Test", "")], missing=["lost"])
    assert [line.partition(";")[0] for line in remarks(filled, "canvas.csv")] == [
        "not in canvas.csv, so not exported: lost",
        "in canvas.csv, and nobody on the roster fits, so left as they are: Student, Test",
    ]


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        (CANVAS, "Practical 4", "has no column Practical 4"),
        (CANVAS.replace("10,64", "10,100"), "Practical 3", "counts 100 points, the assignment 64"),
        (CANVAS.replace("Quiz (1)", "Practical 3 (1)"), "Practical 3", "more than one column"),
        (CANVAS.replace("ID", "Number"), "Practical 3", "has none of the columns"),
        ("x\n", "Practical 3", "holds no table"),
        ('a,b\n"1,2\n', "Practical 3", "is not a CSV file"),
        (CANVAS.replace('901,,ada', '902,,ada'), "Practical 3", "could be ada, grace"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_filled_are_refused(tmp_path, text, column, said):
    sheet = tmp_path / "canvas.csv"
    sheet.write_text(text)
    with pytest.raises(GraderUsageError, match=r"canvas\.csv") as error:
        write_canvas(tmp_path / "out.csv", [mark("ada"), mark("grace", platform_id="902")], sheet, column)
    assert said in str(error.value)
    assert not (tmp_path / "out.csv").exists()


def test_moodles_worksheet_is_filled(tmp_path):
    sheet, out = tmp_path / "worksheet.csv", tmp_path / "out.csv"
    sheet.write_text(
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade\n"
        "Participant 77,Ada L,ada@uni.example,Submitted,,64.00\n"
        "Participant 78,Bob,BOB@uni.example,Submitted,,64.00\n"
    )
    assert write_moodle(out, [mark("ada"), mark("bob", 3)], sheet, "x") == Filled(["ada", "bob"])
    assert [row[4] for row in read_table(out).rows] == ["40.5", "3"]


def test_moodle_without_a_worksheet_and_brightspace(tmp_path):
    out = tmp_path / "out.csv"
    write_moodle(out, [mark("ada")], None, "Practical 3")
    assert out.read_text() == (
        "Username,First name,Last name,Email address,Practical 3\nada,Ada,L,ada@uni.example,40.5\n"
    )
    write_moodle(out, [mark("@ada", first_name="=1+1", last_name="x;=1+1")], None, "Practical 3")
    assert out.read_text().splitlines()[1] == "@ada,'=1+1,x;'=1+1,@ada@uni.example,40.5"
    write_brightspace(out, [mark("@ada")], "Practical 3")
    assert out.read_text().splitlines()[1] == "@ada,40.5,#"
    write_brightspace(out, [mark("ada")], "Practical 3")
    assert out.read_text() == "Username,Practical 3 Points Grade,End-of-Line Indicator\nada,40.5,#\n"
    with pytest.raises(GraderUsageError, match="--column"):
        write_brightspace(out, [mark("ada")], "50% exam")


def test_canvas_without_its_sheet_says_which(graded, tmp_path, capsys):
    assert export(graded, tmp_path, "canvas")[0] == 2
    assert "canvas needs --sheet" in capsys.readouterr().err
    assert export(graded, tmp_path, "canvas", "--sheet", str(tmp_path / "no.csv"))[0] == 2
    assert "no.csv: cannot be read" in capsys.readouterr().err
    assert export(graded, tmp_path, "excel")[0] == 2


def test_gradescope_gets_points_and_messages(tmp_path, capsys):
    write_result(tmp_path, current("submission", half))
    out = tmp_path / "gradescope.json"
    assert main(["course", "gradescope-results", str(tmp_path / "submission"), "--output", str(out)]) == 0
    table = json.loads(out.read_text())
    assert table["score"] == 11.25 == sum(test["score"] for test in table["tests"])
    assert sum(test["max_score"] for test in table["tests"]) == 22.5
    assert "the hint of 1.7.kld" in out.read_text()
    assert '"first"' not in out.read_text()  # the names of the made-up checks
    write_result(tmp_path, current("submission", half, sandbox="none"))
    out.unlink()
    assert main(["course", "gradescope-results", str(tmp_path / "submission"), "--output", str(out)]) == 1
    assert "was made without a sandbox" in capsys.readouterr().err
    assert not out.exists()


def test_what_was_not_marked_has_no_score_in_gradescope():
    result = current("x", half)
    items = (replace(result.items[0], status=GRADER_ERROR, points=0.0), *result.items[1:])
    table = as_gradescope(replace(result, items=items))
    assert "score" not in table
    assert "score" not in table["tests"][0]


def test_gradescope_shows_students_nothing_that_is_for_staff():
    ours = "look at test_logits by hand: it was surprised by TypeError: x (test_decoder.py, line 67)"
    theirs = "part1/util.py is not one of the files of the assignment and was not read"
    waiver = (
        "1.7.kld: uses torch.distributions, which the assignment forbids (--allow-distributions waives this)"
    )
    fault = "the grader failed: the box: /srv/grader broke down"
    result = current(
        "x", lambda item: (GRADER_ERROR, 0.0, fault, "grade again") if item.id == "1.7.kld" else half(item)
    )
    rule = waiver.removesuffix(" (--allow-distributions waives this)")
    staff = Note(ours, "staff", "grader")
    notes = (Note(rule, kind="rule"), Note(theirs), staff)
    table = as_gradescope(replace(result, warnings=(ours, theirs), violations=(waiver,), notes=notes))
    assert table["output"] == f"{theirs}\n{rule}"
    assert "/srv" not in json.dumps(table)
    assert "1.7.kld" in json.dumps(table)
    assert "output" not in as_gradescope(replace(result, warnings=(ours,), notes=(staff,)))


def test_gradescope_shows_students_no_log(tmp_path):
    base = tmp_path / "autograder"
    for folder in ("submission", "source", "results", "venv/bin"):
        (base / folder).mkdir(parents=True)
    python = base / "venv/bin/python"
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -m ] || exec {sys.executable} "$@"\necho "staff only: /srv" >&2\nexit 3\n'
    )
    python.chmod(0o755)
    script = RUN.replace("/autograder/", f"{base}/")
    done = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)
    assert "staff only: /srv" in done.stdout
    shown = json.loads((base / "results/results.json").read_text())
    assert shown["stdout_visibility"] == "hidden"
    assert "through no fault of yours" in shown["output"]
    assert "staff only" not in shown["output"]


def test_the_autograder_is_all_that_gradescope_needs(tmp_path):
    out = tmp_path / "autograder.zip"
    assert main(["course", "gradescope-autograder", "--output", str(out)]) == 0
    folder = tmp_path / "source"
    with zipfile.ZipFile(out) as archive:
        modes = {info.filename: info.external_attr >> 16 & 0o777 for info in archive.infolist()}
        archive.extractall(folder)
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    assert not any(name.startswith(("solutions/", "tests/")) for name in modes)
    for script in ("setup.sh", "run_autograder"):
        subprocess.run(["bash", "-n", str(folder / script)], check=True)
    # The grader in it starts by itself.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-m", "grader", "grade", "--help"]
    assert (
        subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.slow
def test_the_autograder_marks_a_submission_where_gradescope_puts_it(tmp_path):
    out = tmp_path / "autograder.zip"
    main(["course", "gradescope-autograder", "--output", str(out)])
    base = tmp_path / "autograder"
    with zipfile.ZipFile(out) as archive:
        archive.extractall(base / "source")
    (base / "results").mkdir()
    (base / "submission" / "part1").mkdir(parents=True)
    (base / "submission" / "part1" / "utils.py").write_text((ROOT / "solutions/part1/utils.py").read_text())
    script = (base / "source" / "run_autograder").read_text().replace("/autograder/", f"{base}/")
    script = script.replace(f"{base}/venv/bin/python", sys.executable)
    subprocess.run(["bash", "-c", script], check=True)
    table = json.loads((base / "results" / "results.json").read_text())
    assert table["score"] == pytest.approx(7.0)  # the items of part1/utils.py alone
    assert len(table["tests"]) == 16


def test_exports_are_written_where_they_can_be(graded, tmp_path, capsys):
    assert (
        main(["course", "export", str(graded.root), "csv", "--output", str(tmp_path / "no" / "out.csv")]) == 2
    )
    assert "cannot be written" in capsys.readouterr().err


def test_a_format_is_a_file_and_a_row(graded, tmp_path, monkeypatch, capsys):
    def write(request, marks, roster):
        request.output.write_text("".join(f"{one.student}: {one.points:g}\n" for one in marks))
        return Filled(written=[one.student for one in marks])

    monkeypatch.setitem(sys.modules, "grader.gradebook.exports.plain", SimpleNamespace(write=write))
    request = Request(tmp_path / "plain.txt", None, "Practical 3")
    assert export_marks(graded, Format("plain", "plain"), request) == 0
    points = next(one.points for one in final_marks(graded) if one.student == "ada")
    assert request.output.read_text() == f"ada: {points:g}\n"
    assert "1 student in " in capsys.readouterr().out


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_row_has_its_file(row):
    assert callable(row.writer())

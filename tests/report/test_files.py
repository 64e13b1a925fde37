"""results.json and marks.csv."""

from __future__ import annotations

import csv
import json
import os

import pytest

from grader.marking.result import FAILED, GRADER_ERROR
from grader.report.marks_csv import number, write_marks
from grader.report.results_json import write_result
from grader.rubric import load_rubric

from .results import passed, result


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_results_json_has_the_frozen_layout(tmp_path):
    path = write_result(tmp_path, result("s1", violations=("v",), warnings=("w",)))
    assert path == tmp_path / "s1" / "results.json"
    written = json.loads(path.read_text())
    assert list(written) == [
        *("submission", "seed", "suite", "sandbox", "waived", "seconds", "points", "max_points"),
        *("items", "violations", "warnings", "schema"),
    ]
    assert written["waived"] == []
    assert (written["points"], written["max_points"]) == (22.5, 22.5)
    assert [item["id"] for item in written["items"]] == [item.id for item in load_rubric().automatic]
    assert list(written["items"][0]) == ["id", "points", "max_points", "status", "checks"]
    assert list(written["items"][0]["checks"][0]) == ["name", "status", "weight", "message", "hint"]


def test_a_waived_rule_is_recorded(tmp_path):
    path = write_result(tmp_path, result("s1", waived=("torch.distributions",)))
    assert json.loads(path.read_text())["waived"] == ["torch.distributions"]


def test_a_new_result_replaces_the_old_one(tmp_path):
    write_result(tmp_path, result("s1"))
    write_result(tmp_path, result("s1", lambda item: (FAILED, 0.0, "m", "h")))
    assert json.loads((tmp_path / "s1" / "results.json").read_text())["points"] == 0
    assert os.listdir(tmp_path / "s1") == ["results.json"]


@pytest.mark.parametrize("name", ["", ".", "..", "../s1", "/s1", "a/b", ".s1", "a\0b"])
def test_no_name_leads_out_of_the_output_folder(tmp_path, name):
    (tmp_path / "output").mkdir()
    with pytest.raises(ValueError, match="is not a name for a folder"):
        write_result(tmp_path / "output", result(name))
    assert os.listdir(tmp_path) == ["output"]
    assert os.listdir(tmp_path / "output") == []


@pytest.mark.parametrize("share", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused_before_anything_is_written(tmp_path, share):
    with pytest.raises(ValueError, match=r"not JSON compliant|of 1\.5 points"):
        write_result(tmp_path, result("s1", lambda item: (FAILED, share, "", "")))
    assert os.listdir(tmp_path) == []


def test_half_a_surrogate_pair_does_not_reach_the_file(tmp_path):
    path = write_result(tmp_path, result("s1", lambda item: (FAILED, 0.0, "caf\udce9", "")))
    assert "\\ud" not in path.read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8"))["items"][0]["checks"][1]["message"] == "caf?"


def test_marks_csv_has_a_row_per_submission_and_a_column_per_item(tmp_path):
    half = result("s2", lambda item: (FAILED, 0.5, "", "") if item.id == "1.7.kld" else passed(item))
    rows = read_csv(write_marks(tmp_path, [result("s1"), half]))
    columns = ["submission", "points", "max_points", *(item.id for item in load_rubric().automatic), "status"]
    columns += ["review", "seed", "suite", "decided"]
    assert list(rows[0]) == columns
    assert [(row["submission"], row["points"], row["1.7.kld"], row["status"]) for row in rows] == [
        ("s1", "22.5", "1.5", "marked"),
        ("s2", "21.75", "0.75", "marked"),
    ]
    assert os.listdir(tmp_path) == ["marks.csv"]


def test_what_was_not_marked_is_empty_and_not_zero(tmp_path):
    broken = result("s1", lambda item: (GRADER_ERROR, 0.0, "", "") if item.id == "1.7.kld" else passed(item))
    (row,) = read_csv(write_marks(tmp_path, [broken]))
    assert (row["points"], row["1.7.kld"], row["1.7.bpd"], row["status"]) == ("", "", "1", "not marked")


@pytest.mark.parametrize("name", ['=HYPERLINK("x")', "+1", "-1", "@SUM(1)", "\uff1d1"])
def test_a_name_is_no_formula(tmp_path, name):
    (row,) = read_csv(write_marks(tmp_path, [result(name)]))
    assert row["submission"] == f"'{name}"


def test_a_name_is_no_formula_where_another_sign_separates_cells(tmp_path):
    (row,) = read_csv(write_marks(tmp_path, [result("x;=1+1")]))
    assert row["submission"] == "x;'=1+1"


def test_commas_and_quotes_stay_in_their_cell(tmp_path):
    (row,) = read_csv(write_marks(tmp_path, [result('Doe, "Jane"')]))
    assert row["submission"] == 'Doe, "Jane"'
    assert row["points"] == "22.5"


@pytest.mark.parametrize(
    ("points", "text"), [(12.0, "12"), (0.75, "0.75"), (0.0, "0"), (2 / 3, "0.667"), (10, "10")]
)
def test_points_read_as_people_write_them(points, text):
    assert number(points) == text

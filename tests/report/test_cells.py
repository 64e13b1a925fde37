"""Text in a spreadsheet's cells."""

from __future__ import annotations

import csv
import io

import pytest

from grader.report.cells import harmless

FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20\t\r"


@pytest.mark.parametrize(
    "name",
    [
        *("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1+1", '"=1+1'),
        *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(1)", "\ufe661+1", "\u22121"),
        *(
            "x;=1+1",
            "x; =1+1",
            "x,=1+1",
            "x\t=1+1",
            "x\n=1+1",
            "x|@SUM(1)",
            'x;"=1+1&"',
            "x;\uff1d1",
            "a;b;-1",
        ),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("before", [[], ["ada"]])
def test_no_cell_is_a_formula_whatever_separates_cells(name, separator, before):
    line = io.StringIO()
    csv.writer(line).writerow([*before, harmless(name), "1"])
    for row in csv.reader(io.StringIO(line.getvalue(), newline=""), delimiter=separator):
        assert not [cell for cell in row if cell.strip(' "').startswith(tuple(FORMULA))]


@pytest.mark.parametrize(
    "name",
    [
        *("Anne-Marie O'Neill", "Doe, Jane", "Doe; Jane", "ada+3@uni.example", "s1 - s2", "a=b", "x_-1", ""),
        *("Jürgen (Groep 3)", "Doe,Jane-Ann", "'t Hooft", "1-2"),
    ],
)
def test_an_honest_name_stays_as_it_is(name):
    assert harmless(name) == name


def test_the_sign_that_makes_it_text_stands_before_it():
    assert harmless("=1+1") == "'=1+1"
    assert harmless("x; =1+1;y") == "x;' =1+1;y"

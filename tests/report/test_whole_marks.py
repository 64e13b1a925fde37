"""The marks with what people gave, on the cohort's page."""

from __future__ import annotations

import pytest

from grader.report.pages import write_cohort_page, write_pages
from grader.report.results_json import write_result
from grader.report.whole_marks import FILE_NAME, WholeMark, read_whole_marks, write_whole_marks

from .results import result


@pytest.fixture
def output(tmp_path):
    for name in ("s1", "s2"):
        write_result(tmp_path, result(name))
    write_pages(tmp_path)
    return tmp_path


def test_they_are_read_back_as_they_were_written(output):
    marks = {"s1": WholeMark(50.25, 64.0, 2.0, {"1.1": 1.5, "1.2": None})}
    write_whole_marks(output, marks)
    assert read_whole_marks(output) == (marks, "")
    assert marks["s1"].waiting == 1


def test_the_page_shows_them_and_what_still_waits(output):
    before = (output / "index.html").read_text()
    assert "whole" not in before.partition("<main")[2].partition("</main>")[0]
    write_whole_marks(
        output,
        {
            "s1": WholeMark(50.25, 64.0, 0.0, {"1.1": 1.5}),
            "s2": WholeMark(31.0, 64.0, 0.0, {"1.1": None}),
        },
    )
    write_cohort_page(output)
    page = (output / "index.html").read_text()
    assert 'data-v="50.25">50.25</td>' in page
    assert "1 answer waits for a person" in page
    assert "Sampling an image" in page
    assert 'data-first="3"' in page


@pytest.mark.parametrize("content", ["{", '{"marks": [1]}', '{"marks": {"s1": {"points": NaN}}}', "[]"])
def test_what_cannot_be_read_is_told_and_the_page_comes_without(output, content):
    (output / FILE_NAME).write_text(content)
    marks, problem = read_whole_marks(output)
    assert marks == {}
    assert "it holds no marks" in problem
    assert write_pages(output).problems == (problem,)


def test_without_a_page_none_is_made(tmp_path):
    write_result(tmp_path, result("s1"))
    write_cohort_page(tmp_path)
    assert not (tmp_path / "index.html").exists()

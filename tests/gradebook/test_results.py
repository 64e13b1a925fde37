from __future__ import annotations

import json

import pytest
from report.results import value_off

from gradebook.courses import current, half
from grader.gradebook.feedback_text import feedback_text
from grader.gradebook.results import UnusableResult, read_result
from grader.marking.result import PARTIAL, CheckResult, ItemResult
from grader.report.results_json import write_result


@pytest.fixture
def written(tmp_path):
    """Write a result, changed by a function, and read it."""

    def write(change=lambda table: None):
        path = write_result(tmp_path, current("ada", half))
        table = json.loads(path.read_text())
        change(table)
        path.write_text(json.dumps(table))
        return read_result(path, "ada")

    return write


def test_a_result_is_read_as_it_was_written(written):
    assert written() == current("ada", half)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.update(sandbox="none"), "made without a sandbox"),
        (lambda table: table.update(sandbox=""), "made without a sandbox"),
        (lambda table: table.update(submission="bob"), "is the result of bob"),
        (lambda table: table["items"].pop(), "2.5.training"),
        (lambda table: table["items"].append(table["items"][0]), "one is there twice"),
        (lambda table: table["items"][0].update(max_points=9.0), "1.7.reparameterize"),
        (lambda table: table["items"][0].update(points=1.6), "has 1.6 of 1.5 points"),
        (
            lambda table: table["items"][0].update(points=-0.1),
            "items.0.points: Input should be greater",
        ),
        (
            lambda table: table["items"][0].update(points=True),
            "items.0.points: Input should be a valid",
        ),
        (
            lambda table: table["items"][0].update(points="1.5"),
            "items.0.points: Input should be a valid",
        ),
        (lambda table: table["items"][0].update(points=float("nan")), "items.0.points: "),
        (lambda table: table["items"][0].update(status="great"), "items.0.status: Input"),
        (lambda table: table.pop("sandbox"), "it is not a result (sandbox: Field required)"),
        (lambda table: table.update(warnings=[1]), "warnings.0: Input should be a valid string"),
    ],
)
def test_what_may_not_be_used_is_refused(written, change, said):
    with pytest.raises(UnusableResult, match=r"results\.json") as error:
        written(change)
    assert said in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null"])
def test_what_is_no_result_is_refused(tmp_path, content):
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(UnusableResult, match=r"it is not (JSON|a result)"):
        read_result(tmp_path / "results.json", "ada")
    with pytest.raises(UnusableResult, match="there is no result"):
        read_result(tmp_path / "missing.json", "ada")


def test_feedback_tells_messages_once_and_names_no_check():
    checks = [
        CheckResult("hidden_name_a", "failed", 1, "expected [3]\nbut [4] came", "look at the axis"),
        CheckResult("hidden_name_b", "failed", 1, "expected [3]\nbut [4] came", "look at the axis"),
        CheckResult("hidden_name_c", "passed", 1, "", ""),
    ]
    text = feedback_text(ItemResult("1.7.kld", 0.5, 1.5, PARTIAL, tuple(checks)), "KLD")
    assert text == (
        "1.7.kld, KLD: 0.5 of 1.5 points, partial\n- expected [3]\n  but [4] came\n  Hint: look at the axis\n"
    )


def test_feedback_says_nothing_of_the_graders_inside():
    checks = [
        CheckResult("a", "failed", 1, "expected [3]", "look at the axis"),
        CheckResult(
            "b", "grader_error", 1, "the grader failed: the box: /srv", "grade this submission again"
        ),
    ]
    text = feedback_text(ItemResult("1.7.kld", 0.0, 1.5, "grader_error", tuple(checks)), "KLD")
    assert text == (
        "1.7.kld, KLD: not marked yet, through no fault of yours\n- expected [3]\n  Hint: look at the axis\n"
    )


def test_feedback_says_that_a_person_looks_at_it():
    item = ItemResult("1.7.kld", 0.0, 1.5, "failed", (), "part1/utils.py is written for Python 3.12")
    assert "A person looks at this before it counts: part1/utils.py is written" in feedback_text(item, "KLD")


def test_feedback_tells_messages_once_that_differ_in_numbers_only():
    checks = [
        value_off("a", f"{count} of {count} values are off; one is {value}", "divide by 2")
        for count, value in ((7, 1.5), (9, -2e-5))
    ]
    text = feedback_text(ItemResult("1.7.kld", 0.5, 1.5, PARTIAL, tuple(checks)), "KLD")
    assert text.count("values are off") == 1

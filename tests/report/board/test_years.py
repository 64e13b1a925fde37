"""What the board reads of a year: whose points, and what the missing ones were lost for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.errors import GraderUsageError
from grader.marking.cause import Cause
from grader.marking.result import FAILED, GRADER_ERROR, CheckResult, Decision
from grader.report.board.years import PERSON, UNKNOWN, read_year
from grader.report.results_json import write_result
from grader.report.whole_marks import WholeMark, write_whole_marks
from tests.report.results import not_imported, result, value_off, waiting, with_checks

from .cohorts import whole_mark, write_year

AUTOMATIC = {item.id: item.points for item in result("s").items}


def student(year, name="s1"):
    return next(one for one in year.students if one.name == name)


def test_every_point_that_is_missing_has_a_cause(tmp_path):
    year = read_year("2027", write_year(tmp_path / "year", 40))
    assert year.whole
    assert len(year.students) == 40
    assert sum(year.worth.values()) == 64
    for one in year.students:
        for item, points in one.points.items():
            if points is None:
                assert item not in {loss.item for loss in one.losses}
                continue
            lost = sum(loss.points for loss in one.losses if loss.item == item)
            assert lost == pytest.approx(year.worth[item] - points), (one.name, item)
    assert {"not_implemented", "import", "value", "raised", PERSON} <= {
        loss.kind for one in year.students for loss in one.losses
    }


def test_outside_a_course_there_are_automatic_items_only(tmp_path):
    write_result(tmp_path, result("s1"))
    year = read_year("2027", tmp_path)
    assert not year.whole
    assert year.worth == AUTOMATIC
    assert student(year).losses == ()


def test_hand_ins_that_count_for_students_are_no_students(tmp_path):
    for name in ("ada", "ada+attempt1"):
        write_result(tmp_path, result(name))
    write_whole_marks(tmp_path, {"ada": whole_mark(AUTOMATIC, lambda: 1.0)})
    assert [one.name for one in read_year("2027", tmp_path).students] == ["ada"]


def test_a_mistake_is_told_by_its_cause_and_what_follows_by_where_it_is(tmp_path):
    broken = with_checks(
        kld=[value_off("matches", "KLD is off", "look", "the factor 1/2 is missing")],
        bpd=[not_imported("runs", "invalid syntax", 3)],
        forward=[not_imported("runs", "invalid syntax", 3)],
    )
    write_result(tmp_path, broken)
    losses = {loss.item: loss for loss in student(read_year("2027", tmp_path)).losses}
    assert (losses["1.7.kld"].kind, losses["1.7.kld"].cause) == ("value", "the factor 1/2 is missing")
    assert losses["1.7.bpd"].cause == "utils.py cannot be imported: SyntaxError"
    assert losses["1.7.forward"].cause == "follows from 1.7.bpd: utils.py cannot be imported: SyntaxError"
    assert losses["1.7.forward"].points == AUTOMATIC["1.7.forward"]


def test_what_a_person_gave_instead_is_no_matter_of_the_checks(tmp_path):
    lost = with_checks(kld=[value_off("matches", "KLD is off")], bpd=[value_off("matches", "it is off")])
    decision = Decision(0.5, "half of it", "Ana", "2027-12-01T00:00:00Z")
    items = tuple(
        replace(item, points=0.5, decision=decision) if item.id == "1.7.kld" else item for item in lost.items
    )
    write_result(tmp_path, replace(lost, items=items))
    points = AUTOMATIC | {"1.7.kld": 0.5, "1.7.bpd": 0.25}  # the latter changed in formgrader
    write_whole_marks(tmp_path, {"s1": whole_mark(points, lambda: 1.0)})
    losses = {loss.item: loss for loss in student(read_year("2027", tmp_path)).losses}
    assert {item: loss.kind for item, loss in losses.items()} == {"1.7.kld": UNKNOWN, "1.7.bpd": UNKNOWN}
    assert losses["1.7.bpd"].points == 0.75


def test_the_reasons_of_the_desk_are_causes_and_add_up(tmp_path):
    write_result(tmp_path, result("s1"))
    write_whole_marks(tmp_path, {"s1": whole_mark(AUTOMATIC, lambda: 0.5)})
    reasons = {
        ("s1", "1.1"): [("missing: the pixels", 0.25)],
        ("s1", "1.2"): [("missing: the sum", 2.0), ("confuses p and q", 2.0)],
    }
    losses = [loss for loss in student(read_year("2027", tmp_path, reasons)).losses if loss.item <= "1.2"]
    assert [(loss.item, loss.kind, loss.cause, loss.points) for loss in losses] == [
        ("1.1", PERSON, "missing: the pixels", 0.25),
        ("1.1", PERSON, "given by a person, without a reason that is kept", 0.75),
        ("1.2", PERSON, "missing: the sum", 0.75),
        ("1.2", PERSON, "confuses p and q", 0.75),
    ]


def test_what_waits_or_could_not_be_marked_has_no_points(tmp_path):
    write_result(tmp_path, waiting("s1", {"1.7.kld"}, "a newer Python"))
    fault = CheckResult("suite_ran", GRADER_ERROR, 1.0, "it did not")
    items = [
        replace(item, points=0.0, status=GRADER_ERROR, checks=(fault,)) if item.id == "1.7.bpd" else item
        for item in result("s2").items
    ]
    write_result(tmp_path, replace(result("s2"), items=tuple(items)))
    year = read_year("2027", tmp_path)
    assert student(year, "s1").points["1.7.kld"] is None
    assert student(year, "s2").points["1.7.bpd"] is None
    assert [one.losses for one in year.students] == [(), ()]


def test_results_of_before_without_causes_are_told_by_their_hints(tmp_path):
    check = CheckResult("matches", FAILED, 1.0, "KLD is off", "the sign is flipped")
    write_result(tmp_path, with_checks(kld=[check]))
    (loss,) = student(read_year("2027", tmp_path)).losses
    assert (loss.kind, loss.cause) == (UNKNOWN, "the sign is flipped")


@pytest.mark.parametrize(
    ("kind", "call", "words"),
    [
        ("missing", "KLD", "KLD is missing"),
        ("timeout", "KLD", "did not finish"),
        ("not_implemented", "KLD", "not implemented"),
    ],
)
def test_kinds_that_need_no_more_words(tmp_path, kind, call, words):
    check = CheckResult("runs", FAILED, 1.0, "a message", "a hint", cause=Cause(kind, call))
    write_result(tmp_path, with_checks(kld=[check]))
    assert student(read_year("2027", tmp_path)).losses[0].cause == words


def test_marks_by_another_rubric_are_named(tmp_path):
    write_result(tmp_path, result("s1"))
    mark = whole_mark(AUTOMATIC, lambda: 1.0)
    write_whole_marks(tmp_path, {"s1": WholeMark(mark.points, 60.0, 0.0, {**mark.items, "4.1": 2.0})})
    year = read_year("2020", tmp_path)
    assert "4.1" not in year.worth
    assert [line.partition(": ")[2] for line in year.notes] == [
        "not in today's rubric, and left out here: 4.1",
        "its marks are of 60 points, and its items make up 64: what people mark is compared with the points "
        "of today's rubric",
    ]


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(GraderUsageError, match="no results in it"):
        read_year("2027", tmp_path)

"""Causes and what follows from them."""

from __future__ import annotations

import pytest

from grader.marking.cause import Cause
from grader.marking.result import (
    FAILED,
    GRADER_ERROR,
    NOT_IMPLEMENTED,
    NOT_SUBMITTED,
    PASSED,
    CheckResult,
    SubmissionResult,
)
from grader.report.pages.findings import ItemFindings, find

from .cohort import put_together, recorded
from .results import GENERAL, raised, result, value_off, with_checks


def by_item(one: SubmissionResult) -> dict[str, ItemFindings]:
    return {here.result.id: here for here in find(one)}


def sample(name: str) -> dict[str, ItemFindings]:
    return by_item(put_together(name, recorded()["submissions"][name]["lost"], 1.0))


def test_a_right_submission_has_no_findings():
    for here in find(result("s1")):
        assert (here.findings, here.follow_ons, here.unmarked) == ([], [], [])
        assert here.passed == ["first", "second"]


def test_a_syntax_error_is_one_cause_with_all_else_below_it():
    told = sample("syntax_error")
    (cause,) = [finding for here in told.values() for finding in here.findings]
    assert cause.item == "1.7.reparameterize"
    assert "SyntaxError" in cause.message
    following = {one.item: one for one in cause.follow_ons}
    assert list(following) == [
        *("1.7.kld", "1.7.bpd", "1.7.forward", "1.7.training", "1.8.sample", "1.9.manifold"),
    ]
    assert told["1.7.kld"].follow_ons == [following["1.7.kld"]]
    assert len(following["1.7.kld"].checks) == 4
    assert cause.lost_in_all == pytest.approx(12.5)


def test_a_stub_is_one_cause_of_its_own_item_and_of_those_that_need_it():
    told = sample("half_done")
    forward = told["1.7.forward"].findings[0]
    assert forward.status == NOT_IMPLEMENTED
    assert [one.item for one in forward.follow_ons] == ["1.7.training"]
    assert told["1.7.training"].findings == []
    assert told["1.8.sample"].findings, "another stub is another cause"


def test_a_file_that_is_missing_is_one_cause():
    told = sample("no_part2")
    causes = [finding for here in told.values() for finding in here.findings]
    assert [(cause.item, cause.status) for cause in causes] == [("2.4.autoencoder", NOT_SUBMITTED)]
    assert causes[0].lost_in_all == pytest.approx(7.0)


def test_mistakes_of_two_items_stay_apart_even_if_they_read_alike():
    alike = value_off("trains", "the network has no parameters", "assign the layers to self")
    told = by_item(with_checks(encoder=[alike], decoder=[alike]))
    assert [len(told[item].findings) for item in ("1.7.encoder", "1.7.decoder")] == [1, 1]
    assert told["1.7.decoder"].follow_ons == []


def test_checks_of_an_item_with_the_same_hint_are_one_finding():
    checks = [
        value_off("a", "one is 5 instead of 3", "divide by ln 2"),
        value_off("b", "one is 7 instead of 4", "divide by ln 2"),
        value_off("c", "one is 7 instead of 4", "divide by ln 2"),
        value_off("d", "it has shape [3]"),
        CheckResult("e", PASSED),
    ]
    told = by_item(with_checks(kld=checks))["1.7.kld"]
    assert [finding.observations for finding in told.findings] == [
        {"one is 5 instead of 3": ["a", "b", "c"]},
        {"it has shape [3]": ["d"]},
    ]
    assert [finding.lost for finding in told.findings] == pytest.approx([1.125, 0.375])
    assert told.passed == ["e"]


def test_checks_of_an_item_that_name_the_same_mistake_are_one_finding():
    said, mistake = "KLD of {} inputs should have shape {}", "it is summed over the wrong dimension"
    checks = [
        value_off("a", said.format([7, 5], [7]), "sum over the last dimension only, dim=-1", mistake),
        value_off("b", said.format([4, 3], [4]), "sum over dim=-1; the batch stays", mistake),
        value_off("c", "KLD: 7 of 7 values are off; one is 2 instead of 1", "a half is missing"),
        value_off("d", "KLD: 5 of 7 values are off; one is 3 instead of 1", "no exp"),
    ]
    told = by_item(with_checks(kld=checks, bpd=checks[:1]))
    assert [finding.checks for finding in told["1.7.kld"].findings] == [["a", "b"], ["c"], ["d"]]
    assert told["1.7.kld"].findings[0].hint == "sum over the last dimension only, dim=-1"
    assert len(told["1.7.bpd"].findings) == 1, "another item's mistake is another one"


def test_messages_that_differ_in_numbers_only_are_told_once():
    seen = "besides {} codes of images the discriminator sees 1 different codes of shape {}"
    checks = [
        value_off(name, seen.format(count, [count, 5]), "draw as many as there are fake ones")
        for name, count in (("a", 7), ("b", 1500), ("c", 33))
    ]
    checks += [raised("d", "1 is too much", 30), raised("e", "1 is too much", 31)]
    one, *others = by_item(with_checks(kld=checks))["1.7.kld"].findings
    assert one.observations == {seen.format(7, [7, 5]): ["a", "b", "c"]}
    assert [other.checks for other in others] == [["d"], ["e"]], "two lines are two mistakes"


def test_a_general_hint_says_nothing_of_the_cause():
    checks = [
        CheckResult(
            name,
            FAILED,
            1.0,
            f"message {name}",
            GENERAL,
            cause=Cause("surprise", form=f"message {name}", general_hint=True),
        )
        for name in "ab"
    ]
    assert len(by_item(with_checks(kld=checks))["1.7.kld"].findings) == 2


def test_what_is_not_tried_follows_from_the_call_that_did_not_end():
    endless = CheckResult("a", FAILED, 1.0, "it took too long", "a loop", cause=Cause("timeout", "KLD"))
    skipped = CheckResult("b", FAILED, 1.0, "not tried", "mend what hangs", cause=Cause("hung"))
    told = by_item(with_checks(kld=[endless, skipped], bpd=[skipped]))
    assert [finding.checks for finding in told["1.7.kld"].findings] == [["a", "b"]]
    assert told["1.7.bpd"].findings == []
    assert [one.item for one in told["1.7.kld"].findings[0].follow_ons] == ["1.7.bpd"]


def test_what_the_grader_failed_to_mark_is_no_finding():
    ours = CheckResult("a", GRADER_ERROR, 1.0, "the grader failed: BoxError", "grade again")
    told = by_item(with_checks(kld=[ours]))["1.7.kld"]
    assert (told.findings, told.unmarked) == ([], ["a"])

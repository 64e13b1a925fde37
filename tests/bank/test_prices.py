"""What a mistake should cost, and what two cost together."""

from __future__ import annotations

import pytest

from tests.bank.entries import Entry, wrong
from tests.bank.families import FAMILIES
from tests.bank.prices import DEARER, HIDDEN, cost, judge_pair, pairs, total
from tests.bank.severities import EXCEPTIONS, MISSING, SLIPS
from tests.bank.verdict import Verdict

SLIP = Entry("1.7.kld: small", "1.7.kld", (), {}, frozenset({"1.7.kld"}), "dimension kept")


def verdict(**lost: float) -> Verdict:
    shares = tuple((f"1.7.{item}", share) for item, share in lost.items())
    return Verdict("1.7.kld: small", 1, False, (), (), (), (), 1.0, lost=shares)


@pytest.mark.parametrize(("share", "fits"), [(0.0, False), (0.15, True), (0.25, True), (0.45, False)])
def test_a_slip_costs_a_tenth_to_a_quarter(share: float, fits: bool) -> None:
    assert cost(SLIP, verdict(kld=share)).fits == fits


def test_points_beside_the_item_are_counted() -> None:
    found = cost(SLIP, verdict(kld=0.2, bpd=0.5))
    assert (found.share, found.beside) == (0.2, 0.5)
    assert total(verdict(kld=0.2, bpd=0.5)) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("both", "fault"), [(0.3, ""), (0.5, ""), (0.52, DEARER), (0.28, HIDDEN), (0.295, ""), (0.0, HIDDEN)]
)
def test_two_cost_between_the_larger_and_the_sum(both: float, fault: str) -> None:
    assert judge_pair(0.2, 0.3, both) == fault


def test_pairs_have_two_families_and_both_edits() -> None:
    found = pairs(20)
    assert len(found) == 20
    for first, second, entry in found:
        assert first.family != second.family or first.file != second.file
        for variant in (first, second):
            assert all(new.encode() in entry.files[variant.file] for _, new in variant.edits)


def test_every_severity_is_of_a_family_that_the_bank_has() -> None:
    families = {entry.family for entry in wrong()}
    assert families <= set(FAMILIES)
    assert set(SLIPS) | set(MISSING) <= set(FAMILIES)
    assert not set(SLIPS) & set(MISSING)
    assert set(EXCEPTIONS) <= {(entry.family, entry.item) for entry in wrong()}

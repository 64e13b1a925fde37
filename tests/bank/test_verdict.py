"""The bank's own arithmetic: what counts as missed, unfair, collateral, and what is kept."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from grader.marking.result import FAILED, GRADER_ERROR, PASSED, CheckResult, ItemResult, SubmissionResult
from grader.suites.measures import Measure, drain, note
from tests.bank import __main__ as command
from tests.bank import calibrate, kinds
from tests.bank import run as runs
from tests.bank.entries import Entry, automatic_items, right, wrong
from tests.bank.verdict import Verdict, judge, nearest

ITEMS = frozenset({"1.7.kld", "1.7.bpd", "1.7.training"})
WRONG = Entry("1.7.kld: a mistake", "1.7.kld", ("1.7.training",), {}, ITEMS)
RIGHT = Entry("right part1: the same", "", (), {}, ITEMS)


def result(*losing: str, status: str = FAILED, warnings: tuple[str, ...] = ()) -> SubmissionResult:
    """A result in which these items lose their points."""
    items = tuple(
        ItemResult(item, 0.0, 1.0, status, (CheckResult("one", status, message="why"),))
        if item in losing
        else ItemResult(item, 1.0, 1.0, PASSED, (CheckResult("one", PASSED),))
        for item in sorted(ITEMS)
    )
    return SubmissionResult("somebody", 3, "sha256:0", "bwrap", 1.0, items, warnings=warnings)


def test_a_mistake_that_costs_its_item_alone_is_good() -> None:
    verdict = judge(WRONG, result("1.7.kld"), [])
    assert verdict.good
    assert not verdict.collateral
    assert verdict.failed == (("1.7.kld", "one", "why"),)
    assert verdict.reasons == ["1.7.kld one: why"]


def test_a_mistake_that_costs_nothing_is_missed() -> None:
    verdict = judge(WRONG, result(), [])
    assert verdict.missed
    assert not verdict.good


def test_what_was_expected_is_collateral_and_not_unfair() -> None:
    verdict = judge(WRONG, result("1.7.kld", "1.7.training"), [])
    assert verdict.good
    assert verdict.collateral == ("1.7.training",)


def test_a_second_deduction_is_unfair() -> None:
    verdict = judge(WRONG, result("1.7.kld", "1.7.bpd"), [])
    assert verdict.unfair == verdict.collateral == ("1.7.bpd",)
    assert not verdict.good


def test_right_code_that_loses_points_is_unfair() -> None:
    assert judge(RIGHT, result(), []).good
    verdict = judge(RIGHT, result("1.7.bpd"), [])
    assert verdict.unfair == ("1.7.bpd",)
    assert not verdict.collateral


def test_the_graders_own_failures_are_never_good() -> None:
    assert judge(WRONG, result("1.7.kld", status=GRADER_ERROR), []).faults == ("1.7.kld",)
    assert not judge(RIGHT, result(warnings=("look at it by hand",)), []).good


def test_the_measure_nearest_to_its_limit_is_kept() -> None:
    measures = [
        Measure("spread", 1.0, 3.2),
        Measure("spread", 2.0, 3.2),
        Measure("progress, at least", 0.5, 0.1),
        Measure("progress, at least", 0.2, 0.1),
    ]
    assert set(nearest(measures)) == {("spread", 2.0, 3.2), ("progress, at least", 0.2, 0.1)}


def test_noted_measures_are_handed_over_once() -> None:
    drain()
    assert note("spread", 2.0, 3.2) == 2.0
    assert drain() == [Measure("spread", 2.0, 3.2)]
    assert drain() == []


def shown(*verdicts: Verdict) -> tuple[bool, str]:
    output = io.StringIO()
    good = command.show(verdicts, {WRONG.name}, {"attack"}, Console(file=output, width=110))
    return good, output.getvalue()


def test_the_figures_name_every_error() -> None:
    assert shown(judge(WRONG, result("1.7.kld"), []), judge(RIGHT, result(), []))[0]
    good, text = shown(judge(WRONG, result(), []), judge(RIGHT, result("1.7.bpd"), []))
    assert not good
    assert "1 missed" in text
    assert "1 unfair" in text
    assert "seed 3: right part1: the same: unfair ('1.7.bpd',)" in text
    assert "1.7.bpd one: why" in text


def test_too_much_collateral_is_an_error() -> None:
    good, text = shown(judge(WRONG, result("1.7.kld", "1.7.training"), []))
    assert not good
    assert "more than 3%" in text


def test_verdicts_are_kept_and_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "verdicts.jsonl"
    monkeypatch.setattr(runs, "KEPT", kept)
    assert runs.kept() == {}
    verdict = judge(WRONG, result("1.7.kld"), [Measure("spread", 2.0, 3.2)])
    runs.keep(WRONG, 3, verdict)
    monkeypatch.setattr(runs, "ProcessPoolExecutor", None)  # nothing may be left to do
    assert list(runs.run([(WRONG, 3)], 1)) == [verdict]
    changed = Entry(WRONG.name, WRONG.item, WRONG.also, {"part1/utils.py": b"other"}, WRONG.items)
    assert runs.key(changed, 3) not in runs.kept()
    assert runs.key(WRONG, 4) not in runs.kept()


def test_an_unknown_entry_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bank", "--only", "no such entry"])
    assert command.main() == 2
    assert "'no such entry'" in capsys.readouterr().out


def test_the_bank_is_large_enough_and_names_are_unique() -> None:
    wrongs, rights = wrong(), right()
    assert len(wrongs) >= 120
    assert len(rights) >= 40
    assert len({entry.name for entry in wrongs + rights}) == len(wrongs) + len(rights)
    assert {entry.item for entry in wrongs} >= set(automatic_items()) - {"1.7.training", "2.4.reconstruction"}


def test_the_page_shows_ranges_and_the_nearest_wrong_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runs, "KEPT", tmp_path / "verdicts.jsonl")
    # Pairs of mistakes and what is no longer in the bank are kept, too, and do not count.
    unusual = kinds.entries()[0]
    monkeypatch.setattr(calibrate.entries, "wrong", lambda: [WRONG])
    monkeypatch.setattr(calibrate.entries, "right", lambda: [RIGHT])
    page = tmp_path / "page.md"
    monkeypatch.setattr("sys.argv", ["calibrate", "--page", str(page)])
    assert calibrate.main() == 2
    assert "run make bank" in capsys.readouterr().out
    for seed, spread in enumerate((0.8, 2.5)):
        runs.keep(
            RIGHT,
            seed,
            judge(RIGHT, result(), [Measure("spread", spread, 3.2), Measure("prior: mean", 2.0, 6.5)]),
        )
    for seed, spread in enumerate((7.0, 5.0, 1.0)):
        runs.keep(
            WRONG, seed, judge(WRONG, result("1.7.kld", "1.7.training"), [Measure("spread", spread, 3.2)])
        )
    runs.keep(unusual, 1, judge(unusual, result("1.7.kld"), [Measure("spread", 0.9, 3.2)]))
    pair = Entry("a pair", WRONG.item, (), {}, WRONG.items)
    runs.keep(pair, 1, judge(pair, result("1.7.kld"), [Measure("spread", 3.3, 3.2)]))
    attack = next(iter(calibrate.ATTACK_NAMES))
    runs.keep(attack, 1, Verdict(attack, 1, False, (), (), (), (), 1.0, breached=("earned 1.7.kld",)))
    assert calibrate.main() == 0
    text = page.read_text()
    assert (
        "| spread (no suite) | 3 | 0.800 to 2.500 (median 0.900) | 3.2 | 0.700 | 5: 1.7.kld: a mistake | 2 |"
        in text
    )
    assert "| 1 unusual right networks | 1 | 1 | 1 lost points |" in text
    assert (
        "| prior: mean (`part2/chance.py`) | 2 | 2.00 / 2.00 / 2.00 | 6.5 | 4.50 | 8e-11 | 0 | none needs it"
        in text
    )
    assert "| 1 hostile ones | 1 | 1 | 1 breached | 0 |" in text
    assert "no suite" not in [calibrate.where(name) for name in calibrate.THEORY]
    assert "lost by 1 of the 1 wrong ones (100.0%)" in text

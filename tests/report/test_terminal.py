"""What a run shows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from grader.engine import Finished, Started
from grader.marking.result import FAILED, GRADER_ERROR, NOT_IMPLEMENTED, NOT_SUBMITTED, PARTIAL, CheckResult
from grader.report.status_style import lines_of
from grader.rubric import load_rubric
from grader.terminal.run import TerminalReport

from .results import Stream, passed, result, value_off, waiting, with_checks

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")

WRONG_KLD = result(
    "wrong_kld",
    lambda item: (
        (PARTIAL, 0.5, "expected shape [7], got []", "sum over dim=-1")
        if item.id == "1.7.kld"
        else passed(item)
    ),
)
STUBS = result("stubs", lambda item: (NOT_IMPLEMENTED, 0.0, "still to be written", ""))
OURS = result("ours", lambda item: (GRADER_ERROR, 0.0, "the process died", ""))


def shown(results, terminal=True, encoding="utf-8", width=80, **options) -> str:
    stream = Stream(terminal, encoding)
    report = TerminalReport(len(results), stream=stream, width=width, **options)
    with report.follow():
        for one in results:
            report.on_event(Started(one.submission))
            report.on_event(Finished(one))
    report.show(results)
    report.summary(results)
    return stream.getvalue()


def table(results, width, encoding="utf-8") -> str:
    """The table alone, without colours and without the progress bar."""
    stream = Stream(True, encoding)
    TerminalReport(len(results), stream=stream, width=width, show_details=False).show(results)
    return COLOUR.sub("", stream.getvalue())


@pytest.mark.parametrize("width", [80, 100, 120, 160, 200, 250])
def test_the_table_fits_and_shows_every_submission_and_question(width):
    names = ["a", "wrong_kld", "a name that is rather long for a table", "学生" * 10]
    text = table([result(name) for name in names], width)
    lines = text.splitlines()
    assert max(len(line) for line in lines) <= width
    assert text.count("22.5") == len(names)
    for question in ("1.7", "1.8", "1.9", "2.4", "2.5"):
        assert question in lines[1]
    for item in load_rubric().automatic:
        assert item.id.split(".")[2].split("_")[0] in text, "an item is named in the header or in the legend"


def test_a_wide_table_has_names_and_points():
    text = table([WRONG_KLD, STUBS], 200)
    assert "reparameterize  kld bpd" in text
    assert "1.5 0.75   1 " in text
    assert "1 reparameterize" not in text


def test_a_middle_table_has_numbers_and_points():
    text = table([WRONG_KLD, STUBS], 120)
    assert "1.5 0.75  1 " in text
    assert "1.7  1 reparameterize, 2 kld, 3 bpd" in text


def test_a_narrow_table_has_signs():
    text = table([WRONG_KLD, STUBS], 80)
    assert "✓ ◐ ✓ ✓ ✓ ✓ ✓" in text
    assert "○ ○ ○ ○ ○ ○ ○" in text
    assert "◐ partial" in text
    assert "✗ failed" not in text, "the legend explains what occurs, no more"


def test_a_terminal_without_unicode_gets_ascii():
    text = table([WRONG_KLD, STUBS], 80, encoding="ascii")
    assert text.isascii()
    assert "+ ~ + + + + +" in text


def test_what_was_not_marked_shows_no_points():
    assert re.search(r"ours .*!.* ! │$", table([OURS], 80), re.MULTILINE)
    assert "ours  not marked" in shown([OURS], terminal=False)
    assert "ours: not marked (the grader's fault): all" in shown([OURS], terminal=False)


def test_details_tell_message_and_hint_and_only_what_failed():
    text = shown([WRONG_KLD, result("good")], terminal=False)
    assert "wrong_kld  21.75 of 22.5 points" in text
    assert "◐ 1.7.kld  partial, 0.75 of 1.5" in text
    assert "        expected shape [7], got []\n        Hint: sum over dim=-1\n" in text
    assert "first" not in text
    assert "good  22.5" not in text


def test_what_many_items_share_is_told_once():
    text = shown([STUBS], terminal=False)
    assert text.count("still to be written") == 1
    assert "○ all 16 items  not implemented, 0 of 22.5" in text


def test_what_many_checks_share_is_told_once():
    checks = tuple(CheckResult(name, FAILED, 1.0, "it ended its process") for name in "abcde")
    good = result("s1")
    failed = replace(good.items[1], points=0.0, status=FAILED, checks=checks)
    text = shown([replace(good, items=(good.items[0], failed, *good.items[2:]))], terminal=False)
    assert text.count("it ended its process") == 1
    assert "a, b, c and 2 more" in text


def test_what_checks_say_with_other_numbers_is_told_once():
    checks = [value_off(name, f"{name} of {name} values are off", "halve it") for name in "79"]
    said = shown([with_checks(kld=checks)], terminal=False)
    assert said.count("values are off") == 1


def test_what_is_not_marked_is_no_zero_in_the_details():
    assert "! all 16 items  not marked (the grader's fault), worth 22.5" in shown([OURS], terminal=False)


def test_violations_and_warnings_are_told():
    text = shown([result("s1", violations=("uses torch.distributions",), warnings=("odd",))], terminal=False)
    assert "violation: uses torch.distributions" in text
    assert "warning: odd" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_a_waived_rule_is_told_once(terminal):
    waived = [result(name, waived=("torch.distributions",)) for name in ("s1", "s2")]
    for show_details in (True, False):
        lines = COLOUR.sub("", shown(waived, terminal, show_details=show_details)).splitlines()
        assert [line for line in lines if "waived" in line] == [
            "waived in this run: the rule against torch.distributions"
        ]
    assert "waived" not in shown([result("s1")], terminal)
    assert "waived" not in shown(waived, terminal, quiet=True)


def test_details_are_left_out_for_many_submissions_unless_asked_for():
    many = [result(f"s{number}", lambda item: (FAILED, 0.0, "mistaken", "")) for number in range(11)]
    assert "mistaken" not in shown(many)
    assert "--details shows" in shown(many)
    assert "mistaken" in shown(many, show_details=True)
    assert "mistaken" not in shown(many[:10], show_details=False)


def test_a_log_gets_plain_lines():
    missing = result("s2", lambda item: passed(item) if item.part == 1 else (NOT_SUBMITTED, 0.0, "gone", ""))
    text = shown([result("s1"), missing], terminal=False, width=40)
    assert not CONTROL.search(text)
    assert text.startswith(
        "[1/2] s1: 22.5 of 22.5 points\n[2/2] s2: 15.5 of 22.5 points; not submitted: 2.4.autoenc"
    )
    assert "2 of 2 submissions marked, on average 19 of 22.5 points" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_students_text_neither_styles_nor_steers_the_terminal(terminal):
    nasty = "[red]x[/red] [link=file:///]y[/] \x1b[2J\x1b]0;title\x07 \r\b \x9b31m \u202e end"
    hostile = result(nasty, lambda item: (FAILED, 0.0, nasty, nasty), violations=(nasty,), warnings=(nasty,))
    text = COLOUR.sub("", shown([hostile], terminal, width=400))
    text = re.sub(r"\x1b\[(\?25[lh]|\d*[AK])|\r", "", text)  # what the progress bar itself does
    assert not CONTROL.search(text)
    assert "\u202e" not in text
    assert "[red]x[/red]" in text
    assert "\\x1b[2J" in text


def test_the_progress_bar_counts_submissions_and_failures():
    text = COLOUR.sub("", shown([WRONG_KLD, result("good")], width=120))
    assert "2/2" in text
    assert "1 with failures" in text


def test_quiet_shows_one_line():
    text = shown([WRONG_KLD], quiet=True, terminal=False)
    assert text.startswith("1 of 1 submissions marked")
    assert text.count("\n") == 1


def test_a_long_message_is_cut():
    assert lines_of("\n".join(["line"] * 100))[-1] == "… 70 more lines in results.json"
    assert len(lines_of("x" * 100_000)[0]) <= 2000


def test_what_waits_for_a_person_is_named_with_its_reason():
    one = waiting("ada", {"1.7.kld", "1.7.bpd"}, "part1/utils.py is written for Python 3.12")
    said = shown([one, result("bob")], terminal=False)
    (line,) = [line for line in said.splitlines() if line.startswith("waits for a person")]
    assert line == ("waits for a person: ada, 1.7.kld, 1.7.bpd: part1/utils.py is written for Python 3.12")
    everything = waiting("eve", {item.id for item in one.items}, "two hand-ins of this name")
    assert "waits for a person: eve, all items: two hand-ins" in shown([everything], terminal=False)

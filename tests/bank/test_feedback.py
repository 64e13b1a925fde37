"""What a student reads after a mistake: every failed check gives a hint, one of them names the mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import PASSED, CheckResult
from grader.submission import Submission
from tests.bank.entries import Entry, wrong
from tests.bank.families import FAMILIES, diagnosis, generic, names

ENTRIES = {entry.name: entry for entry in wrong()}
EVERY = 12  # of so many entries one is tried in the default run
# Entries whose texts are still to be improved, one a line: none of these may be named in full.
OPEN = frozenset(Path(__file__).with_name("open_feedback.txt").read_text().splitlines())
# At most this share of an item's other mistakes may be given the words of a family, too: a word that fits
# them all helps nobody. Some may: a mistake has consequences, and checks tell of these as well.
OTHERS = 1 / 3

Say = Callable[[Entry], tuple[CheckResult, ...]]


@pytest.fixture(scope="module")
def say() -> Iterator[Say]:
    """The failed checks of the item that an entry is about; each entry is marked once."""
    marker = Marker(MarkingOptions(seed=1))
    said: dict[str, tuple[CheckResult, ...]] = {}

    def say(entry: Entry) -> tuple[CheckResult, ...]:
        if entry.name not in said:
            result = marker.mark(Submission(entry.name, entry.files), frozenset({entry.item}))
            checks = (check for item in result.items for check in item.checks)
            said[entry.name] = tuple(check for check in checks if check.status != PASSED)
        return said[entry.name]

    yield say
    marker.close()


def parameters() -> list[object]:
    """All entries, most of them for the slow run only."""
    return [
        pytest.param(entry, id=entry.name, marks=[pytest.mark.slow] if index % EVERY else [])
        for index, entry in enumerate(ENTRIES.values())
    ]


@pytest.mark.parametrize("entry", parameters())
def test_a_mistake_is_named(say: Say, entry: Entry) -> None:
    checks = say(entry)
    assert checks, "nothing fails"
    assert all(check.message.strip() for check in checks), checks
    silent = [check.name for check in checks if not check.hint.strip()]
    texts = [diagnosis(check) for check in checks]
    named = any(names(entry.family, text) for text in texts)
    if entry.name in OPEN:
        assert silent or not named, "take it off tests/bank/open_feedback.txt"
        return
    assert not silent, f"checks without a hint: {silent}"
    assert named, "\n".join([f"nothing names the family {entry.family!r}:", *texts])


def test_every_mistake_has_a_family_and_every_family_a_mistake() -> None:
    assert {entry.family for entry in ENTRIES.values()} == set(FAMILIES)
    assert ENTRIES.keys() >= OPEN, OPEN - ENTRIES.keys()


@pytest.mark.parametrize("family", FAMILIES)
def test_words_that_are_said_of_any_mistake_do_not_count(family: str) -> None:
    for text in generic():
        said = diagnosis(CheckResult("a_check", "failed", message="the loss is 3", hint=text))
        assert not names(family, said)
    assert not names(family, "the loss: 5 of 5 values are off; one is 1 instead of 2")


@pytest.mark.slow
@pytest.mark.parametrize("item", sorted({entry.item for entry in ENTRIES.values()}))
def test_families_tell_an_items_mistakes_apart(say: Say, item: str) -> None:
    entries = sorted((entry for entry in ENTRIES.values() if entry.item == item), key=lambda e: e.family)
    for family, _ in groupby(entries, key=lambda entry: entry.family):
        others = [entry for entry in entries if entry.family != family]
        also = [entry.name for entry in others if any(names(family, diagnosis(c)) for c in say(entry))]
        assert len(also) <= OTHERS * len(others), f"{family!r} is named for {also}, too"

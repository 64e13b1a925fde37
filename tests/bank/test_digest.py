"""Kept verdicts survive a better message, and nothing else."""

from __future__ import annotations

import pytest

from tests.bank.digest import without_texts

CHECK = """
def test_it(part):
    expect(part.loss("ae_loss") > 3.2, f"the loss is {loss:.2f}, too large", "divide by it")
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("too large", "far too large"),
        ("divide by it", "divide by its size"),
        ("\n    expect", "\n    # why\n    expect"),
    ],
)
def test_a_text_or_a_comment_changes_nothing(old: str, new: str) -> None:
    assert old in CHECK
    assert without_texts(CHECK.replace(old, new)) == without_texts(CHECK)


@pytest.mark.parametrize(("old", "new"), [("3.2", "3.3"), ("ae_loss", "gen_loss"), (" > ", " >= ")])
def test_what_decides_changes_it(old: str, new: str) -> None:
    assert old in CHECK
    assert without_texts(CHECK.replace(old, new)) != without_texts(CHECK)

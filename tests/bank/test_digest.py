"""Kept verdicts survive a better message, and nothing else."""

from __future__ import annotations

import pytest

from tests.bank import digest
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


def test_one_parts_suite_decides_nothing_of_the_other(monkeypatch, tmp_path) -> None:
    def with_suites(first: str, second: str, shared: str) -> dict[str, str]:
        for name, content in (
            ("suites/part1/test_kld.py", first),
            ("suites/drivers/part1_driver.py", first),
            ("suites/part2/test_loss.py", second),
            ("suites/drivers/part2_driver.py", second),
            ("suites/expect.py", shared),
        ):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        digest.verdict_digest.cache_clear()
        return {part: digest.verdict_digest(frozenset({part})) for part in digest.PARTS}

    monkeypatch.setattr(digest, "PACKAGE", tmp_path)
    monkeypatch.setattr(digest, "VERDICT_SOURCES", ("suites",))
    before = with_suites("a = 1", "b = 1", "c = 1")
    other_first = with_suites("a = 2", "b = 1", "c = 1")
    other_shared = with_suites("a = 2", "b = 1", "c = 2")
    digest.verdict_digest.cache_clear()
    assert (other_first["part1"] != before["part1"], other_first["part2"] == before["part2"]) == (True, True)
    assert other_shared["part2"] != before["part2"]

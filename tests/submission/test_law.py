"""The law: what came in is marked, waits for a person, or is left out with its name and the reason.

Hypothesis makes cohorts, and a recorder stands in for the marking.
"""

from __future__ import annotations

import csv
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from grader.engine import Provenance, grade_into, prepare_output
from grader.errors import GraderUsageError
from grader.marking.result import PASSED, CheckResult, ItemResult, SubmissionResult
from grader.rubric import load_rubric
from grader.submission import Submission, find_submissions
from grader.submission.names import is_silent
from grader.text import printable
from tests.engine.fakes import HereWorkers

from .hand_ins import Thing, cohorts, tarred, zipped

PROVENANCE = Provenance(seed=7, suite="sha256:0", sandbox="bwrap")
RECORDED: dict[str, Submission] = {}


class Recorder:
    """Marks nothing: remembers what it was given."""

    def mark(self, submission: Submission) -> SubmissionResult:
        assert submission.name not in RECORDED
        RECORDED[submission.name] = submission
        check = CheckResult("recorded", PASSED)
        items = [
            ItemResult(item.id, item.points, item.points, PASSED, (check,))
            for item in load_rubric().automatic
        ]
        return SubmissionResult(submission.name, 7, "sha256:0", "bwrap", 0.0, tuple(items))

    def close(self) -> None: ...


def rows_of(output: Path) -> dict[str, dict[str, str]]:
    with (output / "marks.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = {row["submission"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def check_the_law(things: list[Thing], folder: Path) -> None:
    cohort, output = folder / "cohort", folder / "output"
    cohort.mkdir()
    for thing in things:
        thing.write(cohort)
    came_in = {thing.name for thing in things if not is_silent(thing.name)}
    try:
        found = find_submissions([cohort], output)
    except GraderUsageError as refused:
        message = str(refused)
        hidden = [thing for thing in things if thing.name.startswith(".")]
        assert "no submissions in it" in message, message
        assert not any(thing.own for thing in things if thing not in hidden)
        return
    # Each entry stands for a submission, or is left out and named; none is both, none is silent.
    stands_for: dict[str, str] = {}
    for one in found.submissions:
        for path in (one.path, *one.others, *(path for _, path in one.loose)):
            stands_for[path.relative_to(cohort).parts[0]] = one.name
    left_out = {one.path.name for one in found.left_out}
    passed_over = {
        name
        for name in came_in
        if any(
            ("several times" in line or "and not read" in line) and printable(name, 80) in line
            for line in found.warnings
        )
    }
    assert not stands_for.keys() & left_out
    assert stands_for.keys() | left_out | passed_over == came_in
    for one in found.left_out:
        assert one.reason
        assert str(one) in found.warnings
        assert printable(str(one.path)) in str(one)
    # Each submission has a row; what is in it was marked, or a person or a message says what was not.
    RECORDED.clear()
    prepare_output(output)
    results = grade_into(output, found.submissions, Recorder, PROVENANCE, workers=HereWorkers(Recorder))
    assert all(result.marked for result in results)
    assert len(rows_of(output)) == len(results) == len(found.submissions)
    told = {result.submission: result for result in results}
    for thing in things:
        if thing.name not in stands_for:
            continue
        result = told[stands_for[thing.name]]
        submission = RECORDED.get(result.submission)
        messages = [check.message for item in result.items for check in item.checks]
        if submission is None:
            assert all(messages)
            continue
        for name, content in submission.files.items():
            owners = [other.own for other in things if stands_for.get(other.name) == result.submission]
            assert any(own.get(content) == name for own in owners)
        missed = thing.own.keys() - set(submission.files.values())
        alone = sum(one == result.submission for one in stands_for.values()) == 1
        assert not (missed and thing.plain and alone), "what lies where it may lie is read"
        assert not missed or result.warnings or result.reviews or thing.name in passed_over


def law(examples: int):
    """The property, as often as that."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.function_scoped_fixture,
            HealthCheck.data_too_large,
        ],
    )
    @given(things=cohorts)
    def holds(things: list[Thing]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            check_the_law(things, Path(folder).resolve())

    return holds


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """Nothing is to survive a loss of power here."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def test_nothing_that_was_handed_in_gets_lost(quick_disk):
    law(200)()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_nothing_that_was_handed_in_gets_lost_often(quick_disk):
    law(2000)()


def test_a_thousand_things_in_one_cohort(tmp_path):
    from grader.submission import NAMED_FILES

    tree = {name: name.encode() for name in NAMED_FILES}
    own = {content: name for name, content in tree.items()}
    flat = {name.rpartition("/")[2]: content for name, content in tree.items()}
    packed = [zipped(tree), tarred(tree, "gz"), tarred(tree, "bz2"), zipped({"w/handin.zip": zipped(tree)})]
    things: list[Thing] = []
    for number in range(0, 1000, 10):
        things += [
            Thing(f"s{number}", tree, own=own),
            Thing(
                f"s{number + 1}",
                {f"Lab 3/{name}": text for name, text in tree.items()} | {"index.html": b""},
                own=own,
            ),
            Thing(f"s{number + 2}", flat, own=own),
            Thing(f"s{number + 3}", content=packed[number // 10 % 4], own=own),
            Thing(f"s{number + 4}.zip.txt", content=packed[number // 10 % 4], own=own),
            Thing(f"s{number + 5}.7z", content=b"7z\xbc\xaf\x27\x1c"),
            Thing(f"s{number + 6}.pdf", content=b"%PDF-1.4"),
            Thing(f"s{number + 7}", content=b"just text"),
            Thing(f"s{number + 8}", tree, own=own),
            Thing(f"s{number + 8}.zip", content=packed[0], own=own),
        ]
    check_the_law(things, tmp_path)
    rows = rows_of(tmp_path / "output")
    found = find_submissions([tmp_path / "cohort"], tmp_path / "output")
    assert (len(things), len(rows), len(found.left_out)) == (1000, 700, 200)
    assert sum(row["status"] == "waits for a person" for row in rows.values()) == 200
    assert all(len(submission.files) == 5 for submission in RECORDED.values())
    assert len(RECORDED) == 500

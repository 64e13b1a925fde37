"""What is marked, in which order, and what is kept."""

from pathlib import Path

from grader.marking.result import FAILED, PASSED, CheckResult, ItemResult, SubmissionResult
from grader.submission import Submission
from tests.mutation.killer import earlier, kept, key, order, run
from tests.mutation.mutants import Mutant, mutants
from tests.suites.variants import SOLUTIONS

FILE = "part1/utils.py"
FIRST, SECOND, THIRD = mutants(FILE, (SOLUTIONS / FILE).read_text())[:3]


class FakeMarker:
    """Fails one mutant, and remembers what it has marked."""

    def __init__(self, wrong: Mutant) -> None:
        self.wrong = wrong
        self.marked: list[bytes] = []

    def mark(self, submission: Submission, items: frozenset[str] | None = None) -> SubmissionResult:
        assert items is not None
        assert all(item.startswith("1.") for item in items)
        content = submission.files[FILE]
        self.marked.append(content)
        status = FAILED if content == self.wrong.text.encode() else PASSED
        check = CheckResult("draws", status, 1.0, "no noise")
        result = ItemResult("1.7.reparameterize", 0.0, 1.5, status, (check,))
        return SubmissionResult("mutant", 1, "", "none", 0.5, (result,))


def test_killed_and_survived(tmp_path: Path) -> None:
    outcomes = [
        outcome for _, outcome in run([FIRST, SECOND], tmp_path / "kept.jsonl", FakeMarker(wrong=SECOND))
    ]
    assert [outcome.survived for outcome in outcomes] == [True, False]
    assert outcomes[1].killed_by == ("1.7.reparameterize",)
    assert (outcomes[1].checks, outcomes[1].message) == (("draws",), "no noise")


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    path, marker = tmp_path / "kept.jsonl", FakeMarker(wrong=SECOND)
    list(run([FIRST, SECOND], path, marker))
    with path.open("a") as file:
        file.write('{"key": "cut o')
    outcomes = list(run([FIRST, SECOND, THIRD], path, marker))
    assert marker.marked == [mutant.text.encode() for mutant in (FIRST, SECOND, THIRD)]
    assert [outcome.survived for _, outcome in outcomes] == [True, False, True]


def test_other_suites_mark_again_what_is_not_believed(tmp_path: Path) -> None:
    path, marker = tmp_path / "kept.jsonl", FakeMarker(wrong=SECOND)
    list(run([FIRST, SECOND], path, marker))
    path.write_text(path.read_text().replace("sha256:", "sha256:0"))
    assert set(earlier(path)) == {FIRST.digest, SECOND.digest}
    for believe, marked in (("all", []), ("killed", [FIRST]), ("none", [SECOND])):
        marker.marked.clear()
        list(run([FIRST, SECOND], path, marker, believe))
        assert marker.marked == [mutant.text.encode() for mutant in marked]
    assert {key(FIRST), key(SECOND)} <= set(kept(path))


def test_near_checks_come_first_and_trainings_last() -> None:
    checks = [
        ("1.7.training", "test_training"),
        ("2.5.training", "test_training"),
        ("1.7.bpd", "test_bpd"),
        ("2.5.training", "test_updates"),
    ]
    assert sorted(checks, key=lambda check: order(*check, near="2.5.training")) == [
        ("2.5.training", "test_updates"),
        ("1.7.bpd", "test_bpd"),
        ("2.5.training", "test_training"),
        ("1.7.training", "test_training"),
    ]

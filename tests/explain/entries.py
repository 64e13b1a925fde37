"""Wrong submissions of the bank, marked and explained with one warm box."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from grader.explain.explanation import Explanation, explained
from grader.explain.original import Original
from grader.explain.rerun import Reruns
from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import PASSED
from grader.submission import Submission
from tests.bank.entries import Entry, wrong
from tests.suites.variants import solution

OPTIONS = MarkingOptions(seed=7)


def entry(name: str) -> Entry:
    """The wrong entry of the bank with this name."""
    (found,) = (one for one in wrong() if one.name == name)
    return found


@dataclass
class Desk:
    """Marks and explains; `close` it."""

    marker: Marker
    reruns: Reruns | None = None

    def submission(self, one: Entry) -> Submission:
        """A whole hand-in with one mistake."""
        return Submission("mia", {**solution("part1"), **solution("part2"), **one.files})

    def original(self, one: Entry) -> Original:
        """What a run has found of it, looked at in the item that the mistake is in."""
        submission = self.submission(one)
        result = self.marker.mark(submission, frozenset({one.item}))
        (item,) = result.items
        failed = tuple(check for check in item.checks if check.status != PASSED)
        return Original(result, item, failed, submission, OPTIONS, sure=True)

    def explain(self, one: Entry, most: int = 1) -> list[Explanation]:
        """What is said of its failed checks."""
        original = self.original(one)
        original = replace(original, checks=original.checks[:most])
        assert original.checks, f"{one.name}: nothing failed"
        self.reruns = self.reruns or Reruns(original)
        self.reruns.original = original
        return [explained(original, self.reruns.run(check.name), "shown") for check in original.checks]

    def close(self) -> None:
        """End both boxes."""
        self.marker.close()
        if self.reruns is not None:
            self.reruns.close()


def run_snippet(
    explanation: Explanation, files: dict[str, bytes], folder: Path, more: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the plain Python beside the student's files, without the kit."""
    assert explanation.snippet is not None, explanation.why_none
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "shown.py").write_text(explanation.snippet.code + more)
    if explanation.snippet.data:
        (folder / "shown.pt").write_bytes(explanation.snippet.data)
    assert "grader" not in explanation.snippet.code
    return subprocess.run(
        [sys.executable, "shown.py"], cwd=folder, capture_output=True, text=True, timeout=200
    )

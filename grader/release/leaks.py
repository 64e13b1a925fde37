"""Finds in a release what students must not see: solutions, model answers, hidden tests.

A line or sentence counts when it is long enough to say something. Lines that are given to students anyway,
such as `return x` outside of a solution, do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

TELLING_CODE = 16  # characters without blanks; `c = 32` or a closing bracket says nothing by itself
TELLING_SENTENCE = 60
_SOLUTION = re.compile(r"# BEGIN SOLUTION[^\n]*\n(.*?)# END SOLUTION", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.:?])\s+")
# Everyone writes these.
_COMMONPLACE = re.compile(r"(from|import|def|class|return|assert|@)\b.*|.*\b(super\(\)\.__init__\(\)).*")


def solution_lines(solutions: Path) -> set[str]:
    """What stands between the solution markers and nowhere else in the solutions."""
    inside: set[str] = set()
    outside: set[str] = set()
    for file in sorted(solutions.glob("part*/*.py")):
        text = file.read_text(encoding="utf-8")
        for region in _SOLUTION.findall(text):
            inside |= set(_code_lines(region))
        outside |= set(_code_lines(_SOLUTION.sub("", text)))
    return inside - outside


def answer_sentences(answers: Path) -> set[str]:
    """The sentences of all model answers and marking guides."""
    sentences: set[str] = set()
    for file in sorted(answers.rglob("*.md")):
        text = _joined(file.read_text(encoding="utf-8"))
        sentences |= {part for part in _SENTENCE_END.split(text) if len(part) >= TELLING_SENTENCE}
    return sentences


def suite_lines(suites: Path) -> set[str]:
    """The lines of the hidden tests that are not common to all tests."""
    lines = {
        line
        for file in sorted(suites.rglob("*.py"))
        for line in _code_lines(file.read_text(encoding="utf-8"))
    }
    return {line for line in lines if len(line) >= TELLING_SENTENCE and not _COMMONPLACE.fullmatch(line)}


def find(contents: Mapping[str, bytes], repository: Path) -> Iterator[str]:
    """Says of each file of a release what it gives away: `part1/utils.py: solution: return mean + ...`.

    Args:
        contents: the files of the release by name.
        repository: holds `solutions/` and `grader/suites/`.
    """
    solutions = solution_lines(repository / "solutions")
    answers = answer_sentences(repository / "solutions" / "answers")
    suites = suite_lines(repository / "grader" / "suites")
    for name, content in sorted(contents.items()):
        text = content.decode("utf-8", errors="replace")
        lines = set(_code_lines(text))
        joined = _joined(text)
        yield from (f"{name}: solution: {line}" for line in sorted(lines & solutions))
        yield from (f"{name}: hidden test: {line}" for line in sorted(lines & suites))
        # A line of a solution may also stand within another one, in a message or in Markdown.
        yield from (
            f"{name}: solution: {line}"
            for line in sorted(solutions - lines)
            if len(line) >= 2 * TELLING_CODE and line in joined
        )
        yield from (f"{name}: model answer: {text}" for text in sorted(answers) if text in joined)


def _code_lines(text: str) -> Iterator[str]:
    """The telling lines of a file, without indentation and trailing comments."""
    for line in text.splitlines():
        code = line.partition("  # ")[0].strip()
        if len(code.replace(" ", "")) >= TELLING_CODE and not code.startswith("#"):
            yield code


def _joined(text: str) -> str:
    """A text in one line, as if it had never been wrapped."""
    return " ".join(text.split())

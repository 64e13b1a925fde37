"""Every item that a person marks has a model answer, and a guide that adds up; malformed ones are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.release import answers
from grader.release.notebook import load_questions
from grader.rubric import load_rubric

BY_A_PERSON = [item for item in load_rubric().items if item.how != "auto"]
FILES = sorted(answers.ANSWERS.rglob("*.md"))

GOOD = """\
# 1.3: Why (2 points)

## Answer

Because.

$$a = b$$

## What earns points

- **1.5**: the first thing,
  told at length.
- **0.5**: the second.

## Misconceptions

- **1**: wrong.
- **0**: harmless.
"""


def test_every_item_that_a_person_marks_has_an_answer_and_no_other():
    assert list(answers.load_answers()) == sorted(item.id for item in BY_A_PERSON)


@pytest.mark.parametrize("item", BY_A_PERSON, ids=lambda item: item.id)
def test_the_guide_fits_rubric_and_question(item):
    answer = answers.load_answers()[item.id]
    assert answer.points == item.points
    assert sum(mark.points for mark in answer.marks) == item.points
    assert all(mark.points > 0 for mark in answer.marks)
    assert all(misconception.points <= item.points for misconception in answer.misconceptions)
    assert answer.title == load_questions().of(item).title


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(answers.ANSWERS).as_posix())
def test_formulas_are_closed_and_survive_markdown(file: Path):
    pieces = file.read_text(encoding="utf-8").split("$$")
    assert len(pieces) % 2 == 1, "a $$ is not closed"
    for formula in pieces[1::2]:
        assert formula.count("{") == formula.count("}")
        # Markdown would take such a line for an item of a list.
        assert not re.search(r"^\s*[-+*] ", formula, re.MULTILINE), formula
    for paragraph in "".join(pieces[::2]).split("\n\n"):
        assert paragraph.count("$") % 2 == 0, paragraph


def test_all_four_issues_of_nerf_have_their_three_papers():
    choices = answers.load_answers()["3.1"].choices
    assert [choice.splitlines()[0][:11] for choice in choices] == [f"### Issue {n}" for n in (1, 2, 3, 4)]
    for choice in choices:
        for part in ("*Change.*", "*How it works.*", "*Improvement.*", "*Limits.*"):
            assert choice.count(part) == 3


def test_a_guide_is_read_and_shown():
    answer = answers.parse(GOOD, "1.3.md", choices=("### Another\n\nOr so.",))
    assert answer.text == "Because.\n\n$$a = b$$"
    assert answer.marks == (
        answers.Entry(1.5, "the first thing, told at length."),
        answers.Entry(0.5, "the second."),
    )
    assert answer.misconceptions == (answers.Entry(1, "wrong."), answers.Entry(0, "harmless."))
    assert answer.guide() == (
        "**1.3: Why (2 points)**\n\n"
        "**What earns points**\n\n- **+1.5**: the first thing, told at length.\n- **+0.5**: the second.\n\n"
        "**Misconceptions**\n\n- **-1**: wrong.\n- **0**: harmless.\n\n"
        "**Model answer**\n\nBecause.\n\n$$a = b$$\n\n"
        "### Another\n\nOr so."
    )


def test_a_guide_is_found_by_its_item():
    assert answers.guide("1.7.curves").startswith("**1.7.curves: ")
    with pytest.raises(KeyError):
        answers.guide("1.7.kld")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("# 1.3: Why (2 points)", "# Why", "first line"),
        ("(2 points)", "(3 points)", r"the marks add up to 2, the head says 3"),
        ("## Misconceptions", "## Errors", "sections"),
        ("- **1**: wrong.", "- wrong.", r"1\.3\.md: expected a line like"),
        ("- **0.5**: the second.", "- **0.3**: the second.", "expected a line like"),
        ("## Answer", "An aside.\n\n## Answer", "sections"),
    ],
)
def test_a_malformed_guide_is_refused(old: str, new: str, complaint: str):
    with pytest.raises(answers.AnswerError, match=complaint):
        answers.parse(GOOD.replace(old, new), "1.3.md")


def test_a_guide_under_the_wrong_name_is_refused(tmp_path: Path):
    (tmp_path / "1.4.md").write_text(GOOD)
    with pytest.raises(answers.AnswerError, match=r"1\.4\.md: its first line names item 1\.3"):
        answers.load_answers(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(answers.AnswerError, match="no such folder"):
        answers.load_answers(tmp_path / "nowhere")

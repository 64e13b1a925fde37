"""Answers to several questions in one answer cell: by which signs those of other questions are known."""

from __future__ import annotations

import pytest

from gradebook.courses import answers
from grader.gradebook.documents import find_documents
from grader.gradebook.handed_in import HandedInCell
from grader.gradebook.rebuild import rebuild
from grader.gradebook.released_notebook import Released
from grader.release.notebook import EMPTY_ANSWER, build_notebook

VIEW = Released(build_notebook())
ALL = set(VIEW.answers)


def waiting(text: str, name: str = "q1-2") -> set[str]:
    """The answers that wait when this one alone is given, itself included."""
    made = rebuild(VIEW, [HandedInCell(name, False, text)]).notebook
    return {other for other, source in answers(made).items() if source != EMPTY_ANSWER}


NUMBERS = ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "2.1", "2.2", "2.3", "2.4", "2.5"]
NUMBERS += ["2.6", "2.7", "3.1"]


@pytest.mark.parametrize("form", ["{}. text", "**{}** text", "### Vraag {}\ntext", "({})\ntext"])
def test_all_answers_in_the_first_cell(form):
    assert waiting("\n\n".join(map(form.format, NUMBERS)), "q1-1") == ALL


@pytest.mark.parametrize(
    "line",
    [
        *(
            "1.1 Draw z.",
            "1.1: Draw z.",
            "1.1) Draw z.",
            "(1.1) Draw z.",
            "[1.1] Draw z.",
            "1.1",
            "1.1.",
            "1.1:",
        ),
        *("**1.1** Draw z.", "__1.1.__ Draw z.", "*1.1* Draw z.", "`1.1` Draw z.", "> 1.1: Draw z."),
        *("- 1.1: Draw z.", "* **1.1** Draw z.", "1. 1.1: Draw z.", "• 1.1 Draw z.", "\\1.1 Draw z."),
        *("## **1.1** Foo", "### 1.1. Foo", "=== 1.1 ===", "<h3>1.1</h3>", "<b>1.1</b> Draw z.", "**Q 1.1**"),
        *("Vraag 1.1:", "### Frage 1.1", "Aufgabe 1.1", "Answer to question 1.1:", "Antwoord op vraag 1.1:"),
        *("For question 1.1, draw z.", "Question 1.1:", "**Question 1.1**", "Q1.1", "## 1.1", "Answer 1.1:"),
        *(
            "q1-1: draw z",
            "Q1_1",
            "Question (1.1)",
            "Question no. 1.1",
            "My answer to 1.1: draw z",
            "Ad 1.1:",
        ),
        *(
            "## My thoughts on 1.1",
            "**On 1.1** Draw z.",
            "Kysymys 1.1. Piirrä z.",
            "\\section*{1.1}",
            "1.1a Draw z.",
        ),
        *(
            "| 1.1 | Draw z. |",
            "1.1 \u2013 draw z",
            "§1.1 Draw z.",
            "\uff11.\uff11 Draw z.",
            "1.1 = draw z",
            "\\textbf{1.1} Draw z.",
        ),
        *(
            "the first ...<br>1.1 Draw z.",
            "问题 1.1\uff1a画",
            "Part 1.1, draw z",
            "Exercise 1.1 \u2013 draw z",
        ),
    ],
)
def test_the_answer_to_another_question_is_known_by_its_number(line):
    assert waiting(f"1.2 Many samples.\n\n{line}\n") == {"q1-1", "q1-2"}


@pytest.mark.parametrize(
    "line",
    [
        *("A loss of 1.1 bits is low.", "As in 1.1 above, many samples.", "We get 1.1, which is low."),
        *(
            "The bound is 1.1.",
            "With torch 1.1 it is slow.",
            "It is 1.1: low.",
            "| 1.1 | 2.3 |",
            "1.1 2.3 3.1",
        ),
        *(
            "1.1, 2.3, 3.1",
            "= 1.1 bits",
            "≈ 1.1 bits",
            "1.1 ± 0.2",
            "1.1%",
            "1.1e-3 is small",
            "11.1 bits",
            "1.14",
        ),
        *("1.12 bits", "1.0 bits", "0.1.1", "$x = 1.1$", "1.99 of them", "loss | 1.1 | low", "v1.1 of it"),
        *("in the text 1.1: it says", "so as we have said in the text of question 1.1"),
    ],
)
def test_a_number_in_prose_or_in_a_table_names_no_question(line):
    assert waiting(f"Many samples.\n{line}\n") == {"q1-2"}


def test_a_question_without_an_answer_cell_lets_none_wait():
    assert waiting("1.2 Many.\n\n2.9 More.\n\n4.1 More.") == {"q1-2"}


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("1.1. Draw z.\n", True),
        ("**1.1** Draw z.\n", True),
        ("### Vraag 1.1\nDraw z.\n", True),
        ("Answer to question 2.1: the mixture.\n", True),
        ("# A practical\n\nNeeds torch\n2.1 or later\n", True),  # in doubt
        ("# A practical\n\nVersion 0.2.1, for torch 2.1 and python 3.11\n", False),
    ],
)
def test_a_readme_answers_by_the_same_signs(tmp_path, text, counts):
    (tmp_path / "README.md").write_text(text)
    assert bool(find_documents(tmp_path)) == counts


@pytest.mark.parametrize(
    ("line", "others"),
    [
        ("1.3-1.5: the bound.", {"q1-3", "q1-4", "q1-5"}),
        ("### 1.3 and 1.4", {"q1-3", "q1-4"}),
        ("Question 1.3, 1.4 & 1.5", {"q1-3", "q1-4", "q1-5"}),
        ("1.9/2.1: the manifold.", {"q1-9-figure", "q2-1"}),
        ("1.5: see 1.3", {"q1-5"}),
    ],
)
def test_several_questions_in_one_line(line, others):
    assert waiting(f"Many samples.\n\n{line}\n") == {"q1-2"} | others

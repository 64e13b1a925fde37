"""Builds the report notebook, `report.ipynb`, from the rubric and the texts of the questions.

Every item of the rubric becomes one nbgrader cell: a written or manual item a Markdown cell that students
answer and a person marks, an automatic item a locked code cell that receives the marks of the hidden suites.
Nothing else is read, so that no model answer can get into it.

Usage: python -m grader.release.notebook PATH [--check]
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.questions import Questions, Text, load_questions
from grader.rubric import ITEM_ID, Item, Rubric, load_rubric, points_in_words

# nbgrader's own text for an empty answer: generate_assignment then leaves the cell as it is.
EMPTY_ANSWER = "YOUR ANSWER HERE"

_GRADE_ID = re.compile(r"q\d+-\d+(-[a-z0-9_]+)?")


def grade_id(item_id: str) -> str:
    """The nbgrader cell of an item: `q1-7-kld` for `1.7.kld`.

    nbgrader's pages use it as an HTML id and in jQuery selectors: it may hold no dot, nor start with a digit.

    Raises:
        ValueError: this cannot be the id of an item.
    """
    if not ITEM_ID.fullmatch(item_id):
        raise ValueError(f"{item_id!r} is not the id of an item, such as 1.7.kld")
    return "q" + item_id.replace(".", "-")


def item_id(grade_id: str) -> str:
    """The item of an nbgrader cell: the inverse of `grade_id`.

    Raises:
        ValueError: the cell is not that of an item, such as one that shows a question.
    """
    if not _GRADE_ID.fullmatch(grade_id):
        raise ValueError(f"{grade_id!r} is not the grade id of an item, such as q1-7-kld")
    return grade_id[1:].replace("-", ".")


def build_notebook() -> NotebookNode:
    """Builds the notebook: the same one for the same rubric and questions, byte for byte."""
    rubric, questions = load_rubric(), load_questions()
    points = sum(item.points for item in rubric.items)
    cells = [
        _read_only(
            "introduction", f"# {questions.title} ({points_in_words(points)})\n\n{questions.introduction}"
        )
    ]
    part, question = 0, ""
    for item in rubric.items:
        if item.part != part:
            part = item.part
            cells.append(_part_cell(rubric, questions, part))
        if item.question != question:
            question = item.question
            cells += _question_cells(rubric, questions.questions[question])
        if item.how == "auto":
            cells.append(_automatic_cell(item))
            continue
        if item.id != question:
            cells += _item_cells(item, questions.of(item))
        cells.append(_answer_cell(item))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def notebook_text() -> str:
    """The notebook as the text of its file."""
    return nbformat.writes(build_notebook()) + "\n"


def _part_cell(rubric: Rubric, questions: Questions, part: int) -> NotebookNode:
    points = sum(item.points for item in rubric.items if item.part == part)
    return _read_only(
        f"part-{part}", f"# Part {part}. {questions.parts[part].title} ({points_in_words(points)})"
    )


def _question_cells(rubric: Rubric, question: Text) -> list[NotebookNode]:
    points = sum(item.points for item in rubric.items if item.question == question.id)
    name = question.id.replace(".", "-")
    heading = f"## Question {question.id}: {question.title} ({points_in_words(points)})"
    return [_read_only(f"question-{name}", f"{heading}\n\n{_asked(question)}"), *_figure_cells(question)]


def _item_cells(item: Item, text: Text) -> list[NotebookNode]:
    name = item.id.replace(".", "-")
    heading = f"### {text.title} ({points_in_words(item.points)})"
    return [_read_only(f"question-{name}", f"{heading}\n\n{_asked(text)}"), *_figure_cells(text)]


def _asked(text: Text) -> str:
    return f"{text.reminder}\n\n{text.text}" if text.reminder else text.text


def _figure_cells(text: Text) -> list[NotebookNode]:
    """The figures of a question or item, in Markdown: nothing to run, and formgrader shows them, too."""
    if not text.figures:
        return []
    shown = [
        f"**{figure.shows[:1].upper()}{figure.shows[1:]}**\n\n"
        f"![figures/{figure.file} is not there yet: training writes it](figures/{figure.file})"
        for figure in text.figures
    ]
    return [_read_only(f"figures-{text.id.replace('.', '-')}", "\n\n".join(shown))]


def _answer_cell(item: Item) -> NotebookNode:
    cell = new_markdown_cell(EMPTY_ANSWER)
    cell.metadata.deletable = False
    return _graded(cell, item, solution=True)


def _automatic_cell(item: Item) -> NotebookNode:
    files = " and ".join([", ".join(item.files[:-1]), item.files[-1]] if len(item.files) > 1 else item.files)
    cell = new_code_cell(
        f"# Marked automatically: {item.id}, {item.title} ({points_in_words(item.points)}).\n"
        f"# The marks come from the hidden tests of your {files}.\n"
        f"# Nothing is to be written here. See how far you are with: make check Q={item.question}"
    )
    cell.metadata.update(deletable=False, editable=False)
    return _graded(cell, item, solution=False)


def _graded(cell: NotebookNode, item: Item, solution: bool) -> NotebookNode:
    return _described(
        cell, grade_id(item.id), grade=True, solution=solution, locked=not solution, points=item.points
    )


def _read_only(name: str, source: str) -> NotebookNode:
    cell = new_markdown_cell(source)
    cell.metadata.update(deletable=False, editable=False)
    return _described(cell, name, grade=False, solution=False, locked=True)


def _described(cell: NotebookNode, name: str, **what: bool | float) -> NotebookNode:
    """Gives a cell its nbgrader metadata, and an id that is the same in every build."""
    cell.id = name
    cell.metadata.nbgrader = NotebookNode(
        schema_version=3, grade_id=name, cell_type=cell.cell_type, task=False, **what
    )
    return cell


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grader.release.notebook", description="Write the report notebook for students."
    )
    parser.add_argument("path", type=Path, help="the notebook, such as student/report.ipynb")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if the notebook is out of date"
    )
    options = parser.parse_args(arguments)
    text = notebook_text()
    try:
        if options.check:
            if options.path.is_file() and options.path.read_text(encoding="utf-8") == text:
                return 0
            print(f"out of date: {options.path}")
            return 1
        options.path.parent.mkdir(parents=True, exist_ok=True)
        options.path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        print(f"{options.path}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 2
    print(f"written: {options.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A course of 30 of whom 10 hand in notebooks damaged in ten ways: no text is lost, and none is 0 unseen."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from nbconvert import HTMLExporter

from gradebook.courses import hand_in, notebook, pretend_to_grade, run, scores
from grader.gradebook.course import Course, inside

Table = dict[str, Any]


def answer(name: str) -> str:
    return f"Answer {name.replace('-', 'x')}word to the question."


def name_of(cell: dict[str, Any]) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def answers_in_question_cells(table: Table) -> Table:
    """Colab lets students write below the question, in its own cell."""
    question = table["cells"][0]
    for cell in table["cells"]:
        if cell["metadata"]["nbgrader"]["solution"]:
            question["source"] = "".join(question["source"]) + "\n\n" + cell["source"]
            cell["source"] = "YOUR ANSWER HERE"
        else:
            question = cell
    return table


def nb_clean(table: Table) -> Table:
    """nb-clean 5.0 removes all metadata of cells; ids are given anew."""
    for number, cell in enumerate(table["cells"]):
        cell["metadata"], cell["id"] = {}, f"{number:08x}"
    return table


def a_round_through_markdown(table: Table) -> Table:
    """jupytext's Markdown and back: neighbouring Markdown cells become one, nothing else is known of them."""
    cells: list[dict[str, Any]] = []
    for cell in table["cells"]:
        text = "".join(cell["source"])
        if cells and cells[-1]["cell_type"] == cell["cell_type"] == "markdown":
            cells[-1]["source"] += "\n\n" + text
        else:
            cells.append({"cell_type": cell["cell_type"], "metadata": {}, "source": text})
    return table | {"cells": cells, "nbformat_minor": 4}


def one_cell_at_the_end(table: Table) -> Table:
    texts = [cell["source"] for cell in table["cells"] if cell["metadata"]["nbgrader"]["solution"]]
    for cell in table["cells"]:
        if cell["metadata"]["nbgrader"]["solution"]:
            cell["source"] = "YOUR ANSWER HERE"
    table["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(texts)})
    return table


def deleted_and_written_beside(table: Table) -> Table:
    table["cells"] = [
        {"cell_type": "markdown", "metadata": {}, "source": cell["source"]}
        if cell["metadata"]["nbgrader"]["solution"]
        else cell
        for cell in table["cells"]
    ]
    return table


def copies_of_one_cell(table: Table) -> Table:
    """Every answer in a copy of the first answer cell."""
    first = next(cell for cell in table["cells"] if name_of(cell) == "q1-1")["metadata"]
    for cell in table["cells"]:
        if cell["metadata"]["nbgrader"]["solution"]:
            cell["metadata"], cell["id"] = first, "q1-1"
    return table


def code_comments(table: Table) -> Table:
    for cell in table["cells"]:
        if cell["metadata"]["nbgrader"]["solution"]:
            cell |= {
                "cell_type": "code",
                "source": f"# {cell['source']}",
                "outputs": [],
                "execution_count": 1,
            }
            cell["metadata"], cell["id"] = {}, cell["id"] + "-new"
    return table


def with_a_mark(table: Table) -> bytes:
    return json.dumps(a_round_through_markdown(table)).encode("utf-8-sig")


def cut_off(table: Table) -> bytes:
    """A download that broke off, in the midst of the last answer."""
    text = json.dumps(table)
    return text[: text.index("q3x1word") + len("q3x1word")].encode()


def merged_by_git(table: Table) -> bytes:
    text = json.dumps(table, indent=1)
    mark = f'"source": "{answer("q1-1")}"'
    assert text.count(mark) == 1
    return text.replace(mark, f'<<<<<<< HEAD\n{mark}\n=======\n"source": "Otherword."\n>>>>>>> b').encode()


DAMAGES = [
    *(answers_in_question_cells, nb_clean, a_round_through_markdown, one_cell_at_the_end),
    *(deleted_and_written_beside, copies_of_one_cell, code_comments, with_a_mark, cut_off, merged_by_git),
]


def formgrader_page(course: Course, student: str) -> str:
    """The page of a submission, made as formgrader makes it."""
    path = course.autograded(student) / "report.ipynb"
    with inside(course) as config:
        config.HTMLExporter.template_name = "formgrade"
        page, _ = HTMLExporter(config=config).from_filename(
            str(path),
            resources={"base_url": "", "submission_id": "1", "student": student, "index": 0, "total": 1},
        )
    return page


def words(page: str) -> set[str]:
    shown = html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"(?s)<script.*?</script>", "", page)))
    return set(re.findall(r"\w+word\b", shown))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thirty_of_whom_ten_hand_in_damaged_notebooks(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    table = notebook(course, answer)
    given = {
        answer(name_of(cell)).split()[1]
        for cell in table["cells"]
        if cell["metadata"]["nbgrader"]["solution"]
    }
    assert len(given) == 17
    damaged = {}
    for number in range(30):
        student, copied = f"{1001 + number}", json.loads(json.dumps(table))
        if number < len(DAMAGES):
            damaged[student] = DAMAGES[number]
            hand_in(course, student, DAMAGES[number](copied))
        else:
            hand_in(course, student, copied if number % 3 else notebook(course, lambda name: None))
    assert run(course) == 0
    said = capsys.readouterr().out
    for student in (f"{1001 + number}" for number in range(30)):
        grades = scores(course, student)
        written = {name: grade for name, grade in grades.items() if grade.auto is None or grade.waits}
        if student in damaged:
            missing = given - words(formgrader_page(course, student))
            assert not missing, (damaged[student].__name__, missing)
            assert len(written) == 17, damaged[student].__name__
            assert f"  {student}: " in said
        else:
            blank = not (int(student) - 1001) % 3
            assert len(written) == (0 if blank else 17)
            assert f"  {student}: " not in said
    assert "Otherword" in formgrader_page(course, "1010")

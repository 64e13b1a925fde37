"""The report notebook asks for every item, gives none of the answers away, and nbgrader takes it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import ClearSolutions, LockCells

from grader.release import notebook
from grader.release.answers import load_answers
from grader.rubric import Item, load_rubric

ITEMS = load_rubric().items
BY_A_PERSON = [item for item in ITEMS if item.how != "auto"]
# Five words in a row are met by chance, eight are a quotation.
WORDS_OF_A_QUOTATION = 8


@pytest.fixture(scope="module")
def built() -> NotebookNode:
    return notebook.build_notebook()


def cell_of(built: NotebookNode, item: Item) -> NotebookNode:
    (cell,) = [c for c in built.cells if c.metadata.nbgrader.grade_id == notebook.grade_id(item.id)]
    return cell


def all_text(built: NotebookNode) -> str:
    return "\n".join(cell.source for cell in built.cells)


def test_grade_ids_and_items_translate_both_ways():
    grade_ids = [notebook.grade_id(item.id) for item in ITEMS]
    assert [notebook.item_id(grade_id) for grade_id in grade_ids] == [item.id for item in ITEMS]
    assert notebook.grade_id("2.5.autoencoder_loss") == "q2-5-autoencoder_loss"
    # What nbgrader's pages can put behind a # in a selector.
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]*", grade_id) for grade_id in grade_ids)


@pytest.mark.parametrize("wrong", ["", "1", "question-1-1", "q1-7-kld", "1.7.kld.x", "1.7.a-b"])
def test_what_is_no_item_has_no_grade_id(wrong: str):
    with pytest.raises(ValueError, match="is not the id of an item"):
        notebook.grade_id(wrong)


@pytest.mark.parametrize("wrong", ["", "1.7.kld", "question-1-1", "figures-2-6", "q1", "q1-7-kld-x"])
def test_a_cell_of_no_item_has_no_item(wrong: str):
    with pytest.raises(ValueError, match="is not the grade id of an item"):
        notebook.item_id(wrong)


def test_it_is_a_notebook_and_the_same_in_every_build(built):
    nbformat.validate(built)
    MetadataValidator().validate_nb(built)
    assert notebook.notebook_text() == notebook.notebook_text()


def test_the_graded_cells_are_the_items_in_order_and_worth_64_points(built):
    graded = [cell.metadata.nbgrader for cell in built.cells if cell.metadata.nbgrader.grade]
    assert [notebook.item_id(cell.grade_id) for cell in graded] == [item.id for item in ITEMS]
    assert [cell.points for cell in graded] == [item.points for item in ITEMS]
    assert sum(cell.points for cell in graded) == 64


@pytest.mark.parametrize("item", BY_A_PERSON, ids=lambda item: item.id)
def test_what_a_person_marks_has_a_locked_question_and_an_empty_answer(built, item):
    answer = cell_of(built, item)
    assert answer.cell_type == "markdown"
    assert answer.source == "YOUR ANSWER HERE"
    meta = answer.metadata.nbgrader
    assert (meta.schema_version, meta.grade, meta.solution, meta.locked) == (3, True, True, False)
    assert "editable" not in answer.metadata

    before = built.cells[: built.cells.index(answer)]
    question = [cell for cell in before if cell.id.startswith("question-")][-1]
    assert question.id == f"question-{item.id.replace('.', '-')}"
    assert f"({item.points:g} point" in question.source
    assert len(question.source.split()) > 20
    assert question.metadata.editable is False
    assert question.metadata.nbgrader.locked
    # Nothing but its figures stands between a question and its answer.
    assert len(before) - before.index(question) <= 2


@pytest.mark.parametrize("item", load_rubric().automatic, ids=lambda item: item.id)
def test_an_automatic_item_has_a_locked_cell_that_does_nothing(built, item):
    cell = cell_of(built, item)
    assert cell.cell_type == "code"
    assert (cell.metadata.editable, cell.metadata.deletable) == (False, False)
    meta = cell.metadata.nbgrader
    assert (meta.schema_version, meta.grade, meta.solution, meta.locked) == (3, True, False, True)
    assert all(line.startswith("# ") for line in cell.source.splitlines())
    assert all(file in cell.source for file in item.files)


def test_every_manual_item_shows_its_figures(built):
    for item in ITEMS:
        if item.how == "manual":
            (figures,) = [c for c in built.cells if c.id == f"figures-{item.id.replace('.', '-')}"]
            assert re.findall(r"\]\(figures/[\w.-]+\.png\)", figures.source)
            assert built.cells.index(figures) == built.cells.index(cell_of(built, item)) - 1


def test_every_text_belongs_to_the_rubric():
    questions = notebook.load_questions()
    assert set(questions.questions) == {item.question for item in ITEMS}
    assert set(questions.items) == {item.id for item in BY_A_PERSON if item.id != item.question}
    assert set(questions.parts) == {item.part for item in ITEMS}


def words(text: str) -> list[str]:
    """The words of a text; formulas, which question and answer have to share, are left out."""
    return re.findall(r"[a-z]+", re.sub(r"\$\$.*?\$\$|\$[^$]*\$", " ", text, flags=re.DOTALL).lower())


def quotations(text: str, source: str) -> set[str]:
    """What a text takes from a source word by word."""

    def runs(text: str) -> set[str]:
        found = words(text)
        n = WORDS_OF_A_QUOTATION
        return {" ".join(found[i : i + n]) for i in range(len(found) - n + 1)}

    return runs(text) & runs(source)


def test_no_model_answer_stands_in_the_notebook(built):
    for item, answer in load_answers().items():
        entries = [entry.text for entry in answer.marks + answer.misconceptions]
        told = "\n\n".join([answer.text, *answer.choices, *entries])
        assert not quotations(all_text(built), told), f"{item}: say it in other words in questions.toml"


def test_a_model_answer_in_the_notebook_would_be_noticed(built):
    for answer in load_answers().values():
        for paragraph in (answer.text, *answer.choices):
            assert quotations(f"{all_text(built)}\n\n{paragraph}", paragraph), paragraph


def test_nbgrader_changes_no_cell_on_release(built):
    for preprocessor in (ClearSolutions(), LockCells()):
        released, _ = preprocessor.preprocess(nbformat.from_dict(built), {})
        assert released.cells == notebook.build_notebook().cells


def test_write_and_check(tmp_path: Path, capsys):
    path = tmp_path / "new" / "report.ipynb"
    assert notebook.main([str(path), "--check"]) == 1
    assert capsys.readouterr().out == f"out of date: {path}\n"
    assert notebook.main([str(path)]) == 0
    assert notebook.main([str(path), "--check"]) == 0
    assert nbformat.read(path, as_version=4) == notebook.build_notebook()
    path.write_text(path.read_text().replace("Mode collapse", "Collapse"))
    assert notebook.main([str(path), "--check"]) == 1


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path, capsys):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("kept")
    assert notebook.main([str(in_the_way / "report.ipynb")]) == 2
    assert str(in_the_way / "report.ipynb") in capsys.readouterr().err
    assert notebook.main([str(tmp_path)]) == 2
    assert "Is a directory" in capsys.readouterr().err
    assert in_the_way.read_text() == "kept"


@pytest.mark.slow
def test_nbgrader_makes_an_assignment_of_64_points(tmp_path: Path):
    course = tmp_path / "course"
    (course / "source" / "practical").mkdir(parents=True)
    (course / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    notebook.main([str(course / "source" / "practical" / "report.ipynb")])
    # nbgrader looks for alembic on PATH when it makes its database.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def nbgrader(*arguments: str) -> str:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        ran = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert "Success" in nbgrader("validate", "source/practical/report.ipynb")
    nbgrader("generate_assignment", "practical")
    released = nbformat.read(course / "release" / "practical" / "report.ipynb", as_version=4)
    assert [cell.source for cell in released.cells] == [
        cell.source for cell in notebook.build_notebook().cells
    ]

    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        in_gradebook = gradebook.find_notebook("report", "practical")
        assert in_gradebook.max_score == 64
        assert {notebook.item_id(cell.name) for cell in in_gradebook.grade_cells} == {
            item.id for item in ITEMS
        }
        by_hand = [cell.name for cell in in_gradebook.grade_cells if cell.cell_type == "markdown"]
        assert {notebook.item_id(name) for name in by_hand} == {item.id for item in BY_A_PERSON}

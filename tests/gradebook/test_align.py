from __future__ import annotations

import copy
import json
import textwrap

import nbformat
import pytest

from gradebook.courses import PNG, answers
from grader.gradebook.align import align
from grader.gradebook.handed_in import HandedInCell, read_cells
from grader.gradebook.rebuild import FROM_ANOTHER, LOOK_BELOW, TYPED, rebuild
from grader.gradebook.released_notebook import Released
from grader.gradebook.safe_html import render
from grader.release.notebook import EMPTY_ANSWER, build_notebook

RELEASED = build_notebook()
VIEW = Released(RELEASED)


@pytest.fixture
def table():
    """The released notebook, as a student gets it."""
    table = json.loads(nbformat.writes(RELEASED))
    for cell in table["cells"]:
        cell["source"] = "".join(cell["source"])
    return table


@pytest.fixture
def rebuilt(tmp_path):
    def read(table, **more):
        (tmp_path / "report.ipynb").write_text(json.dumps(table))
        result = rebuild(VIEW, read_cells(tmp_path / "report.ipynb"), **more)
        nbformat.validate(result.notebook)
        return result

    return read


def cell_of(table, name):
    return next(cell for cell in table["cells"] if cell["id"] == name)


def fill(table):
    for cell in table["cells"]:
        if cell["metadata"]["nbgrader"]["solution"]:
            cell["source"] = f"My answer to {cell['id']}."


def strip(table, *names, ids=True):
    """What nb-clean does to metadata, and other tools to ids; of all cells, or of some."""
    for number, cell in enumerate(table["cells"]):
        if not names or cell["id"] in names:
            cell["metadata"] = {}
            if ids:
                cell["id"] = f"cell-{number}"


def texts_after(notebook, name):
    """The texts that are shown beneath a released cell, before the next one."""
    place = [cell.id for cell in notebook.cells].index(name) + 1
    found = []
    while place < len(notebook.cells) and "extra" in notebook.cells[place].metadata.get("grader", {}):
        found.append(notebook.cells[place].source)
        place += 1
    return found


def waiting(notebook):
    return {name for name, source in answers(notebook).items() if source != EMPTY_ANSWER}


ALL = set(VIEW.answers)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("question-1-1", "q1-1"),
        ("figures-1-7-curves", "q1-7-curves"),
        ("question-1-7", "q1-7-curves"),
        ("q1-7-kld", "q1-7-curves"),
        ("question-2-4-figure", "q2-4-figure"),
        ("introduction", "q1-1"),
        ("part-3", "q3-1"),
    ],
)
@pytest.mark.parametrize("where", ["below", "above", "within", "behind a line"])
def test_text_typed_into_a_cell_that_is_not_for_answers(table, rebuilt, name, answer, where):
    cell = cell_of(table, name)
    lines = cell["source"].split("\n")
    match where:
        case "below":
            cell["source"] += "\n\n**Answer:** the prior."
        case "above":
            cell["source"] = "**Answer:** the prior.\n\n" + cell["source"]
        case "within":
            cell["source"] = "\n".join([*lines[:1], "**Answer:** the prior.", *lines[1:]])
        case "behind a line":
            cell["source"] += " **Answer:** the prior."
    result = rebuilt(table)
    (shown,) = texts_after(result.notebook, name)
    assert shown.startswith(TYPED)
    assert "**Answer:** the prior." in shown
    assert (
        next(cell.source for cell in result.notebook.cells if cell.id == name)
        == RELEASED.cells[VIEW.places[name]].source
    )
    if answer:
        assert waiting(result.notebook) >= {answer}
    assert f"text that was typed into read-only cells, shown beneath them: {name}" in result.notes


def test_only_what_was_typed_is_shown(table, rebuilt):
    cell_of(table, "question-1-3")["source"] += "\n\n$$\nx = 1\n$$\n\nand so on"
    (shown,) = texts_after(rebuilt(table).notebook, "question-1-3")
    assert shown == f"{TYPED}\n\n$$\nx = 1\n$$\n\nand so on"


def test_any_text_elsewhere_lets_every_blank_answer_wait(table, rebuilt):
    table["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "1.1: by sampling. 1.2: no."})
    result = rebuilt(table)
    assert waiting(result.notebook) == ALL
    found = answers(result.notebook)
    assert found["q3-1"] == LOOK_BELOW
    assert "at 3.1: that may be meant for it" in found["q1-1"]
    assert "17 blank answers wait for a person" in " ".join(result.notes)


def test_without_any_text_elsewhere_a_blank_answer_is_blank(table, rebuilt):
    fill(table)
    cell_of(table, "q1-2")["source"] = ""
    cell_of(table, "q1-3")["source"] = f"\n{EMPTY_ANSWER}  "
    cell_of(table, "question-1-4")["source"] = ""
    table["cells"].insert(9, {"cell_type": "code", "metadata": {}, "source": " \n"})
    table["cells"].insert(9, copy.deepcopy(cell_of(table, "question-1-1")))
    assert ALL - waiting(rebuilt(table).notebook) == {"q1-2", "q1-3"}


@pytest.mark.parametrize("source", ["import marimo as mo", None])
def test_what_a_tool_puts_into_a_notebook_lets_nobody_wait(table, rebuilt, source):
    badge = (
        '<a href="https://colab.research.google.com/github/ada/dgm/blob/main/report.ipynb" target="_parent">'
        '<img src="https://colab.research.google.com/assets/colab-badge.svg" alt="Open In Colab"/></a>'
    )
    table["cells"].insert(0, {"cell_type": "code", "metadata": {}, "source": source or badge})
    result = rebuilt(table)
    assert waiting(result.notebook) == set()
    assert any((source or badge) in cell.source for cell in result.notebook.cells)  # and yet it is shown


@pytest.mark.parametrize("ids", [True, False])
def test_answers_are_found_where_all_metadata_is_gone(table, rebuilt, ids):
    fill(table)
    strip(table, ids=ids)
    result = rebuilt(table)
    assert answers(result.notebook) == {name: f"My answer to {name}." for name in ALL}
    assert len(result.notebook.cells) == len(RELEASED.cells)
    assert (result.notes == ()) != ids  # with its id a cell is known as by its name


def test_one_lost_pair_shows_the_answer_under_its_own_question(table, rebuilt):
    fill(table)
    strip(table, "question-1-3", "q1-3")
    result = rebuilt(table)
    assert answers(result.notebook)["q1-3"] == "My answer to q1-3."
    assert answers(result.notebook)["q1-2"] == "My answer to q1-2."
    assert "2 cells had lost nbgrader's metadata" in result.notes[0]


@pytest.mark.parametrize(
    "names", [("q1-3",), ("q1-2", "question-1-3", "q1-3"), ("part-2", "question-2-1", "q2-1")]
)
def test_siblings_of_the_lost_pair(table, rebuilt, names):
    fill(table)
    strip(table, *names)
    result = rebuilt(table)
    for name in names:
        if name in ALL:
            question = name.replace("q", "question-")
            near = [answers(result.notebook)[name], *texts_after(result.notebook, question)]
            assert any(f"My answer to {name}." in text for text in near)
    assert waiting(result.notebook) == ALL


def test_all_stripped_and_all_blank_is_blank(table, rebuilt):
    strip(table)
    assert waiting(rebuilt(table).notebook) == set()


def test_cells_in_another_order_without_metadata(table, rebuilt):
    """marimo exports cells in the order in which they depend on each other."""
    fill(table)
    pairs = []
    for cell in table["cells"]:
        if cell["id"].startswith("q1-") or cell["id"].startswith("q2-") or cell["id"] == "q3-1":
            pairs[-1].append(cell)
        else:
            pairs.append([cell])
    table["cells"] = [cell for pair in reversed(pairs) for cell in pair]
    strip(table)
    assert answers(rebuilt(table).notebook) == {name: f"My answer to {name}." for name in ALL}


def test_questions_and_answers_merged_into_one_cell(table, rebuilt):
    """Each text is shown beneath its question: JupyterLab's merge keeps the metadata of the first cell."""
    fill(table)
    first = VIEW.places["question-1-1"]
    merged = table["cells"][first]
    merged["source"] = "\n\n".join(cell["source"] for cell in table["cells"][first : first + 6])
    del table["cells"][first + 1 : first + 6]
    notebook = rebuilt(table).notebook
    for number in (1, 2, 3):
        assert texts_after(notebook, f"question-1-{number}") == [f"{TYPED}\n\nMy answer to q1-{number}."]
        assert answers(notebook)[f"q1-{number}"] == LOOK_BELOW


def test_a_split_question_is_not_taken_for_an_answer(table, rebuilt):
    cell = cell_of(table, "question-1-7")
    lines = cell["source"].split("\n")
    second = copy.deepcopy(cell) | {"id": "other", "source": "\n".join(lines[2:])}
    cell["source"] = "\n".join(lines[:2])
    table["cells"].insert(table["cells"].index(cell) + 1, second)
    assert waiting(rebuilt(table).notebook) == set()


def test_a_copied_answer_cell_is_the_answer_where_the_other_was(table, rebuilt):
    """A student copies answer cell 1.1 to beneath 1.2, whose own is gone."""
    cell_of(table, "q1-1")["source"] = "First."
    twin = copy.deepcopy(cell_of(table, "q1-1")) | {"id": "twin", "source": "Second."}
    table["cells"][VIEW.places["q1-2"]] = twin
    notebook = rebuilt(table).notebook
    assert answers(notebook)["q1-1"] == "First."
    assert answers(notebook)["q1-2"] == LOOK_BELOW
    assert any("Second." in text for text in texts_after(notebook, "question-1-2"))


def test_a_notebook_written_anew_is_placed_by_what_it_says(rebuilt):
    cells = [
        ("# My report", "beginning"),
        ("## Question 1.2\n\nBecause.", "question-1-2"),
        ("More of it.", "question-1-2"),
        ("**Answer 2.4:** see", "question-2-4"),
        ("```python\n# Question 1.1\n```", "question-2-4"),
        ("Question 9.9 is none, 1.3 bits are many", "question-2-4"),
    ]
    table = {"cells": [{"cell_type": "markdown", "metadata": {}, "source": source} for source, _ in cells]}
    notebook = rebuilt(table).notebook
    assert waiting(notebook) == ALL
    assert "# My report" in notebook.cells[0].source
    for source, name in cells[1:]:
        assert any(source in text for text in texts_after(notebook, name))


def test_pictures_come_along_wherever_they_were_pasted(table, rebuilt):
    picture = {"plot 1.png": {"image/png": PNG}}
    cell_of(table, "figures-1-7-curves")["attachments"] = picture
    cell_of(table, "q1-1")["attachments"] = picture  # and the text is as released
    notebook = rebuilt(table).notebook
    extra = next(cell for cell in notebook.cells if cell.metadata.get("grader", {}).get("extra"))
    assert extra.attachments == picture
    for source in (extra.source, answers(notebook)["q1-1"]):
        assert f"data:image/png;base64,{PNG}" in render(source, picture)


def test_code_and_raw_cells_are_shown_as_they_were(table, rebuilt):
    output = {"output_type": "stream", "name": "stdout", "text": ["bpd 0.53\n"]}
    table["cells"] += [
        {"cell_type": "code", "metadata": {}, "source": "print(bpd)", "outputs": [output]},
        {"cell_type": "raw", "metadata": {}, "source": "*as typed*"},
    ]
    code, raw = texts_after(rebuilt(table).notebook, "q3-1")
    assert "```python\nprint(bpd)\n```\n\n```text\nbpd 0.53\n```" in code
    assert "```text\n*as typed*\n```" in raw


def test_an_older_release_is_no_text_of_a_student(table, rebuilt):
    older = copy.deepcopy(RELEASED)
    for cell in older.cells:
        cell.source = cell.source.replace("points)", "credits)").replace("YOUR ANSWER HERE", "Your answer.")
    cells = [
        HandedInCell(cell.metadata.nbgrader.grade_id, cell.cell_type == "code", cell.source)
        for cell in older.cells
    ]
    assert align(VIEW, cells).pieces
    found = align(Released(RELEASED, [older]), cells)
    assert (found.pieces, found.answers, found.changed) == ([], {}, set())


def test_another_notebook_is_shown_too(table, rebuilt):
    cell_of(table, "q1-1")["source"] = "The same."
    another = [HandedInCell("q1-1", False, "The same."), HandedInCell("q1-2", False, "Only here.")]
    notebook = rebuilt(table, others={"draft_2.ipynb": another}).notebook
    assert texts_after(notebook, "q1-2") == [FROM_ANOTHER.format(name="draft\\_2.ipynb") + "\n\nOnly here."]
    assert answers(notebook)["q1-2"] == LOOK_BELOW
    assert waiting(notebook) == ALL


def test_when_text_elsewhere_changes_the_answer_is_to_be_marked_again(table, rebuilt):
    def around(text, name):
        cell_of(table, "question-1-1")["source"] = f"{RELEASED.cells[2].source}\n\n{text}"
        notebook = rebuilt(table).notebook
        return (
            next(cell for cell in notebook.cells if cell.id == name).metadata.get("grader", {}).get("around")
        )

    fill(table)
    cell_of(table, "q1-2")["source"] = EMPTY_ANSWER
    for name in ("q1-1", "q1-2"):  # beside it, and blank
        assert around("one", name) == around("one", name) != around("two", name)
    assert around("one", "q2-1") is None


def test_an_answer_that_goes_on_to_other_questions_lets_theirs_wait(table, rebuilt):
    """Merged with what follows, as JupyterLab does it; or all in the first cell, by their numbers."""
    first = VIEW.places["q1-1"]
    merged = copy.deepcopy(table)
    texts = [cell["source"] for cell in merged["cells"][first : first + 4]]
    texts[0], texts[2] = "First.", "Second."
    merged["cells"][first]["source"] = "\n\n".join(texts)
    del merged["cells"][first + 1 : first + 4]
    cell_of(table, "q1-1")["source"] = "First.\n\n**Question 1.2** Second.\n\n## 2.6\n\nFourth."
    for handed_in, others in ((merged, {"q1-2"}), (table, {"q1-2", "q2-6"})):
        notebook = rebuilt(handed_in).notebook
        assert waiting(notebook) == {"q1-1"} | others
        assert "Second." in answers(notebook)["q1-1"]
        assert "may stand within that to 1.1" in answers(notebook)["q1-2"]


def test_an_answer_that_quotes_its_question_lets_no_other_wait(table, rebuilt):
    quoted = RELEASED.cells[VIEW.places["question-1-1"]].source
    cell_of(table, "q1-1")["source"] = f"> {quoted}\n\n{quoted}\n\nQuestion 1.1: by sampling, see 1.2."
    assert waiting(rebuilt(table).notebook) == {"q1-1"}


def test_paragraphs_whose_lines_were_broken_elsewhere_are_no_students(table, rebuilt):
    """pandoc 3.9 writes a notebook with lines of at most 72 characters, and puts list items further in."""
    fill(table)
    for cell in table["cells"]:
        if cell["cell_type"] == "markdown" and not cell["metadata"]["nbgrader"]["solution"]:
            cell["source"] = "\n\n".join(textwrap.fill(one, 60) for one in cell["source"].split("\n\n"))
    cell_of(table, "question-1-1")["source"] += " But why?"
    result = rebuilt(table)
    assert answers(result.notebook)["q1-2"] == "My answer to q1-2."
    (typed,) = [cell.source for cell in result.notebook.cells if cell.source.startswith(TYPED)]
    assert "But why?" in typed
    assert result.notebook.cells[-1].source == "My answer to q3-1."


def test_a_part_of_a_question_is_an_answer(table, rebuilt):
    """Only a whole paragraph is the question's: of two words in it one may be the answer."""
    cell_of(table, "question-2-7")["source"] += "\n\nstochastic encoder"
    (text,) = texts_after(rebuilt(table).notebook, "question-2-7")
    assert text.endswith("stochastic encoder")


def test_each_text_of_a_cell_is_shown_with_its_own_pictures(table, rebuilt):
    """pandoc 3.9 makes one cell of a Word file, with all of its pictures."""
    one, other, third = (f"media/{name}.png" for name in ("one", "other", "third"))
    text = f"![](attachment:{one}) shows the curve.\n\n{cell_of(table, 'question-1-2')['source']}\n\n"
    whole = {"cell_type": "markdown", "metadata": {}, "source": text + f"![](attachment:{other}) shows more."}
    whole["attachments"] = {name: {"image/png": PNG} for name in (one, other, third)}
    cells = rebuilt(table | {"cells": [whole]}).notebook.cells
    shown = [list(cell.attachments) for cell in cells if cell.metadata.get("grader", {}).get("extra")]
    assert shown == [[one, third], [other]]


def test_an_answer_that_begins_with_its_questions_name_is_the_answer(table, rebuilt):
    """Where tools dropped all metadata, beneath the figures of that question."""
    fill(table)
    cell_of(table, "q2-7")["source"] = "**Question 2.7**: a stochastic one."
    strip(table)
    assert answers(rebuilt(table).notebook)["q2-7"] == "**Question 2.7**: a stochastic one."

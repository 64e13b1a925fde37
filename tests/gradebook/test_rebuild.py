from __future__ import annotations

import copy
import json
import os

import nbformat
import pytest

from gradebook.courses import PNG, answers, notebook
from grader.gradebook.handed_in import BrokenNotebook, figures, find_notebooks, read_cells
from grader.gradebook.rebuild import LOOK_BELOW, answered, rebuild


@pytest.fixture(scope="module")
def released(template):
    return nbformat.read(template.released_notebook, as_version=4)


@pytest.fixture
def rebuilt(released, tmp_path):
    def rebuild_table(table):
        path = tmp_path / "report.ipynb"
        path.write_text(json.dumps(table))
        result = rebuild(released, read_cells(path))
        nbformat.validate(result.notebook)
        return result

    return rebuild_table


def cell_of(table, name):
    return next(
        cell for cell in table["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == name
    )


def own(source, kind="markdown", **more):
    return {"cell_type": kind, "metadata": {}, "source": source} | more


def locked(node):
    return [cell for cell in node.cells if not cell.metadata.get("nbgrader", {}).get("solution")]


def test_answers_and_nothing_else_come_along(template, released, rebuilt):
    result = rebuilt(notebook(template))
    assert answers(result.notebook) == {name: f"My answer to {name}." for name in answers(released)}
    assert locked(result.notebook) == locked(released)
    assert result.notes == ()


def test_nothing_handed_in_is_the_released_notebook(released):
    assert rebuild(released, ()).notebook == released


def test_tampered_cells_are_restored(template, released, rebuilt):
    table = notebook(template)
    kld = cell_of(table, "q1-7-kld")
    kld["source"] = "1.5"
    kld["metadata"]["nbgrader"]["points"] = 1000
    kld["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "1.5"}, "metadata": {}}]
    answer = cell_of(table, "q1-1")
    answer["metadata"]["nbgrader"] |= {"points": 50, "locked": True, "solution": False, "checksum": "0"}
    table["metadata"] = {"kernelspec": {"name": "no-such-kernel", "display_name": "x"}}
    result = rebuilt(table)
    assert locked(result.notebook) == locked(released)
    assert result.notebook.metadata == released.metadata
    assert answers(result.notebook)["q1-1"] == "My answer to q1-1."
    assert result.notes == ("read-only cells that were changed, and restored: q1-7-kld",)


def test_deleted_cells_come_back(template, released, rebuilt):
    table = notebook(template)
    table["cells"] = [
        cell for cell in table["cells"] if cell not in (cell_of(table, "q1-1"), cell_of(table, "q1-7-kld"))
    ]
    result = rebuilt(table)
    assert [cell.id for cell in result.notebook.cells] == [cell.id for cell in released.cells]
    assert answers(result.notebook)["q1-1"] == answers(released)["q1-1"]
    assert result.notes == ("cells that were deleted, and restored: q1-1, q1-7-kld",)


def test_an_answer_beside_its_deleted_cell_is_seen_by_a_person(template, released, rebuilt):
    table = notebook(template)
    place = table["cells"].index(cell_of(table, "q1-1"))
    table["cells"][place] = own("I deleted the cell, and answer here.")
    result = rebuilt(table)
    assert answers(result.notebook)["q1-1"] == LOOK_BELOW  # not the released text: nbgrader would give 0
    sources = [cell.source for cell in result.notebook.cells]
    assert any("I deleted the cell, and answer here." in source for source in sources)


def test_a_copied_cell_is_shown_and_counts_once(template, rebuilt):
    table = notebook(template)
    twin = copy.deepcopy(cell_of(table, "q1-2"))
    twin["source"] = "A second answer."
    table["cells"].append(twin)
    result = rebuilt(table)
    assert answers(result.notebook)["q1-2"] == "My answer to q1-2."
    assert any("A second answer." in cell.source for cell in result.notebook.cells)
    names = [cell.metadata.nbgrader.grade_id for cell in result.notebook.cells if "nbgrader" in cell.metadata]
    assert len(names) == len(set(names))
    assert "more than once: q1-2" in result.notes[0]


def test_an_empty_copy_does_not_hide_the_answer(template, released, rebuilt):
    table = notebook(template)
    twin = copy.deepcopy(cell_of(table, "q1-2"))
    twin["source"] = answers(released)["q1-2"]
    table["cells"].insert(0, twin)
    assert answers(rebuilt(table).notebook)["q1-2"] == "My answer to q1-2."


def test_attachments_come_along_and_scripts_do_not(template, rebuilt):
    table = notebook(template)
    cell_of(table, "q1-1")["attachments"] = {
        "plot.png": {"image/png": PNG},
        "bad.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"},
        "fake.png": {"image/png": "aGVsbG8="},
    }
    result = rebuilt(table)
    cell = next(cell for cell in result.notebook.cells if cell.id == "q1-1")
    assert cell.attachments == {"plot.png": {"image/png": PNG}}


def test_an_answer_turned_into_code_is_shown_with_its_picture(template, rebuilt):
    table = notebook(template)
    answer = cell_of(table, "q1-9-figure")
    answer |= {"cell_type": "code", "source": ["plot()\n", "```"], "execution_count": 1}
    answer["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"image/png": PNG}}]
    result = rebuilt(table)
    cell = next(cell for cell in result.notebook.cells if cell.id == "q1-9-figure")
    assert cell.cell_type == "markdown"
    assert cell.source.startswith("````python\nplot()\n")
    assert cell.attachments == {"output-1": {"image/png": PNG}}


def test_another_assignments_notebook_has_no_known_cell(released, rebuilt):
    table = {"cells": [own("x"), own("y") | {"metadata": {"nbgrader": {"grade_id": "other", "grade": True}}}]}
    assert rebuilt(table).known == 0


@pytest.mark.parametrize(
    "cells",
    [
        [None, 1, "x", []],
        [{"cell_type": 5, "metadata": [], "source": {"a": 1}}],
        [{"metadata": {"nbgrader": {"grade_id": ["q1-1"]}}, "source": ["a", 2, None]}],
        [
            {
                "metadata": {"nbgrader": {"grade_id": "q1-1", "solution": True}},
                "attachments": [1],
                "source": "\ud800",
            }
        ],
        [{"cell_type": "code", "outputs": [1, {"data": 2}, {"data": {"image/png": ["x", 1]}}]}],
    ],
)
def test_cells_of_any_shape_are_taken(rebuilt, released, cells):
    kept = [cell for cell in rebuilt({"cells": cells}).notebook.cells if "nbgrader" in cell.metadata]
    assert [cell.id for cell in kept] == [cell.id for cell in released.cells]
    assert locked(nbformat.from_dict({"cells": kept})) == locked(released)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"{}", b'{"cells": 1}', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_notebook_says_so(tmp_path, content):
    path = tmp_path / "report.ipynb"
    path.write_bytes(content)
    with pytest.raises(BrokenNotebook):
        read_cells(path)


def test_format_3_is_read(tmp_path):
    path = tmp_path / "report.ipynb"
    path.write_text(json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": "old"}]}]}))
    assert read_cells(path)[0].source == "old"


def test_links_are_not_followed(tmp_path):
    (tmp_path / "secret.ipynb").write_text('{"cells": []}')
    os.symlink(tmp_path / "secret.ipynb", tmp_path / "report.ipynb")
    with pytest.raises(BrokenNotebook, match="is a link"):
        read_cells(tmp_path / "report.ipynb")
    (tmp_path / "real.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "figures").mkdir()
    os.symlink(tmp_path / "real.png", tmp_path / "figures" / "linked.png")
    (tmp_path / "figures" / "page.png").write_bytes(b"<html>")
    (tmp_path / "figures" / "page.html").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "figures" / "good.PNG").write_bytes(b"\x89PNG\r\n\x1a\n1")
    assert list(figures(tmp_path / "figures")) == [("good.PNG", b"\x89PNG\r\n\x1a\n1")]


def test_notebooks_are_found_in_a_wrapping_folder(tmp_path):
    for name in ("a3/report.ipynb", ".ipynb_checkpoints/report.ipynb", "a/b/c/deep.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert find_notebooks(tmp_path) == [tmp_path / "a3" / "report.ipynb"]


def test_the_notebook_with_answers_is_told_from_the_empty_one(template, released, tmp_path):
    (tmp_path / "full").write_text(json.dumps(notebook(template)))
    (tmp_path / "empty").write_text(json.dumps(notebook(template, lambda name: None)))
    assert answered(released, read_cells(tmp_path / "full")) == len(answers(released))
    assert answered(released, read_cells(tmp_path / "empty")) == 0

"""Reports in the forms in which they come: encodings, old and damaged notebooks, files of other kinds."""

from __future__ import annotations

import base64
import codecs
import json
import time

import nbformat
import pytest

from gradebook.courses import PNG, answers
from grader.gradebook.documents import find_documents
from grader.gradebook.handed_in import MAX_TEXT, BrokenNotebook, find_notebooks, read_cells, read_notebook
from grader.gradebook.prepare import _rebuilt
from grader.gradebook.released_notebook import Released
from grader.gradebook.reports import read_reports
from grader.gradebook.safe_html import render
from grader.gradebook.salvage import salvaged_rows
from grader.release.bundle import contents
from grader.release.notebook import EMPTY_ANSWER, build_notebook

RELEASED = build_notebook()
VIEW = Released(RELEASED)
ALL = set(VIEW.answers)


def filled(say=lambda name: f"My änswer to {name}."):
    table = json.loads(nbformat.writes(RELEASED))
    for cell in table["cells"]:
        if cell["metadata"]["nbgrader"]["solution"]:
            cell["source"] = [say(cell["id"])]
    return table


def rebuilt(folder, **files):
    """The rebuilt notebook of a submission of these files, and the notes."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    result, _, notes = _rebuilt(folder, VIEW)
    nbformat.validate(result.notebook)
    return result.notebook, "\n".join(notes)


def waiting(notebook):
    return {name for name, source in answers(notebook).items() if source != EMPTY_ANSWER}


def everything(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_notebook_is_read_in_every_encoding_of_unicode(tmp_path, encoding):
    text = json.dumps(filled(), ensure_ascii=False)
    notebook, notes = rebuilt(tmp_path, **{"report.ipynb": text.encode(encoding)})
    assert answers(notebook) == {name: f"My änswer to {name}." for name in ALL}
    assert notes == ""


def test_another_encoding_is_named_and_its_letters_stay(tmp_path):
    text = json.dumps(filled(), ensure_ascii=False)
    notebook, notes = rebuilt(tmp_path, **{"report.ipynb": text.encode("cp1252")})
    assert answers(notebook)["q1-1"] == "My änswer to q1-1."
    assert "report.ipynb: is not in UTF-8" in notes
    cut = codecs.BOM_UTF16_LE + text.encode("utf-16-le") + b"\x00"
    notebook, notes = rebuilt(tmp_path, **{"report.ipynb": cut})
    assert answers(notebook)["q1-1"] == "My änswer to q1-1."
    assert "report.ipynb: " in notes


def version_3(table):
    """A notebook of format 3: code has `input`, headings are cells, pictures have no media type."""
    cells = [{"cell_type": "heading", "level": 2, "source": ["Mine"], "metadata": {}}]
    for cell in table["cells"]:
        old = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
        cells.append(old | {"input" if cell["cell_type"] == "code" else "source": cell["source"]})
    drawn = [{"output_type": "display_data", "png": PNG}, {"output_type": "stream", "text": "bpd 0.53"}]
    cells.append({"cell_type": "code", "input": "plot()", "outputs": drawn, "metadata": {}})
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}


def without_ids(table):
    for cell in table["cells"]:
        del cell["id"]
    return table | {"nbformat_minor": 4}


def same_ids(table):
    for cell in table["cells"]:
        cell["id"] = "same"
    return table


def ids_of_others(table):
    """Ids that a tool has given anew, in the order of the cells."""
    ids = [cell["id"] for cell in table["cells"]]
    for cell, name in zip(table["cells"], [*ids[1:], ids[0]], strict=True):
        cell["id"] = name
    return table


def without_metadata(table):
    for cell in table["cells"]:
        del cell["metadata"]
    return table


@pytest.mark.parametrize("change", [version_3, without_ids, same_ids, ids_of_others, without_metadata])
def test_every_version_of_the_format_is_read(tmp_path, change):
    notebook, _ = rebuilt(tmp_path, **{"report.ipynb": json.dumps(change(filled()))})
    assert answers(notebook) == {name: f"My änswer to {name}." for name in ALL}
    if change is version_3:
        assert "## Mine" in notebook.cells[0].source
        assert "plot()" in notebook.cells[-1].source
        assert "bpd 0.53" in notebook.cells[-1].source
        assert notebook.cells[-1].attachments == {"output-1": {"image/png": PNG}}


def truncated(text):
    return text[: text.index("My \\u00e4nswer to q3-1") + 10]


def merged_by_git(text):
    mark = '"My \\u00e4nswer to q1-1."'
    return text.replace(mark, f'\n<<<<<<< HEAD\n    {mark}\n=======\n    "Another answer."\n>>>>>>> theirs\n')


def with_a_comma(text):
    return text.replace("}, {", "},, {")


def twice(text):
    return text + text.replace("q1-2.", "q1-2 again.")


def unquoted(text):
    return text.replace('"My \\u00e4nswer to q1-2."', "My answer")


def with_bare_tabs(text):
    return text.replace("My \\u00e4nswer", "My\t\\u00e4nswer")


@pytest.mark.parametrize("damage", [truncated, merged_by_git, with_a_comma, twice, unquoted])
def test_of_a_damaged_file_all_that_can_be_read_is_shown(tmp_path, damage):
    text = damage(json.dumps(filled()))
    notebook, notes = rebuilt(tmp_path, **{"report.ipynb": text})
    assert "report.ipynb: cannot be read, it is not valid JSON" in notes
    assert "cells could be read, and are shown" in notes
    assert waiting(notebook) == ALL
    for name in ALL - {"q3-1", "q1-2"}:
        assert f"My änswer to {name}." in everything(notebook)
    if damage is truncated:
        assert "My än" in everything(notebook).replace("My änswer", "")
    if damage is merged_by_git:
        assert "Another answer." in everything(notebook)
    if damage is twice:
        assert "My änswer to q1-2 again." in everything(notebook)
    if damage is unquoted:
        assert "report.ipynb" in answers(notebook)["q1-2"]


def test_a_bare_tab_in_a_string_is_no_damage(tmp_path):
    notebook, notes = rebuilt(tmp_path, **{"report.ipynb": with_bare_tabs(json.dumps(filled()))})
    assert answers(notebook)["q1-1"] == "My\tänswer to q1-1."
    assert notes == ""


@pytest.mark.parametrize(
    "content",
    [
        "# My report\n\n1.1 By sampling.",
        "<!DOCTYPE html><p>1.1 By sampling.</p>",
        '{"answer": "By sampling."}',
    ],
)
def test_a_file_that_is_no_notebook_is_shown_as_a_text(tmp_path, content):
    notebook, notes = rebuilt(tmp_path, **{"report.ipynb": content})
    assert "By sampling." in everything(notebook)
    assert "report.ipynb: cannot be read" in notes
    assert waiting(notebook) == ALL


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 100, b"PK\x03\x04" + bytes(range(256))])
def test_a_file_that_is_no_text_is_named_and_all_answers_wait(tmp_path, content):
    notebook, notes = rebuilt(tmp_path, **{"report.ipynb": content})
    assert "report.ipynb: cannot be read" in notes
    assert waiting(notebook) == ALL
    assert "The answer may be in report.ipynb" in answers(notebook)["q1-1"]


@pytest.mark.parametrize(
    "text", ['{"cell_type":' * 200_000, '{"source": "' * 100_000, "{ " * 300_000, '"' * 10**6]
)
def test_no_damaged_file_takes_long(text):
    start = time.process_time()
    salvaged_rows(text)
    assert time.process_time() - start < 30


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        ("report.md", "## Question 1.2\n\nBecause.", True),
        ("report.py", "# %% [markdown]\n# ## Question 1.2\n# Because.", True),
        ("answers.py", "# %% [markdown]\n# ## Question 1.2\n# Because.", True),
        ("notes/analysis.py", "import marimo\n\n@app.cell\ndef _():\n    '''Because.'''", True),
        ("report.html", "<h2>Question 1.2</h2><p>Because.</p><script>alert(1)</script>", True),
        ("report.txt", "1.2 Because.", True),
        ("my answers.tex", "\\section{1.2} Because.", True),
        ("week 2.asciidoc", "== Question 1.2\n\nBecause.", True),
        ("My Project.deepnote", "project:\n  notebooks:\n    - content: Because.", True),
        ("part one.typ", "= Question 1.2\n\nBecause.", True),
        ("week 3.myst", "## Question 1.2\n\nBecause.", True),
        ("jupyterlab.mhtml", "From: <Saved by Blink>", False),
        ("report.pdf", b"%PDF-1.7", False),
        ("Report_final.DOCX", b"PK\x03\x04", False),
    ],
)
@pytest.mark.parametrize("beside", [True, False])
def test_a_report_in_another_form_is_named_and_blank_answers_wait(tmp_path, name, content, seen, beside):
    files = {name: content} | ({"report.ipynb": nbformat.writes(RELEASED)} if beside else {})
    notebook, notes = rebuilt(tmp_path, **files)
    assert f"a report in another form: {name}; kept in collected" in notes
    assert ("no notebook was handed in" in notes) != beside
    assert waiting(notebook) == ALL
    assert ("Because." in everything(notebook)) == seen
    if not seen:
        assert "The answer may be in " in answers(notebook)["q1-1"]


def test_a_script_made_of_the_notebook_is_shown_under_its_questions(tmp_path):
    """As jupytext 1.19 writes it: Markdown as comments, each cell behind `# %%`."""
    lines = []
    for cell in filled()["cells"]:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            lines += ["# %% [markdown]", *(f"# {line}".rstrip() for line in text.split("\n")), ""]
    notebook, _ = rebuilt(tmp_path, **{"report.py": "\n".join(lines)})
    places = [cell.id for cell in notebook.cells]
    for name in ALL:
        text = next(
            place for place, cell in enumerate(notebook.cells) if f"answer to {name}." in _plain(cell.source)
        )
        assert text < places.index(name)
        between = notebook.cells[text + 1 : places.index(name)]
        assert not [cell for cell in between if cell.metadata.get("nbgrader", {}).get("solution")]


def _plain(text):
    return text.replace("änswer", "answer")


def test_code_and_the_kits_own_files_are_no_reports(tmp_path):
    for name in (
        "part1/utils.py",
        "part2/models.py",
        "README.md",
        "requirements.txt",
        "timestamp.txt",
        "helper.py",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("# %%\n" if name.startswith("part") else "text")
    (tmp_path / "lightning_logs").mkdir()
    (tmp_path / "lightning_logs" / "report.md").write_text("text")
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "link.md").symlink_to(tmp_path / "README.md")
    assert find_documents(tmp_path) == []
    notebook, notes = rebuilt(tmp_path)
    assert waiting(notebook) == set()
    assert notes == "no notebook was handed in"


def test_what_students_were_given_is_no_report(tmp_path):
    for name, content in contents().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "plots.py").write_text("# %%\nimport matplotlib\n")  # a script of cells, and of no text
    assert find_documents(tmp_path) == []
    notebook, notes = rebuilt(tmp_path)
    assert waiting(notebook) == set()
    assert notes == ""


def test_the_notebook_for_colab_is_a_report_only_with_a_text_of_the_students_in_it(tmp_path):
    given = json.loads(contents()["colab.ipynb"])
    given["cells"][1]["source"] = "# my own settings"
    files = {"report.ipynb": json.dumps(filled()), "colab.ipynb": json.dumps(given)}
    notebook, notes = rebuilt(tmp_path, **files)
    assert waiting(notebook) == ALL  # as filled
    assert notes == ""
    given["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "The bound is tight."})
    _, notes = rebuilt(tmp_path, **files | {"colab.ipynb": json.dumps(given)})
    assert "several notebooks: report.ipynb counts, not colab.ipynb" in notes


def test_pictures_in_the_text_itself_do_not_cut_it(tmp_path):
    """Colab pastes a picture as a data URL."""
    large = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(400_000)).decode()
    text = f"See ![plot](data:image/png;base64,{large}) and <img src='data:image/png;base64,{PNG}'>: the end."
    table = filled(lambda name: text if name == "q1-1" else "x")
    notebook, notes = rebuilt(tmp_path, **{"report.ipynb": json.dumps(table)})
    cell = next(cell for cell in notebook.cells if cell.id == "q1-1")
    assert cell.source == "See ![plot](attachment:pasted-1) and <img src='attachment:pasted-2'>: the end."
    page = render(cell.source, cell.attachments)
    assert f"base64,{large}" in page
    assert f"base64,{PNG}" in page
    assert notes == ""


def test_a_notebook_under_another_ending_is_one(tmp_path):
    for name in ("report.ipynb.txt", "REPORT.IPYNB", "report.ipynb.json"):
        (tmp_path / name).write_text(json.dumps(filled()))
        assert find_notebooks(tmp_path) == [tmp_path / name]
        assert find_documents(tmp_path) == []
        (tmp_path / name).unlink()


def test_the_notebook_with_answers_counts_before_the_one_of_the_right_name(tmp_path):
    draft = json.dumps(filled())
    notebook, notes = rebuilt(tmp_path, **{"report.ipynb": nbformat.writes(RELEASED), "final.ipynb": draft})
    assert answers(notebook)["q1-1"] == "My änswer to q1-1."
    assert "several notebooks: final.ipynb counts, not report.ipynb" in notes


def test_an_unreadable_notebook_beside_another_lets_blank_answers_wait(tmp_path):
    notebook, notes = rebuilt(tmp_path, **{"report.ipynb": nbformat.writes(RELEASED), "b.ipynb": b"\x00\x01"})
    assert waiting(notebook) == ALL
    assert "b.ipynb: cannot be read" in notes


def test_a_notebook_of_another_assignment_beside_it_lets_blank_answers_wait(tmp_path):
    other = {"cells": [{"cell_type": "markdown", "metadata": {}, "source": "Homework"}]}
    files = {"report.ipynb": nbformat.writes(RELEASED), "other.ipynb": json.dumps(other)}
    notebook, notes = rebuilt(tmp_path, **files)
    assert waiting(notebook) == ALL
    assert "other.ipynb" in answers(notebook)["q1-1"]
    assert "Homework" not in everything(notebook)
    assert "several notebooks" in notes


def test_what_is_over_a_limit_is_named(tmp_path):
    path = tmp_path / "report.ipynb"
    rows = [{"cell_type": "markdown", "source": "a" * (MAX_TEXT + 1)}, 5, *["text"] * 6_000]
    path.write_text(json.dumps({"cells": rows}))
    read = read_notebook(path)
    assert len(read.cells) == 5_000
    assert " ".join(read.remarks) == (
        "1 of its cells are none, and were left out holds 6,001 cells, of which 5,000 are shown "
        "a cell is cut after 200,000 characters"
    )
    assert read_reports(tmp_path).unread == ["report.ipynb"]


def test_text_where_the_format_has_none_is_kept(tmp_path):
    path = tmp_path / "report.ipynb"
    path.write_text(json.dumps({"cells": ["bare", {"source": {"a": 1}}, {"source": ["x", 7, None, "y"]}]}))
    assert [cell.source for cell in read_cells(path)] == ["bare", '{"a": 1}', "x7y"]


def test_a_broken_notebook_hands_over_what_could_be_read(tmp_path):
    path = tmp_path / "report.ipynb"
    path.write_text(
        '{"cells": [{"cell_type": "code", "source": ["one\\n", "two"]}, '
        '{"cell_type": "markdown", "source": ["thr'
    )
    with pytest.raises(BrokenNotebook) as caught:
        read_cells(path)
    assert [(cell.code, cell.source) for cell in caught.value.cells] == [(True, "one\ntwo"), (False, "thr")]

#!/bin/sh
# nbgrader 0.9.6: pictures that are pasted into cells of text.
#
# One expects: generate_assignment takes the solution out of a cell, with everything that is in it; and autograde brings
# back a locked cell as it was released.
# What happens: both know a cell's text only. A picture that is pasted into the model answer, between BEGIN SOLUTION and
# END SOLUTION, stays in the released notebook as an attachment. No text refers to it any more, so that it is not seen
# where the notebook is looked through before the release; but it is in the file. From a locked question a student's
# notebook may have lost its picture (many tools drop attachments): autograde restores the text that shows it, and not
# the picture.
# Why it matters here: a sketch, or a scan of a derivation, is how one answers a written question, and with it the model
# answer is handed out. This kit's source notebook is made from the texts of the questions alone, without any answer.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
packages="nbgrader==0.9.6 sqlalchemy==2.1.9 ipykernel==7.4.0"
if command -v uv > /dev/null; then
    uv pip install --quiet --python "$folder/venv/bin/python" $packages
else
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check $packages
fi
mkdir "$folder/course"
cd "$folder/course"
echo 'c.CourseDirectory.course_id = "course"' > nbgrader_config.py
HOME=$folder PYTHONWARNINGS=ignore PATH="$folder/venv/bin:$PATH" "$folder/venv/bin/python" - <<'PYTHON'
import base64
import struct
import subprocess
import sys
import zlib
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook


def picture(grey):
    """A PNG of one pixel, as it stands in a notebook."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes([0, grey]))) + chunk(b"IEND", b"")
    return {"image/png": base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()}


def cell(name, source, attachments, **what):
    made = new_markdown_cell(source, attachments=attachments)
    kinds = {"grade": False, "solution": False, "locked": False, "task": False}
    made.metadata.nbgrader = {"schema_version": 3, "grade_id": name, **kinds, **what}
    return made


def write(cells, file):
    Path(file).parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), file)


def seen(file):
    """The text of each cell, and the names of its pictures."""
    return {one.metadata.nbgrader.grade_id: (one.source, list(one.attachments)) for one in nbformat.read(file, 4).cells}


print("nbgrader", version("nbgrader"))
kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
ASKED = "Which way do the gradients go? ![network](attachment:network.png)"
SOLVED = "### BEGIN SOLUTION\nThis way: ![arrows](attachment:arrows.png)\n### END SOLUTION"
question = cell("question", ASKED, {"network.png": picture(0)}, locked=True)
answer = cell("answer", SOLVED, {"arrows.png": picture(255)}, grade=True, solution=True, points=3)
write([question, answer], "source/a/report.ipynb")
run = {"check": True, "capture_output": True, "text": True}
subprocess.run(["nbgrader", "generate_assignment", "a"], **run)
released = nbformat.read("release/a/report.ipynb", 4)
handed_out = seen("release/a/report.ipynb")
same_picture = released.cells[1].attachments == answer.attachments
released.cells[0].attachments, released.cells[0].source = {}, "(changed by a student)"
released.cells[1].source = "This way."
write(released.cells, "submitted/ada/a/report.ipynb")
subprocess.run(["nbgrader", "autograde", "a"], **run)
brought_back = seen("autograded/ada/a/report.ipynb")
print("released, answer:     ", *handed_out["answer"], "the solution's own" if same_picture else "")
print("autograded, question: ", *brought_back["question"])
same = handed_out == {"question": (ASKED, ["network.png"]), "answer": ("YOUR ANSWER HERE", ["arrows.png"])}
same &= same_picture and brought_back["question"] == (ASKED, [])
sys.exit(0 if same else "the behaviour has changed")
PYTHON

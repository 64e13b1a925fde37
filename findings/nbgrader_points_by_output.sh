#!/bin/sh
# nbgrader 0.9.6 with numpy 2.4.6: the points of a test cell that passes.
#
# One expects: a test cell that ends without an error has all of its points. Where its last line is a number, that is
# the number of points, as the manual says of partial credit.
# What happens: any line on stderr counts as an error, 0 points: a warning of a library, a progress bar of tqdm, a
# line of the logging module, all of which Lightning writes. The number is read by float() from what the
# notebook shows. Since numpy 2 that is np.float64(0.5), and for PyTorch it is tensor(0.5): no numbers, so all points.
# A negative number is all points, too; 0 is 0. nbgrader validate, which students run, goes by the same rule.
# Why it matters here: right code loses all points to a deprecation in a newer version of a library, and a half right
# answer has all of them where its share was computed by numpy. The marks of this kit come from suites in the box;
# into the notebook it writes float numbers, and text to stdout.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
packages="nbgrader==0.9.6 sqlalchemy==2.1.9 ipykernel==7.4.0 numpy==2.4.6"
if command -v uv > /dev/null; then
    uv pip install --quiet --python "$folder/venv/bin/python" $packages
else
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check $packages
fi
mkdir "$folder/course"
cd "$folder/course"
echo 'c.CourseDirectory.course_id = "course"' > nbgrader_config.py
HOME=$folder PATH="$folder/venv/bin:$PATH" "$folder/venv/bin/python" - <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

print("nbgrader", version("nbgrader"), "numpy", version("numpy"))
CASES = {  # a test cell of 2 points, and what it gets
    "assert True": 2,
    "assert False": 0,
    "0.5": 0.5,
    "0": 0,
    "-1": 2,
    "import numpy as np; np.float64(0.5)": 2,
    "import numpy as np; float(np.float64(0.5))": 0.5,
    "print('0.5')": 2,
    "import warnings; warnings.warn('use the new name')": 0,
    "import logging; logging.warning('no GPU')": 0,
    "import sys; print('100%', file=sys.stderr)": 0,
}
cells = []
for number, source in enumerate(CASES):
    cells.append(new_code_cell(source))
    cells[-1].metadata.nbgrader = {
        "schema_version": 3,
        "grade_id": f"test-{number}",
        "grade": True,
        "solution": False,
        "locked": True,
        "task": False,
        "points": 2,
    }
kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
for folder in ("source/a", "submitted/ada/a"):
    Path(folder).mkdir(parents=True)
nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), "source/a/tests.ipynb")
run = {"check": True, "capture_output": True, "text": True}
subprocess.run(["nbgrader", "generate_assignment", "a"], **run)
Path("submitted/ada/a/tests.ipynb").write_bytes(Path("release/a/tests.ipynb").read_bytes())
subprocess.run(["nbgrader", "autograde", "a"], **run)
with Gradebook("sqlite:///gradebook.db", "course") as gradebook:
    grades = gradebook.find_submission("a", "ada").notebooks[0].grades
    points = {grade.name: grade.score for grade in grades}
found = {source: points[f"test-{number}"] for number, source in enumerate(CASES)}
for source, points in found.items():
    print(f"{source:52} {points:g} of 2")
sys.exit(0 if found == CASES else "the behaviour has changed")
PYTHON

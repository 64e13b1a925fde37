"""Gradescope: its `results.json`, and an autograder to upload."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from grader.gradebook.course import REPOSITORY
from grader.gradebook.exports.tables import write_file
from grader.gradebook.feedback_text import feedback_text
from grader.gradebook.results import read_result
from grader.marking.result import GRADER_ERROR, PASSED, SubmissionResult
from grader.rubric import load_rubric
from grader.submission.names import is_clutter

SUBMISSION = "submission"  # what the autograder calls the one submission that it marks
_EARLY = (1980, 1, 1, 0, 0, 0)  # the same archive for the same kit

SETUP = """\
#!/usr/bin/env bash
# Run once, when Gradescope builds the image.
set -eu
apt-get update -qq
apt-get install -y -qq python3 python3-venv bubblewrap
python3 -m venv /autograder/venv
/autograder/venv/bin/pip install --quiet -r /autograder/source/requirements.txt
"""

RUN = """\
#!/usr/bin/env bash
# Run for every submission. A copy under a name of ours, whatever the folder holds.
set -u
in=$(mktemp -d) out=$(mktemp -d)
cp -r /autograder/submission "$in/submission"
cd /autograder/source
python=/autograder/venv/bin/python
if "$python" -m grader grade "$in" --output "$out" --jobs 1 --quiet 2> "$out/log" || [ $? = 1 ]; then
  "$python" -m grader course gradescope-results "$out/submission" \\
    --output /autograder/results/results.json 2>> "$out/log" && exit 0
fi
cat "$out/log"
cat > /autograder/results/results.json <<'END'
{
  "output": "Not marked, through no fault of yours; tell the course staff.",
  "stdout_visibility": "hidden"
}
END
"""


def gradescope_results(folder: Path, output: Path) -> SubmissionResult:
    """Write Gradescope's `results.json` for one of ours.

    Args:
        folder: a submission's folder of results, with our `results.json` in it.
        output: where to.

    Raises:
        UnusableResult: ours is not valid, or was made without a sandbox.
        GraderUsageError: it cannot be written.
    """
    result = read_result(folder / "results.json", folder.name)
    content = json.dumps(as_gradescope(result), indent=2, ensure_ascii=False, allow_nan=False)
    write_file(output, content.encode("utf-8", "replace") + b"\n")
    return result


def as_gradescope(result: SubmissionResult) -> dict:
    """A result in Gradescope's form: an item is a test, and the written half is missing from the points.

    Students see all of it, so it holds nothing that is for the staff.
    """
    tests = []
    for item in result.items:
        test = {
            "name": f"{item.id} {load_rubric()[item.id].title}",
            "number": item.id,
            "score": item.points,
            "max_score": item.max_points,
            "output": feedback_text(item, load_rubric()[item.id].title),
            "visibility": "visible",
        }
        if item.status == GRADER_ERROR:
            del test["score"]  # not a zero
        else:
            test["status"] = "passed" if item.status == PASSED else "failed"
        tests.append(test)
    report: dict = {"tests": tests, "execution_time": round(result.seconds), "output_format": "text"}
    notes = [*result.for_students("hand_in", "figures"), *result.for_students("rule")]
    if notes:
        report["output"] = "\n".join(notes)
    if result.marked:
        report["score"] = result.points
    return report


def write_autograder(path: Path) -> int:
    """Write the archive that Gradescope builds its autograder from.

    Returns:
        How many files are in it.

    Raises:
        GraderUsageError: it cannot be written.
    """
    files: dict[str, bytes] = {"setup.sh": SETUP.encode(), "run_autograder": RUN.encode()}
    for name in ("requirements.txt", "pyproject.toml", "LICENSE"):
        files[name] = (REPOSITORY / name).read_bytes()
    for part in ("grader", "student"):
        for file in sorted((REPOSITORY / part).rglob("*")):
            inner = file.relative_to(REPOSITORY)
            if file.is_file() and not any(is_clutter(piece) for piece in inner.parts):
                files[inner.as_posix()] = file.read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            about = zipfile.ZipInfo(name, _EARLY)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = (0o100755 if name in ("setup.sh", "run_autograder") else 0o100644) << 16
            target.writestr(about, content)
    write_file(path, archive.getvalue())
    return len(files)

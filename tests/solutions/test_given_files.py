"""What is given beside the scripts is not what a student is marked by."""

import shutil
from pathlib import Path

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.submission.model import GIVEN_FILES, NAMED_FILES
from grader.submission.read import read_submission

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
# Those that import the two scripts, and run `main` up to the training.
ITEMS = frozenset({"1.7.forward", "1.8.sample", "2.5.training"})
TAMPERED = "raise RuntimeError('a copy of the student')\n"


def test_every_file_of_the_template_is_written_by_students_or_given():
    template = {file.relative_to(SOLUTIONS).as_posix() for file in SOLUTIONS.glob("part*/*.py")}
    assert template == set(NAMED_FILES) | (GIVEN_FILES & template)


def test_given_files_can_be_imported_at_the_top(tmp_path):
    """Their imports stand within functions of the template; a sorter of imports moves them."""
    top = {
        "part1/train_pl.py": "import commands, runs\nfrom callbacks import *\nfrom figures import *\n",
        "part2/train.py": "import commands, drawing, mnist, runs\nfrom figures import *\n",
    }
    for name in NAMED_FILES:
        (tmp_path / "s1" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "s1" / name).write_text(top.get(name, "") + (SOLUTIONS / name).read_text())
    marker = Marker(MarkingOptions(seed=3))
    try:
        result = marker.mark(
            read_submission(tmp_path / "s1"), frozenset({"1.8.sample", "2.5.sample", "2.5.training"})
        )
    finally:
        marker.close()
    assert {item.id: item.status for item in result.items if item.points != item.max_points} == {}


@pytest.mark.parametrize("tampered", [False, True], ids=["without given files", "with tampered ones"])
def test_a_submission_is_marked_without_its_copies_of_given_files(tmp_path, tampered):
    for name in NAMED_FILES:
        (tmp_path / "s1" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOLUTIONS / name, tmp_path / "s1" / name)
    for name in GIVEN_FILES if tampered else ():
        (tmp_path / "s1" / name).write_text(TAMPERED)
    submission = read_submission(tmp_path / "s1")
    assert not submission.warnings
    marker = Marker(MarkingOptions(seed=3))
    try:
        result = marker.mark(submission, ITEMS)
    finally:
        marker.close()
    lost = {item.id: item.status for item in result.items if item.points != item.max_points}
    assert len(result.items) == len(ITEMS)
    assert not lost

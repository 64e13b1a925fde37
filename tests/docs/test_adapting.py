"""What `docs/adapting.md` says of changing the kit for one's course is so: each change is made on a copy."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest

from grader.gradebook.late import read_policy
from grader.release.bundle import NAME
from grader.release.manifest import ContradictionError, contradictions, require_agreement, write
from tests.docs.markdown import DOCS, ROOT, headings
from tests.release.kits import Kit

PAGE = DOCS / "adapting.md"
RUBRIC, QUESTIONS, PRICES = "grader/rubric.toml", "grader/questions.toml", "grader/marking/prices.toml"
HANDOUT, VAE = "docs/handout/README.md", "docs/handout/vae.md"
PRACTICALITIES = "docs/handout/practicalities.md"

ITEM = '[[item]]\nid = "1.10"\npoints = 2\nhow = "written"\ntitle = "Collapse"\n\n'
QUESTION = """
[[question]]
id = "1.10"
text = '''
Why can the posterior of a VAE collapse to the prior, and how do the two terms of the loss show it?
'''
"""
GUIDE = """\
# 1.10: Collapse (2 points)

## Answer

A decoder that is strong enough needs no latent vector.

## What earns points

- **2**: so the regularization term is zero.

## Misconceptions

- **1**: the reconstruction term is zero.
"""
CHECK = """

def test_keeps_double_precision(part1: Part, draw: Draw):
    mean, log_std = draw.normal(3, 4).double(), draw.normal(3, 4).double()
    value = as_tensor(part1.utils.KLD(mean, log_std), "KLD")
    expect(value.dtype == mean.dtype, f"KLD of doubles is {value.dtype}", "keep the dtype")
"""


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path / "kit")


def left_to_a_person(kit: Kit) -> list[str]:
    """What `make manifest` leaves; as long as there is something, nothing is released."""
    write(kit.root)
    left = contradictions(kit.root)
    if left:
        with pytest.raises(ContradictionError, match=re.escape(left[0])):
            require_agreement(kit.root)
    return left


def test_the_page_tells_of_each_change():
    assert [title for level, title in headings(PAGE.read_text()) if level == 2] == [
        "Dates",
        "Points",
        "Wording",
        "The length of the trainings",
        "Leave out a part or a question",
        "One more written question",
        "One more automatic check",
        "One more automatic item",
        "Another learning platform",
    ]


def test_the_files_that_the_page_names_are_there():
    names = re.findall(r"`((?:grader|solutions|docs|tests)/[\w./-]+)`", PAGE.read_text())
    assert len(names) > 10
    examples = ("solutions/answers/1.10.md", "tests/public/test_1_7_prior.py")
    assert [name for name in names if not (ROOT / name).exists() and name not in examples] == []


def points(kit: Kit) -> None:
    kit.change(RUBRIC, 'id = "1.7.kld"\npoints = 1.5', 'id = "1.7.kld"\npoints = 2')
    kit.change(RUBRIC, 'id = "1.1"\npoints = 2', 'id = "1.1"\npoints = 1.5')
    kit.change("solutions/answers/1.1.md", "- **1**: a latent", "- **0.5**: a latent")


def test_points(kit):
    guide = kit.read("solutions/answers/1.1.md")
    points(kit)
    said = contradictions(kit.root)
    assert any(line.startswith(f"{VAE}: line ") and "run make manifest" in line for line in said)
    assert left_to_a_person(kit) == []
    (kit.root / "solutions/answers/1.1.md").write_text(guide)
    assert left_to_a_person(kit) == ["solutions/answers/1.1.md: the marks add up to 2, the head says 1.5"]


def wording(kit: Kit) -> None:
    kit.change(
        QUESTIONS, "Describe, step by step,\nhow you draw a new image", "List the steps to a new image"
    )
    kit.change(RUBRIC, '"Sampling an image"', '"Drawing an image"')


def test_wording(kit):
    wording(kit)
    assert left_to_a_person(kit) == []
    assert "*Drawing an image.*" in kit.read(VAE)
    assert "List the steps to a new image from this model." in kit.read(VAE)
    assert kit.read("solutions/answers/1.1.md").startswith("# 1.1: Drawing an image (2 points)\n")


def length(kit: Kit) -> None:
    kit.change(QUESTIONS, "vae_epochs = 80", "vae_epochs = 40")


def expected_numbers(kit: Kit) -> None:
    kit.change(PRACTICALITIES, "20 latent dimensions, 80 epochs |", "20 latent dimensions, 40 epochs |")
    kit.change(PRACTICALITIES, "2 latent dimensions, 80 epochs |", "2 latent dimensions, 40 epochs |")
    kit.change("solutions/answers/1.7.curves.md", "0.52 after 80 epochs", "0.53 after 40 epochs")
    kit.change(VAE, "ends near 0.52 after 80.", "ends near 0.53 after 40.")


def test_the_length_of_the_trainings(kit):
    length(kit)
    left = left_to_a_person(kit)
    guide = "solutions/answers/1.7.curves.md"
    assert [line.partition(",")[0] for line in left] == [VAE, guide, PRACTICALITIES, PRACTICALITIES]
    assert re.match(
        rf"{VAE}, line \d+: tells of 80 epochs, and questions.toml asks for 40; write what", left[0]
    )
    assert "docs/results/vae-z20.csv has a row for every epoch" in left[0]
    expected_numbers(kit)
    assert left_to_a_person(kit) == []
    for part in ("solutions", "student"):
        assert "default=40" in kit.read(f"{part}/part1/train_pl.py")
        assert "SHOWN_SAMPLES = (0, 10, 40)" in kit.read(f"{part}/part1/figures.py")
    students = [*(kit.root / "docs/handout").glob("*.md"), *(kit.root / "student").rglob("*.py")]
    assert [
        file.name for file in students if re.search(r"\b80 epochs|after 80|epoch_080", file.read_text())
    ] == []


def leave_out(kit: Kit) -> None:
    kit.change(RUBRIC, "leave_out = []", 'leave_out = ["3", "2.7"]')


def test_leave_out_a_part_and_a_question(kit):
    leave_out(kit)
    assert left_to_a_person(kit) == []
    assert "This assignment has two parts, worth 54 points together." in kit.read(HANDOUT)
    assert "Question 2.7" not in kit.read("docs/handout/aae.md")
    assert "2.7_samples.png" not in kit.read(PRACTICALITIES)
    kit.change(RUBRIC, 'leave_out = ["3", "2.7"]', "leave_out = []")
    assert left_to_a_person(kit) == []
    assert kit.read("docs/handout/aae.md") == (DOCS / "handout" / "aae.md").read_text()


def written_question(kit: Kit) -> None:
    kit.change(RUBRIC, '[[item]]\nid = "2.1"', ITEM + '[[item]]\nid = "2.1"')
    kit.add(QUESTIONS, QUESTION)
    (kit.root / "solutions/answers/1.10.md").write_text(GUIDE)


def test_one_more_written_question(kit):
    kit.change(RUBRIC, '[[item]]\nid = "2.1"', ITEM + '[[item]]\nid = "2.1"')
    (left,) = left_to_a_person(kit)
    assert left.startswith('grader/questions.toml: has no [[question]] with id = "1.10"')
    kit.change(RUBRIC, ITEM, "")
    written_question(kit)
    assert left_to_a_person(kit) == []
    handout = kit.read(VAE)
    assert handout.index("### Question 1.9 (4") < handout.index(
        "### Question 1.10 (2 points)\n\n*Collapse.*\n"
    )
    (kit.root / "solutions/answers/1.10.md").unlink()
    (left,) = left_to_a_person(kit)
    assert left.startswith(
        "solutions/answers/1.10.md: there is no marking guide for this item; write one, from"
    )


def automatic_check(kit: Kit) -> None:
    kit.add("grader/suites/part1/test_kld.py", CHECK)
    kit.add(PRICES, 'keeps_double_precision = "slip"\n', after='["1.7.kld"]\n')


def test_one_more_automatic_check(kit):
    prices = kit.read(PRICES)
    automatic_check(kit)
    assert left_to_a_person(kit) == []
    (kit.root / PRICES).write_text(prices)
    said = f'{PRICES}: ["1.7.kld"] has no price for the check keeps_double_precision; add one'
    assert left_to_a_person(kit) == [said]


def test_one_more_automatic_item(kit):
    item = '[[item]]\nid = "1.7.new"\npoints = 1\nhow = "auto"\ntitle = "new"\nfiles = ["part1/utils.py"]\n\n'
    kit.change(RUBRIC, '[[item]]\nid = "1.7.curves"', item + '[[item]]\nid = "1.7.curves"')
    assert left_to_a_person(kit) == [
        "tests/public/test_1_7_new.py: there is no public test of 1.7.new; write one",
        "grader/suites: no file has checks of the automatic item 1.7.new; write one",
    ]


BUILD = """
from grader.cli import main
from grader.release.bundle import main as release
print(release(["--output", "release"]), main(["course", "init", "course", "--exchange", "exchange"]))
"""


@pytest.fixture(scope="module")
def adapted(tmp_path_factory) -> Kit:
    """A copy with all changes, released, and with a course."""
    kit = Kit(tmp_path_factory.mktemp("adapted") / "kit")
    for change in (points, wording, length, expected_numbers, leave_out, written_question, automatic_check):
        change(kit)
    assert left_to_a_person(kit) == []
    run = kit.python("-c", BUILD)
    assert run.stdout.splitlines()[-1] == "0 0", run.stderr
    late = kit.root / "course" / "late.toml"
    late.write_text(late.read_text().replace('# due = "2027-12-14 23:59"', 'due = "2031-01-07 12:00"'))
    return kit


def test_release_and_course_have_all_changes(adapted):
    archive = zipfile.ZipFile(adapted.root / "release" / f"{NAME}.zip")
    names = {name.partition("/")[2]: name for name in archive.namelist()}

    def text(name: str) -> str:
        return archive.read(names[name]).decode()

    report = (adapted.root / "course" / "source" / "a3" / "report.ipynb").read_text()
    assert report == text("report.ipynb")
    cells = {cell.id: cell for cell in nbformat.reads(report, as_version=4).cells}
    worth = {row["id"]: row["points"] for row in json.loads(text("tests/points.json"))}
    assert [cell.metadata.nbgrader.points for cell in cells.values() if cell.metadata.nbgrader.grade] == list(
        worth.values()
    )
    assert sum(worth.values()) == 56
    assert (worth["1.7.kld"], worth["1.1"], worth["1.10"]) == (2, 1.5, 2)
    assert not {"2.7", "3.1"} & worth.keys()
    assert "handout/nerf.md" not in names
    assert "worth 56 points" in text("README.md")
    assert "23 points are marked by tests, 33 by a person" in text("README.md")
    assert cells["question-1-1"].source.startswith("## Question 1.1: Drawing an image (1.5 points)\n\n")
    assert cells["question-1-10"].source.startswith("## Question 1.10: Collapse (2 points)\n\nWhy can the")
    assert "1.8_samples_epoch_040.png" in cells["figures-1-8-grids"].source
    assert (adapted.root / "course/source/a3/part1/train_pl.py").read_text() == text("part1/train_pl.py")
    assert "default=40" in text("part1/train_pl.py")
    assert "(vae.md#question-17-125-points)" in text("handout/README.md")
    due = read_policy(adapted.root / "course" / "late.toml").due
    assert str(due) == "2031-01-07 12:00:00+01:00"


@pytest.mark.slow
def test_a_submission_is_marked_with_all_changes(adapted):
    course = adapted.root / "course"
    generated = adapted.nbgrader("generate_assignment", "a3")
    assert generated.returncode == 0, generated.stderr
    handed_in = course / "submitted" / "ada" / "a3"
    shutil.copytree(course / "release" / "a3", handed_in)
    for file in (adapted.root / "solutions" / "part1").glob("*.py"):
        shutil.copyfile(file, handed_in / "part1" / file.name)
    (handed_in / "timestamp.txt").write_text("2031-01-05 12:00:00 UTC")
    run = adapted.python("-m", "grader", "course", "grade", "course", "--no-collect", "--jobs", "1")
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads((course / "grading" / "ada" / "results.json").read_text())
    (kld,) = [item for item in result["items"] if item["id"] == "1.7.kld"]
    assert (kld["points"], kld["max_points"]) == (2, 2)
    assert "keeps_double_precision" in [check["name"] for check in kld["checks"]]
    export = adapted.python("-m", "grader", "course", "export", "course", "csv", "--output", "marks.csv")
    assert export.returncode == 0, export.stderr
    head, row = adapted.read("marks.csv").splitlines()
    assert {"1.10", "1.7.kld"} < set(head.split(","))
    assert not {"2.7", "3.1"} & set(head.split(","))
    assert row.startswith("ada,")

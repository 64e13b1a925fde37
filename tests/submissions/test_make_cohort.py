"""The cohort is what its description says, and a stale description is noticed."""

import ast
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import make_cohort  # noqa: E402
from make_cohort import CohortError, Edit, Recipe, files_of, read_recipes  # noqa: E402


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """The assembled cohort, by the command."""
    folder = tmp_path_factory.mktemp("made") / "build" / "cohort"
    command = [sys.executable, str(HERE / "make_cohort.py"), str(folder)]
    assert subprocess.run(command, cwd="/", check=True, capture_output=True, text=True).stdout
    return folder


@pytest.fixture
def recipes():
    return {recipe.name: recipe for recipe in read_recipes()}


def test_all_submissions_are_there(cohort):
    assert sorted(path.name for path in cohort.iterdir()) == [
        "half_done",
        "hostile",
        "no_part2",
        "solved",
        "syntax_error",
        "untouched",
        "wrong_kld",
        "zipped.zip",
    ]


def test_the_solutions_are_copied_whole(cohort):
    for name in ("part1/utils.py", "part1/train_pl.py", "part2/models.py", "part2/train.py"):
        assert (cohort / "solved" / name).read_text() == (HERE.parents[1] / "solutions" / name).read_text()


def test_only_the_syntax_error_is_one(cohort):
    wrong = []
    for path in sorted(cohort.rglob("*.py")):
        try:
            ast.parse(path.read_text())
        except SyntaxError:
            wrong.append(path.relative_to(cohort).as_posix())
    assert wrong == ["syntax_error/part1/utils.py"]


def test_the_wrong_kld_differs_in_one_line(cohort):
    right, wrong = ((cohort / name / "part1/utils.py").read_text() for name in ("solved", "wrong_kld"))
    assert sum(old != new for old, new in zip(right.splitlines(), wrong.splitlines(), strict=True)) == 1
    assert ".sum(dim=0)" in wrong


def test_part_2_is_missing_where_it_should_be(cohort):
    assert [path.name for path in (cohort / "no_part2").iterdir()] == ["part1"]


def test_the_archive_has_one_wrapping_folder(cohort):
    with zipfile.ZipFile(cohort / "zipped.zip") as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"handed-in"}
    assert "handed-in/part1/utils.py" in names
    assert "handed-in/part2/models.py" in names


def test_hostile_files_lose_their_harmless_names(cohort):
    names = {path.relative_to(cohort / "hostile").as_posix() for path in (cohort / "hostile").rglob("*.py")}
    assert {"conftest.py", "part1/utils.py", "part2/models.py"} <= names
    assert not list((HERE / "hostile").rglob("*.py"))


def test_assembling_again_gives_the_same(cohort):
    before = {path: path.read_bytes() for path in cohort.rglob("*") if path.is_file()}
    make_cohort.make_cohort(cohort, read_recipes())
    assert before == {path: path.read_bytes() for path in cohort.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "edit",
    [
        Edit("part1/utils.py", "a text that was there once", "x"),
        Edit("part1/utils.py", "torch", "x"),
        Edit("part1/gone.py", "x", "y"),
    ],
    ids=["gone", "ambiguous", "no such file"],
)
def test_an_edit_that_no_longer_fits_fails(recipes, edit):
    with pytest.raises(CohortError, match="instead of once"):
        files_of(replace(recipes["solved"], edits=(edit,)))


def test_a_missing_file_or_folder_fails(recipes):
    with pytest.raises(CohortError, match="no part1/gone"):
        files_of(replace(recipes["untouched"], solved=("part1/gone.py",)))
    with pytest.raises(CohortError, match="no Python files"):
        files_of(Recipe("empty", HERE / "gone", ("part1",), (), (), False))


@pytest.mark.parametrize(
    "text", ["[a]\n", '[a]\nfrom = "x"\nform = 1\n', '[a]\nfrom = "x"\nedits = [{file = "x", old = "y"}]\n']
)
def test_a_malformed_description_fails(tmp_path, text):
    (tmp_path / "cohort.toml").write_text(text)
    with pytest.raises(CohortError, match="a: "):
        read_recipes(tmp_path / "cohort.toml")


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("the only copy")
    with pytest.raises(CohortError, match="thesis"):
        make_cohort.make_cohort(tmp_path, read_recipes())
    assert (tmp_path / "thesis.tex").read_text() == "the only copy"

"""The students' release: complete, the same in every build, and without anything that must stay hidden."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grader.release import bundle, leaks
from grader.release.requirements import subset
from grader.release.stubs import REPOSITORY
from grader.rubric import load_rubric
from tests.release.public_runs import PUBLIC, without_caches

SOLUTIONS = REPOSITORY / "solutions"
QUIET = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return bundle.contents()


@pytest.fixture
def released(files, tmp_path) -> Path:
    """The release, unpacked."""
    zipfile.ZipFile(io.BytesIO(bundle.pack(files))).extractall(tmp_path)
    return tmp_path / bundle.NAME


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run check.py with the kit's own environment."""
    command = [sys.executable, str(folder / "check.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=QUIET, timeout=300, check=False)


def test_everything_is_in_it(files):
    assert {name for name in files if name.startswith(("part1/", "part2/"))} == {
        f"{part}/{file.name}" for part in ("part1", "part2") for file in (SOLUTIONS / part).glob("*.py")
    }
    assert {name for name in files if name.startswith("tests/")} == {
        "tests/points.json",
        "tests/given.json",
        *(f"tests/{file.name}" for file in PUBLIC.glob("*.py")),
    }
    assert {"README.md", "Makefile", "requirements.txt", "report.ipynb", "check.py", "LICENSE"} <= set(files)
    assert not [name for name in files if "__pycache__" in name or "solutions" in name or "suites" in name]
    assert re.search(rb'^UV_VERSION = "\d+\.\d+\.\d+"$', files["setup_env.py"], re.MULTILINE)


def test_points_are_those_of_the_rubric(files):
    rows = json.loads(files["tests/points.json"])
    assert [(row["id"], row["points"], row["how"]) for row in rows] == [
        (item.id, item.points, item.how) for item in load_rubric().items
    ]


def test_the_same_sources_make_the_same_zip(files):
    first = bundle.pack(files)
    backwards = dict(reversed(list(bundle.contents().items())))
    assert bundle.pack(backwards) == first
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert names == sorted(names)
    assert {name.split("/")[0] for name in names} == {bundle.NAME}


def test_links_lead_somewhere(files):
    broken = []
    for name, content in files.items():
        if not name.endswith(".md"):
            continue
        text = re.sub(r"```.*?```", "", content.decode(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            path = os.path.normpath(os.path.join(os.path.dirname(name), target))
            known = path in files or any(other.startswith(f"{path}/") for other in files)
            if not target.startswith(("http://", "https://", "mailto:")) and not known:
                broken.append(f"{name}: {target}")
    assert not broken


def test_requirements_are_a_closed_part_of_the_kits(files):
    pins = files["requirements.txt"].decode().splitlines()
    kit = (REPOSITORY / "requirements.txt").read_text().splitlines()
    assert set(pins) <= set(kit)
    names = {re.split("==", pin)[0] for pin in pins}
    assert {"torch", "torchvision", "filelock", "pytest", "notebook", "tornado"} <= names
    assert not names & {"nbgrader", "mypy", "scikit-learn", "mkdocs"}


def test_requirements_follow_via_and_keep_markers():
    text = (
        "a==1\n    # via grader (pyproject.toml)\n"
        "b==2 ; sys_platform == 'linux'\n    # via\n    #   a\n    #   z\n"
        "c==3\n    # via b\nz==4\n    # via grader (pyproject.toml)\n"
    )
    assert subset(text, ("a",)) == "a==1\nb==2 ; sys_platform == 'linux'\nc==3\n"
    with pytest.raises(ValueError, match="does not pin y"):
        subset(text, ("a", "y"))


def test_nothing_is_given_away(files):
    assert list(leaks.find(files, REPOSITORY)) == []


def test_what_must_not_be_given_away_is_known():
    assert "return mean + std * torch.randn_like(std)" in leaks.solution_lines(SOLUTIONS)
    assert len(leaks.solution_lines(SOLUTIONS)) > 50
    assert len(leaks.answer_sentences(SOLUTIONS / "answers")) > 100
    assert len(leaks.suite_lines(REPOSITORY / "grader" / "suites")) > 300


def longest(texts: set[str]) -> str:
    return max(sorted(texts), key=len)


@pytest.mark.parametrize(
    ("kind", "planted"),
    [
        ("solution", lambda: "        " + longest(leaks.solution_lines(SOLUTIONS)) + "  # [B]"),
        ("solution", lambda: f"Hint: `{longest(leaks.solution_lines(SOLUTIONS))}`"),
        ("hidden test", lambda: "    " + longest(leaks.suite_lines(REPOSITORY / "grader" / "suites"))),
        (
            "model answer",
            lambda: longest(leaks.answer_sentences(SOLUTIONS / "answers")).replace(" ", "\n    "),
        ),
    ],
)
def test_a_leak_stops_the_release(monkeypatch, capsys, tmp_path, files, kind, planted):
    spoiled = {**files, "tests/chance.py": files["tests/chance.py"] + b"\n" + planted().encode() + b"\n"}
    monkeypatch.setattr(bundle, "contents", lambda repository: spoiled)
    assert bundle.main(["--output", str(tmp_path / "out")]) == 1
    assert f"tests/chance.py: {kind}: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_command_line_writes_the_zip(monkeypatch, tmp_path, capsys, files):
    monkeypatch.setattr(bundle, "contents", lambda repository: files)
    assert bundle.main(["--output", str(tmp_path / "out")]) == 0
    assert "deep-generative-models.zip" in capsys.readouterr().out
    assert (tmp_path / "out" / "deep-generative-models.zip").read_bytes() == bundle.pack(files)
    (tmp_path / "file").touch()
    assert bundle.main(["--output", str(tmp_path / "file" / "below")]) == 2
    assert "Not a directory" in capsys.readouterr().err


def test_check_says_what_to_write_next(released):
    run = check(released, "1.7.kld")
    assert run.returncode == 1, run.stderr
    line = (
        (released / "part1/utils.py")
        .read_text()
        .splitlines()
        .index('    raise NotImplementedError("Question 1.7: KLD, the regularization term of equation 13")')
    )
    assert "Write next: KLD, the regularization term of equation 13 (question 1.7)." in run.stdout
    assert f"part1/utils.py at line {line + 1}" in run.stdout
    assert re.search(r"KLD +·{10} +0 of \d+ +to do +0 of 1\.5", run.stdout)
    assert "These tests are previews" in run.stdout


@pytest.mark.slow
def test_check_shows_the_first_mistake_in_full_and_the_rest_in_a_line(released):
    without_caches(SOLUTIONS, released)
    utils = released / "part1" / "utils.py"
    utils.write_text(
        utils.read_text().replace("math.log2(math.e)", "math.log(2)").replace("/ dimensions", "/ 784")
    )
    run = check(released, "1.7.bpd")
    assert run.returncode == 1, run.stderr
    shown, _, rest = run.stdout.partition("The rest")
    assert "First failure: 1.7.bpd" in shown
    assert "part1/utils.py" not in rest
    lines = [line for line in rest.splitlines() if "wrong" in line]
    assert lines
    assert all(line.startswith("  1.7.bpd  wrong  ") for line in lines)
    assert "In reach: 0 of 1 points" in rest
    assert "multiplied by ln 2 instead of dividing by it?" in check(released, "1.7.bpd", "--hint").stdout


@pytest.mark.parametrize(
    ("question", "word"),
    [("3.1", "has no tests"), ("9", "There is no question 9"), ("1.7.kl", "There is no question 1.7.kl")],
)
def test_check_refuses_what_has_no_tests(released, question, word):
    run = check(released, question)
    assert run.returncode == 2
    assert word in run.stdout


@pytest.mark.slow
def test_check_tells_of_broken_tests_and_of_unreadable_code(released):
    (released / "part1" / "utils.py").write_text("def KLD(:\n")
    run = check(released, "1.7.kld")
    assert run.returncode == 1
    assert "Python cannot read part1/utils.py, line 1: def KLD(:" in run.stdout
    (released / "tests" / "test_1_7_kld.py").write_text("import nothing_of_that_name\n")
    run = check(released, "1.7.kld")
    assert run.returncode == 2
    assert "nothing_of_that_name" in run.stdout


def hand_in(released):
    return subprocess.run(
        [sys.executable, "handin.py"], cwd=released, capture_output=True, text=True, check=False
    )


def test_hand_in_is_what_the_grader_reads(released):
    from grader.submission import read_submission

    without_caches(SOLUTIONS, released)
    (released / "figures").mkdir()
    (released / "figures" / "manifold.png").write_bytes(b"png")
    run = hand_in(released)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    notes = [line for line in lines if line.startswith("Note: ")]
    assert lines[0] == "handin.zip: 6 files and 1 figures."
    assert [note.split(" (")[0] for note in notes[:1]] == ["Note: no answer yet in report.ipynb"]
    assert notes[1].startswith("Note: figures that the report shows and that are not there yet:")
    submission = read_submission(released / "handin.zip")
    assert submission.warnings == ()
    assert submission.files["part1/utils.py"] == (SOLUTIONS / "part1/utils.py").read_bytes()


def test_a_file_that_is_no_python_does_not_keep_the_others_from_being_handed_in(released):
    without_caches(SOLUTIONS, released)
    (released / "part2" / "models.py").write_text("class ConvEncoder(:\n")
    run = hand_in(released)
    assert run.returncode == 1
    assert "part2/models.py is not valid Python" in run.stderr
    assert "packed all the same" in run.stderr
    assert "part2/models.py" in zipfile.ZipFile(released / "handin.zip").namelist()


def test_hand_in_leaves_no_archive_of_before_where_a_file_is_missing(released):
    without_caches(SOLUTIONS, released)
    assert hand_in(released).returncode == 0
    (released / "part2" / "train.py").unlink()
    run = hand_in(released)
    assert run.returncode == 1
    assert "part2/train.py is missing" in run.stderr
    assert not (released / "handin.zip").exists()


def test_hand_in_takes_other_encodings_and_names_figures_that_stay_out(released):
    without_caches(SOLUTIONS, released)
    utils = released / "part1" / "utils.py"
    utils.write_bytes(b"# -*- coding: latin-1 -*-\n# \xe4\n" + utils.read_bytes())
    (released / "figures").mkdir()
    for name in ("a.JPEG", "b.pdf"):
        (released / "figures" / name).write_bytes(b"picture")
    run = hand_in(released)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("handin.zip: 6 files and 1 figures.\n")
    assert "figures/b.pdf stays out" in run.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_from_the_zip_to_green_tests(tmp_path, files):
    """As a student: unpack, make the environment, see all fail, write the solutions, see all pass."""
    path = bundle.build(tmp_path / "release")
    empty = tmp_path / "student"
    empty.mkdir()
    zipfile.ZipFile(path).extractall(empty)
    folder = empty / bundle.NAME
    environment = {
        name: value for name, value in QUIET.items() if not name.startswith(("MAKE", "VIRTUAL_ENV"))
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, env=environment, timeout=900, check=False
        )

    def outcomes() -> dict[str, str]:
        """Why each test failed; empty for those that passed."""
        run(".venv/bin/python", "-m", "pytest", "--junitxml=junit.xml", "-q")
        cases = ElementTree.parse(folder / "junit.xml").getroot().iter("testcase")
        return {
            f"{case.get('classname')}::{case.get('name')}": "".join(
                str(child.get("message")) for child in case if child.tag in ("failure", "error")
            )
            for case in cases
        }

    setup = run("make", "setup")
    assert setup.returncode == 0, setup.stderr
    on_stubs = outcomes()
    assert len(on_stubs) > 100
    assert [name for name, message in on_stubs.items() if "Write next: " not in message] == []
    shown = run("make", "check")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "In reach: 0 of 22.5 points" in shown.stdout

    for part in ("part1", "part2"):
        shutil.copytree(SOLUTIONS / part, folder / part, dirs_exist_ok=True)
    solved = outcomes()
    assert solved.keys() == on_stubs.keys()
    assert {name: message for name, message in solved.items() if message} == {}
    shown = run("make", "check")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "In reach: 22.5 of 22.5 points" in shown.stdout
    assert run(".venv/bin/python", "check.py").returncode == 0

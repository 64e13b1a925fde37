"""The stubs are up to date, hide every solution, and malformed markers stop the generator."""

import re
from pathlib import Path

import pytest

from grader.release import stubs

SOLUTIONS = stubs.REPOSITORY / "solutions"
STUDENT = stubs.REPOSITORY / "student"
FILES = [
    "part1/callbacks.py",
    "part1/cnn_encoder_decoder.py",
    "part1/commands.py",
    "part1/drawing.py",
    "part1/evidence.py",
    "part1/figures.py",
    "part1/mnist.py",
    "part1/runs.py",
    "part1/train_pl.py",
    "part1/utils.py",
    "part2/commands.py",
    "part2/drawing.py",
    "part2/evidence.py",
    "part2/figures.py",
    "part2/mnist.py",
    "part2/models.py",
    "part2/runs.py",
    "part2/train.py",
    "part2/utils.py",
]

SOLUTION = '''\
def double(x):
    """Doubles x."""
    # Hint: addition.
    # BEGIN SOLUTION 1.7: double, "twice" x
    return x + x
    # END SOLUTION


GIVEN = 1
'''
STUB = '''\
def double(x):
    """Doubles x."""
    # Hint: addition.
    raise NotImplementedError("Question 1.7: double, \\"twice\\" x")


GIVEN = 1
'''


def solution_lines(path: str) -> list[str]:
    """The lines between the markers of a solution file."""
    regions = re.findall(
        r"# BEGIN SOLUTION.*?\n(.*?)# END SOLUTION", (SOLUTIONS / path).read_text(), re.DOTALL
    )
    return [line.strip() for region in regions for line in region.splitlines() if line.strip()]


def test_student_folder_is_up_to_date():
    stale = [path.as_posix() for path in stubs.drifted(stubs.generate(SOLUTIONS), STUDENT)]
    assert not stale, f"edit solutions/, then run `python -m grader.release.stubs`: {stale}"


def test_every_template_file_is_released():
    assert sorted(path.as_posix() for path in stubs.generate(SOLUTIONS)) == FILES


@pytest.mark.parametrize("path", FILES)
def test_no_solution_line_leaks(path):
    # Short lines such as a closing bracket or `c = 32` say nothing on their own.
    telling = {line for line in solution_lines(path) if len(line) > 12}
    stub_lines = {line.strip() for line in (STUDENT / path).read_text().splitlines()}
    given_lines = {
        line.strip()
        for line in re.sub(
            r"# BEGIN SOLUTION.*?# END SOLUTION", "", (SOLUTIONS / path).read_text(), flags=re.DOTALL
        ).splitlines()
    }
    assert not (telling & stub_lines) - given_lines
    assert "SOLUTION" not in (STUDENT / path).read_text()


def test_region_becomes_a_raise_that_names_the_question():
    assert stubs.stub_source(SOLUTION, "double.py") == STUB
    namespace = {}
    exec(STUB, namespace)
    with pytest.raises(NotImplementedError, match=r'Question 1\.7: double, "twice" x'):
        namespace["double"](1)


@pytest.mark.parametrize(
    ("source", "line", "complaint"),
    [
        ("# BEGIN SOLUTION 1.7: a\nx = 1\n", 1, "without END"),
        ("x = 1\n# END SOLUTION\n", 2, "without BEGIN"),
        ("# BEGIN SOLUTION 1.7: a\n# BEGIN SOLUTION 1.8: b\n# END SOLUTION\n", 2, "inside the region"),
        ("# BEGIN SOLUTION\nx = 1\n# END SOLUTION\n", 1, "expected"),
        ("# BEGIN SOLUTION: the layers\nx = 1\n# END SOLUTION\n", 1, "expected"),
        ("# BEGIN SOLUTION 1.7\nx = 1\n# END SOLUTION\n", 1, "expected"),
        ("x = 1\n# Begin Solution 1.7: a\nx = 1\n# END SOLUTION\n", 2, "expected"),
        ("#BEGIN SOLUTION 1.7: a\nx = 1\n# END SOLUTION\n", 1, "expected"),
        ("# BEGIN SOLUTION 1.7: a\nx = 1  # END SOLUTION\n", 2, "expected"),
        ("# BEGIN SOLUTION 1.7: a\ndef f():\n    # END SOLUTION\n    return 1\n", 2, "not valid Python"),
    ],
)
def test_malformed_markers_are_errors(source, line, complaint):
    with pytest.raises(stubs.MarkerError, match=complaint) as caught:
        stubs.stub_source(source, "part1/broken.py")
    assert str(caught.value).startswith("part1/broken.py:")
    assert complaint == "not valid Python" or f"part1/broken.py:{line}:" in str(caught.value)


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """A small repository with one solution, which the command line works on."""
    (tmp_path / "solutions" / "part1").mkdir(parents=True)
    (tmp_path / "solutions" / "part1" / "double.py").write_text(SOLUTION)
    monkeypatch.setattr(stubs, "REPOSITORY", tmp_path)
    return tmp_path


def test_check_reports_drift_and_writes_nothing(repository, capsys):
    assert stubs.main(["--check"]) == 1
    assert "student/part1/double.py" in capsys.readouterr().out
    assert not (repository / "student").exists()


def test_writing_repairs_drift(repository, capsys):
    assert stubs.main([]) == 0
    stub = repository / "student" / "part1" / "double.py"
    assert stub.read_text() == STUB
    stub.write_text("edited by hand\n")
    left_over = stub.with_name("renamed.py")
    left_over.write_text("its solution has a new name\n")
    assert stubs.main(["--check"]) == 1
    assert stubs.main([]) == 0
    assert stub.read_text() == STUB
    assert not left_over.exists()
    capsys.readouterr()
    assert stubs.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_command_line_reports_a_malformed_marker(repository, capsys):
    (repository / "solutions" / "part1" / "double.py").write_text("# END SOLUTION\n")
    assert stubs.main([]) == 1
    assert "part1/double.py:1:" in capsys.readouterr().err

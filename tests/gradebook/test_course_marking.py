"""A course marks its code by the same function as the command line, in its own process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from engine.fakes import HonestFake, command_line, marked_here, pretended_marking, stop

from gradebook.courses import ROOT, hand_in, notebook, roster
from grader.cli import main
from grader.gradebook import state


class Marker(HonestFake):
    """One of its submissions is where somebody stops the run."""

    def mark(self, submission):
        if submission.name == "stop":
            raise KeyboardInterrupt
        return super().mark(submission)


@pytest.fixture
def marked_by_fakes(monkeypatch, tmp_path):
    with pretended_marking(monkeypatch, tmp_path, Marker):
        marked_here(monkeypatch)
        yield


def grade(course, *options: str) -> int:
    return main(["course", "grade", str(course.root), "--no-collect", *options])


def interrupted(course) -> str:
    kept = f"the results so far are in {course.results}"
    return f"interrupted: {kept}; the same command continues from there\n"


def test_the_options_and_the_courses_seed_reach_the_marker(course, marked_by_fakes, tmp_path, capsys):
    hand_in(course, "ada", notebook(course))
    assert grade(course, "--data", "mnist", "--allow-devices") == 0
    seed = (course.state / "seed").read_text().strip()
    assert f"options:{seed}:mnist:True:devices written into the code " in (tmp_path / "log").read_text()
    said = capsys.readouterr().out
    assert f"pages: {course.results}/index.html" in said
    assert "16 scores of 1 submission agree with the results" in said
    assert grade(course, "--data", "mnist", "--allow-devices", "--seed", "5") == 0
    assert "options:5:mnist:True:" in (tmp_path / "log").read_text()


def test_a_result_is_tied_to_its_code_wherever_marking_stopped(course, marked_by_fakes, capsys):
    for student in ("ada", "stop"):
        hand_in(course, student, notebook(course))
    assert grade(course) == 130
    assert capsys.readouterr().err == interrupted(course)
    assert state.load(course, state.GRADED).keys() == {"ada"}


def test_what_the_grader_cannot_mark_at_all_enters_nothing_and_is_status_1(
    course, marked_by_fakes, monkeypatch, capsys
):
    from grader.errors import GraderFault

    def fail(options):
        raise GraderFault("bubblewrap is missing")

    monkeypatch.setattr("grader.grading.run.check_environment", fail)
    hand_in(course, "ada", notebook(course))
    assert grade(course) == 1
    captured = capsys.readouterr()
    assert captured.err == "error: bubblewrap is missing\n"
    assert "there is no result" in captured.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--data", "cifar"), "Invalid value for '--data'"),
        (("--seed", str(2**63)), "Invalid value for '--seed'"),
        (("--jobs", "2", "--slurm", "2"), "exclude each other"),
    ],
)
def test_a_mistake_in_the_options_is_told_before_anything_is_collected(course, capsys, options, message):
    hand_in(course, "ada", notebook(course))
    assert grade(course, *options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not course.collected.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_course_is_status_130_and_leaves_no_process(course, tmp_path, number):
    roster(course, "ada", "bob-sleep")
    for student in ("ada", "bob-sleep"):
        hand_in(course, student, notebook(course))
    script, log = command_line(tmp_path, "HonestFake"), tmp_path / "log"
    command = [sys.executable, script, "course", "grade", course.root, "--no-collect", "--jobs", "2"]
    process = subprocess.Popen(
        [str(part) for part in command],
        env={**os.environ, "PYTHONPATH": str(ROOT), "FAKE_LOG": str(log)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert any(line.startswith("[1/2] ada: ") for line in process.stdout)
    deadline = time.monotonic() + 60
    while "mark:bob-sleep" not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stop(process, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == interrupted(course)
    assert state.load(course, state.GRADED).keys() == {"ada"}
    workers = {int(line.split()[1]) for line in log.read_text().splitlines()}
    assert not any(os.path.exists(f"/proc/{worker}") for worker in workers)

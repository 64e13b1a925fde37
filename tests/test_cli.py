"""The command line, with markers that only pretend."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engine.fakes import command_line, pretended_marking, stop

from grader.cli import main
from grader.errors import GraderFault, GraderUsageError

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def pretend(monkeypatch, tmp_path):
    with pretended_marking(monkeypatch, tmp_path):
        yield


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / "cohort" / name / "part1").mkdir(parents=True)
    return folder / "cohort"


def make_grade(*options: str) -> subprocess.CompletedProcess[str]:
    """What `make grade` would do, without doing it."""
    command = ["make", "--dry-run", "grade", "SUBMISSIONS=handed in", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)


def visible(folder: Path) -> list[str]:
    """What is in a folder, without hidden files and without the page that each item has."""
    names = (path.name for path in folder.iterdir())
    return sorted(name for name in names if not name.startswith((".", "item-")))


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_everything_marked_is_status_0(tmp_path, capsys):
    assert run("grade", make(tmp_path, "s1", "s2"), "--output", tmp_path / "out", "--seed", 7) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert f"marks: {tmp_path}/out/marks.csv" in captured.out
    assert "regrade" not in captured.out
    assert f"pages: {tmp_path}/out/index.html" in captured.out
    assert visible(tmp_path / "out") == ["index.html", "marks.csv", "run.json", "s1", "s2"]
    assert visible(tmp_path / "out" / "s1") == ["feedback.html", "feedback.md", "results.json"]


def test_pages_can_be_left_out_and_made_later(tmp_path, capsys):
    arguments = ["--output", tmp_path / "out", "--seed", 7, "--no-pages"]
    assert run("grade", make(tmp_path, "s1"), *arguments) == 0
    assert "pages: " not in capsys.readouterr().out
    assert visible(tmp_path / "out" / "s1") == ["results.json"]
    assert run("report", tmp_path / "out") == 0
    assert capsys.readouterr().out == f"pages: {tmp_path}/out/index.html\n"
    assert visible(tmp_path / "out" / "s1") == ["feedback.html", "feedback.md", "results.json"]


def test_a_result_that_cannot_be_read_is_status_1_and_keeps_no_other_from_its_page(tmp_path, capsys):
    run("grade", make(tmp_path, "s1", "s2"), "--output", tmp_path / "out", "--quiet", "--no-pages")
    (tmp_path / "out" / "s1" / "results.json").write_text("{")
    capsys.readouterr()
    assert run("report", tmp_path / "out") == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {tmp_path}/out/s1/results.json: it is not JSON")
    assert captured.err.count("\n") == 1
    assert captured.out == f"pages: {tmp_path}/out/index.html\n"
    assert visible(tmp_path / "out" / "s2") == ["feedback.html", "feedback.md", "results.json"]


def test_a_page_that_cannot_be_written_is_status_1_and_named(tmp_path, capsys):
    arguments = ["--output", tmp_path / "out", "--seed", 7]
    (tmp_path / "out" / "s1" / "feedback.md").mkdir(parents=True)
    assert run("grade", make(tmp_path, "s1"), *arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {tmp_path}/out/s1/feedback.md: cannot write pages: ")
    assert f"marks: {tmp_path}/out/marks.csv" in captured.out


def test_a_students_failure_is_status_0(tmp_path):
    cohort = make(tmp_path, "s1")
    (cohort / "s2.zip").write_bytes(b"broken")
    assert run("grade", cohort, "--output", tmp_path / "out") == 0
    written = json.loads((tmp_path / "out" / "s2" / "results.json").read_text())
    assert {item["status"] for item in written["items"]} == {"not_submitted"}
    assert written["suite"].startswith("sha256:")
    assert written["sandbox"] == "bwrap"


def test_a_fault_of_the_grader_is_status_1_and_named(tmp_path, capsys):
    assert run("grade", make(tmp_path, "s1", "die"), "--output", tmp_path / "out") == 1
    assert capsys.readouterr().err == "error: not marked through the grader's own fault: die\n"
    assert (tmp_path / "out" / "s1" / "results.json").exists()


def test_options_reach_the_marker(tmp_path):
    arguments = ["--output", tmp_path / "out", "--seed", 5, "--data", "mnist", "--no-sandbox"]
    assert run("grade", make(tmp_path, "s1"), *arguments) == 0
    assert "options:5:mnist:False: " in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("arguments", "waived"),
    [
        ([], []),
        (["--allow-distributions"], ["torch.distributions"]),
        (["--allow-devices"], ["devices written into the code"]),
        (
            ["--allow-distributions", "--allow-devices"],
            ["torch.distributions", "devices written into the code"],
        ),
    ],
)
def test_a_waiver_reaches_the_marker_and_the_results(tmp_path, capsys, arguments, waived):
    cohort = make(tmp_path, "s1", "die")
    (cohort / "broken.zip").write_bytes(b"broken")
    assert run("grade", cohort, "--output", tmp_path / "out", "--seed", 5, *arguments) == 1
    assert f"options:5:digits:True:{'+'.join(waived)} " in (tmp_path / "log").read_text()
    for unmarked in ("broken", "die"):
        assert json.loads((tmp_path / "out" / unmarked / "results.json").read_text())["waived"] == waived
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("waived in this run")]
    assert told == [f"waived in this run: the rule against {rule}" for rule in waived]


def test_a_waived_run_is_status_0(tmp_path):
    assert run("grade", make(tmp_path, "s1"), "--output", tmp_path / "out", "--allow-distributions") == 0


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("value", "passed_on"), [("yes", True), ("no", False), ("", False)])
@pytest.mark.parametrize("rule", ["distributions", "devices"])
def test_make_grade_passes_the_waiver_on(rule, value, passed_on):
    done = make_grade(f"ALLOW_{rule.upper()}={value}")
    assert done.returncode == 0, done.stderr
    assert (f"--allow-{rule}" in done.stdout) == passed_on


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    "option", ["ALLOW_DISTRIBUTIONS=maybe", "DETAILS=1", "FRESH=true", "SUBMISSONS=here"]
)
def test_make_grade_refuses_what_it_does_not_understand(option):
    done = make_grade(option)
    assert done.returncode == 2
    assert option.partition("=")[0] in done.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_grade_takes_a_folder_with_a_space_and_no_for_no():
    done = make_grade("OUTPUT=marked here", "DETAILS=no", "FRESH=no")
    assert done.returncode == 0
    (command,) = (line for line in done.stdout.splitlines() if " -m grader " in line)
    assert shlex.split(command)[3:] == ["grade", "handed in", "--output", "marked here"]


def test_running_unprotected_is_announced(tmp_path, capsys):
    assert run("grade", make(tmp_path, "s1"), "--output", tmp_path / "out", "--no-sandbox") == 0
    assert capsys.readouterr().err.startswith("WARNING: --no-sandbox: submissions run unprotected")


def test_a_fresh_seed_is_shown_and_recorded(tmp_path, capsys):
    cohort = make(tmp_path, "s1")
    seeds = set()
    for _ in range(2):
        assert run("grade", cohort, "--output", tmp_path / "out", "--quiet", "--fresh") == 0
        seeds.add(re.search(r"^regrade with --seed (\d+)$", capsys.readouterr().out, re.MULTILINE)[1])
    assert len(seeds) == 2
    assert all(f"options:{seed}:digits:True" in (tmp_path / "log").read_text() for seed in seeds)


def seed_of(folder: Path) -> int:
    return json.loads((folder / "run.json").read_text())["seed"]


def test_what_was_not_marked_is_gone_on_with_under_the_same_seed(tmp_path, capsys):
    cohort, out = make(tmp_path, "s1", "die"), tmp_path / "out"
    assert run("grade", cohort, "--output", out) == 1
    seed = seed_of(out)
    (tmp_path / "log").write_text("")
    capsys.readouterr()
    assert run("grade", cohort, "--output", out) == 1
    assert seed_of(out) == seed
    told = capsys.readouterr().out
    assert f"continuing the unfinished run, seed {seed} (--fresh starts a new one)" in told
    assert "1 of them already before" in told
    assert "mark:s1" not in (tmp_path / "log").read_text()
    assert run("grade", cohort, "--output", out, "--fresh") == 1
    assert seed_of(out) != seed
    assert "mark:s1" in (tmp_path / "log").read_text()


def test_the_same_seed_marks_nothing_twice_unless_fresh(tmp_path):
    cohort, out = make(tmp_path, "s1"), tmp_path / "out"
    counts = []
    for options in ([], [], ["--fresh"], ["--data", "mnist"], ["--allow-distributions"]):
        assert run("grade", cohort, "--output", out, "--seed", 5, *options) == 0
        counts.append((tmp_path / "log").read_text().count("mark:s1"))
    assert counts == [1, 1, 2, 3, 4]


def test_quiet_and_details(tmp_path, capsys):
    cohort = make(tmp_path)
    cohort.mkdir()
    (cohort / "s1.zip").write_bytes(b"")
    for option, told in (("--quiet", False), ("--details", True), ("--no-details", False)):
        assert run("grade", cohort, "--output", tmp_path / "out", option) == 0
        assert ("s1.zip: the file is empty" in capsys.readouterr().out) == told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grade"], "Missing argument 'PATH"),
        (["grade", "COHORT"], "Missing option '--output'"),
        (["grade", "COHORT", "--output", "OUT", "--sed", "1"], "No such option: --sed"),
        (["grade", "COHORT", "--output", "OUT", "--jobs", "0"], "Invalid value for '--jobs'"),
        (["grade", "COHORT", "--output", "OUT", "--jobs", "two"], "Invalid value for '--jobs'"),
        (["grade", "COHORT", "--output", "OUT", "--seed", "-1"], "Invalid value for '--seed'"),
        (["grade", "COHORT", "--output", "OUT", "--data", "cifar"], "Invalid value for '--data'"),
        (["grade", "NOWHERE", "--output", "OUT"], "nowhere: there is no such file or folder"),
        (["grade", "EMPTY", "--output", "OUT"], "empty: no submissions in it"),
        (["grade", "COHORT", "COHORT", "--output", "OUT"], "given twice"),
        (["grade", "COHORT", "--output", "FILE"], "there is a file of that name"),
        (["grade", "COHORT", "--output", "COHORT"], "also the --output folder"),
        (["grade", "COHORT", "--output", "OUT", "--jobs", "2", "--slurm", "2"], "exclude each other"),
        (["grade", "COHORT", "--output", "OUT", "--dask", "nonsense://"], "no Dask scheduler answers there"),
        (["grade", "COHORT", "--output", "OUT", "--slurm", "0"], "Invalid value for '--slurm'"),
        (["mark"], "No such command 'mark'"),
        (["report"], "Missing argument 'DIR'"),
        (["report", "NOWHERE"], "nowhere: there is no such folder; give the --output folder of a run"),
        (["report", "EMPTY"], "empty: no results in it"),
        (["report", "FILE"], "file: there is no such folder"),
    ],
)
def test_a_mistake_is_status_2_and_one_line(tmp_path, capsys, arguments, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    places = {
        "COHORT": make(tmp_path, "s1"),
        "OUT": tmp_path / "out",
        "NOWHERE": tmp_path / "nowhere",
        "EMPTY": tmp_path / "empty",
        "FILE": tmp_path / "file",
    }
    assert run(*(places.get(argument, argument) for argument in arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("error", "status"), [(GraderUsageError("no MNIST"), 2), (GraderFault("no bubblewrap"), 1)]
)
def test_the_environment_is_checked_before_any_grading(tmp_path, capsys, monkeypatch, error, status):
    def fail(options):
        raise error

    monkeypatch.setattr("grader.grading.run.check_environment", fail)
    assert run("grade", make(tmp_path, "s1"), "--output", tmp_path / "out") == status
    assert capsys.readouterr().err == f"error: {error}\n"
    assert not (tmp_path / "log").exists()


def test_an_output_inside_the_cohort_is_not_graded(tmp_path):
    cohort = make(tmp_path, "s1")
    for _ in range(2):
        assert run("grade", cohort, "--output", cohort / "results", "--seed", 1) == 0
    assert visible(cohort / "results") == ["index.html", "marks.csv", "run.json", "s1"]


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["grade", "--help"], ["grade", "nowhere", "--output", "x"]],
    ids=["help", "verb", "error"],
)
def test_help_and_mistakes_answer_without_torch(arguments):
    code = (
        "import sys; from grader.cli import main; status = main(sys.argv[1:]); "
        "sys.exit(99 if {'torch', 'pytest', 'sklearn'} & set(sys.modules) else status)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, timeout=20)
    assert done.returncode == (2 if "nowhere" in arguments else 0)


def test_help_tells_the_default_number_of_jobs(capsys):
    assert run("grade", "--help") == 0
    assert "as many as processors and memory allow, at most 4" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_status_130_and_keeps_what_is_done(tmp_path, number):
    script = command_line(tmp_path)
    cohort = make(tmp_path, "s1", "s2-sleep")
    process = subprocess.Popen(
        [sys.executable, script, "grade", cohort, "--output", tmp_path / "out", "--jobs", "2"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while (
        not (tmp_path / "out" / "s1" / "results.json").exists()
        or "sleep" not in (tmp_path / "log").read_text()
    ):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stop(process, number)
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 130
    kept = f"the results so far are in {tmp_path}/out; the same command continues from there"
    assert errors == f"interrupted: {kept}\n"
    assert visible(tmp_path / "out") == ["marks.csv", "run.json", "s1"]
    assert visible(tmp_path / "out" / "s1") == ["results.json"]
    assert "close" in (tmp_path / "log").read_text()

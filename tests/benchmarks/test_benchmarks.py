"""The benchmarks' own parts: the cohort, the measuring and the queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from grader.submission import read_submission
from tests.benchmarks import against
from tests.benchmarks.cohort import REPOSITORY, make_cohort
from tests.benchmarks.measure import Cost, keep, measure, read_kept
from tests.engine.fakes import alive


def test_half_of_the_cohort_is_complete_and_no_two_are_alike(tmp_path):
    folder = make_cohort(tmp_path / "cohort", 8)
    submissions = [read_submission(path) for path in sorted(folder.iterdir())]
    assert len({tuple(sorted(one.files.items())) for one in submissions}) == 8
    assert all(len(one.files) == 5 and not one.error for one in submissions)
    left = [b"raise NotImplementedError" in b"".join(one.files.values()) for one in submissions]
    assert left == [False, True] * 4
    assert b"BEGIN SOLUTION" in submissions[3].files["part1/utils.py"]
    assert b"BEGIN SOLUTION" not in submissions[5].files["part1/utils.py"]


def test_a_cost_is_that_of_all_processes():
    code = "import time; held = bytearray(300_000_000); time.sleep(2.5)"

    def action():
        subprocess.run([sys.executable, "-c", code], check=True)

    cost = measure(action)
    assert 2.4 < cost.seconds < 30
    assert cost.peak_bytes > 280_000_000
    assert cost.cpu_seconds > 0


def test_memory_that_was_there_before_does_not_count():
    held = bytearray(300_000_000)
    cost = measure(lambda: time.sleep(1.5))
    assert len(held) > cost.peak_bytes


def test_two_builds_take_turns_and_are_compared_pair_by_pair(tmp_path, monkeypatch):
    asked = []

    def cost_in(place, name, cohort, folder, jobs):
        asked.append((place == REPOSITORY, name))
        slow = 1 + len(asked) // 3  # the machine drifts: it gets slower and slower
        return Cost(
            slow * (2.0 if place == REPOSITORY else 4.0), slow * (3.0 if name == "engine" else 30.0), 0
        )

    monkeypatch.setattr(against, "cost_in", cost_in)
    cohort = make_cohort(tmp_path / "cohort", 2)
    head = against.revision("HEAD")
    costs = against.compare(head, ["engine", "fresh"], cohort, tmp_path, 1, rounds=3)
    assert asked == [
        *((False, "engine"), (True, "engine"), (False, "fresh")),
        *((False, "fresh"), (True, "engine"), (False, "engine")),
        *((False, "engine"), (True, "engine"), (False, "fresh")),
    ]
    assert {key: len(ones) for key, ones in costs.items()} == {"there": 3, "here": 3, "fresh": 3}
    assert not (tmp_path / "other").exists()
    assert against.compare(head, ["engine", "fresh"], cohort, tmp_path, 1, rounds=3) == costs
    assert len(asked) == 9, "what was measured is kept"
    lines = against.table(costs, 2)
    assert lines[2].startswith("| there | 3 | ")
    assert lines[2].endswith(" | 2.00 |"), "the machine's drift is not in the ratio"


def test_a_revision_that_git_does_not_know_is_named():
    command = [sys.executable, "-m", "tests.benchmarks", "--against", "no-such-branch"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: --against no-such-branch: git knows no such commit; fetch it, or give another\n"
    )


def test_a_contender_runs_as_it_is_in_the_other_checkout(tmp_path):
    package = tmp_path / "other" / "tests" / "benchmarks"
    package.mkdir(parents=True)
    (package / "contenders.py").write_text(
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Cost:\n    seconds: float\n    cpu_seconds: float\n    peak_bytes: int\n"
        "CONTENDERS = {'engine': lambda cohort, folder, jobs: Cost(len(str(cohort)), jobs, 7)}\n"
    )
    cost = against.cost_in(tmp_path / "other", "engine", Path("abcd"), tmp_path / "place", 2)
    assert cost == Cost(4, 2, 7)


def test_the_command_tells_its_options():
    command = [sys.executable, "-m", "tests.benchmarks", "--help"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0
    assert "--size" in done.stdout


def test_what_was_measured_is_kept_for_the_same_suites_and_size(tmp_path):
    file = tmp_path / "figures.json"
    about = {"size": 40, "suite": "sha256:1"}
    assert read_kept(file, about) == {}
    cost = asdict(Cost(100.0, 150.0, 3))
    keep(file, about, {"engine, 1": cost})
    assert read_kept(file, about) == {"engine, 1": cost}
    assert read_kept(file, {**about, "size": 6}) == {}
    assert read_kept(file, {**about, "suite": "sha256:2"}) == {}
    file.write_text("{")
    assert read_kept(file, about) == {}


def test_an_epoch_of_lightning_and_the_bare_loop_take_turns():
    """In a process of its own, since it imports part 1. On so few batches the ratio says nothing."""
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.epoch",
        "--batches",
        "1",
        "--epochs",
        "2",
        "--threads",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    assert [line.split(":")[0] for line in done.stderr.splitlines() if line.startswith("pair")] == [
        "pair 1",
        "pair 2",
        "pair 3",
    ]
    assert "training and validation" in done.stdout


def test_the_bare_loop_sees_lightnings_batches():
    code = """
import sys, torch
from pathlib import Path
from tests.benchmarks import epoch
seen = []
original = epoch.bare_loop
def watched(train_pl, loader, seed):
    forward = train_pl.VAE.forward
    def noted(self, images):
        seen.append((self.training and id(self), int(images.sum()), self.encoder.net[0].weight.sum().item()))
        return forward(self, images)
    train_pl.VAE.forward = noted
    return original(train_pl, loader, seed)
epoch.bare_loop = watched
epoch.measure(batches=3, epochs=1, threads=1, data=None)
trained = [batch for batch in seen if batch[0]]
models = {model for model, _, _ in trained}
assert len(models) == 2, models
one, other = ([batch[1:] for batch in trained if batch[0] == model] for model in models)
count = min(len(one), len(other))
print("images", [a[0] for a in one[:count]] == [b[0] for b in other[:count]], count)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, timeout=300
    )
    assert "images True 6" in done.stdout, done.stdout + done.stderr


PROGRAM = """
import sys
from pathlib import Path
from tests.benchmarks.measure import end_with_all_on_sigterm, measure, run

end_with_all_on_sigterm()
child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
shell = f"{sys.executable} -c '{child}'; true"
measure(lambda: run(["sh", "-c", shell], Path("/"), Path(sys.argv[1])))
"""


def test_a_benchmark_that_is_told_to_end_ends_all_that_it_has_started(tmp_path: Path) -> None:
    log = tmp_path / "log"
    benchmark = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, log], env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    )
    until = time.monotonic() + 60
    while not (log.exists() and log.read_text().strip()) and time.monotonic() < until:
        time.sleep(0.02)
    child = int(log.read_text())
    assert alive(child)
    benchmark.terminate()
    assert benchmark.wait(30) == 128 + signal.SIGTERM
    until = time.monotonic() + 10
    while alive(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(child)

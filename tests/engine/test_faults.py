"""What may go wrong around a run, with markers that only pretend: nothing is lost, and every end is clear.

What goes wrong inside the box is in `test_faults_in_the_box.py`, and in the tests of the box itself.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import resource_tracker
from pathlib import Path

import psutil
import pytest

import grader
from grader.engine import Finished, grade_cohort, grade_into, pool, prepare_output
from grader.marking.result import GRADER_ERROR, PASSED

from .fakes import PROVENANCE, alive, cohort, command_line, fake, log_of
from .test_pool import statuses

ROOT = Path(__file__).parent.parent.parent
needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")


def command(folder: Path, *arguments: object) -> list[str]:
    """The command line, with markers that pretend."""
    script = command_line(folder)
    grade = ["grade", folder / "cohort", "--output", folder / "out", "--seed", 7, "--no-pages"]
    return [sys.executable, str(script), *(str(argument) for argument in (*grade, *arguments))]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "FAKE_LOG": str(folder / "log")}


def confined(*options: object) -> list[str]:
    """The whole machine, but for these options of bubblewrap."""
    return ["bwrap", "--dev-bind", "/", "/", *(str(option) for option in options), "--"]


@needs_bubblewrap
def test_a_full_disk_ends_the_run_and_costs_no_result(tmp_path):
    """The output lies on a small disk, of which most is taken when the run begins."""
    names = [f"s{number:02}" for number in range(12)]
    cohort(tmp_path, *names)
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "sequence.sh").write_text(
        f'head -c 102400 /dev/zero > "{out}/filler"\n'
        f'"$@" > "{tmp_path}/first" 2>&1; echo $? >> "{tmp_path}/first"\n'
        f'rm "{out}/filler"\n'
        f'"$@" > "{tmp_path}/second" 2>&1; echo $? >> "{tmp_path}/second"\n'
        f'cat "{out}/marks.csv" > "{tmp_path}/marks.csv"\n'
    )
    # Each result and each note takes a page of 4 kB: all of them 96 kB.
    tmpfs = confined("--size", 163_840, "--tmpfs", out)
    subprocess.run(
        [*tmpfs, "sh", str(tmp_path / "sequence.sh"), *command(tmp_path, "--jobs", 2)],
        env=environment(tmp_path),
        timeout=100,
        check=True,
    )
    first = (tmp_path / "first").read_text().splitlines()
    assert first[-1] == "1"
    assert [line for line in first if line.startswith("error: ")] == [first[-2]]
    assert "cannot write results: No space left on device" in first[-2]
    second = (tmp_path / "second").read_text()
    assert second.endswith("\n0\n"), second
    done = second.count("(marked before)")
    assert 0 < done < len(names), "the disk was full from the beginning, or never"
    assert len((tmp_path / "marks.csv").read_text().splitlines()) == 1 + len(names)
    marked = [line for line in log_of(tmp_path) if line.startswith("mark:")]
    assert len(marked) <= 2 * len(names) - done
    assert not any(alive(int(line.split()[1])) for line in (tmp_path / "log").read_text().splitlines())


@needs_bubblewrap
def test_files_that_cannot_be_read_are_the_graders_fault_and_named(tmp_path):
    """As somebody without the right to read them, which root always has."""
    for found in cohort(tmp_path, "s1", "s2", "s3"):
        (found.path / "part1" / "utils.py").write_text("pass")
    (tmp_path / "cohort" / "s1" / "part1" / "utils.py").chmod(0)
    (tmp_path / "cohort" / "s2" / "part1").chmod(0)
    done = subprocess.run(
        [*confined("--cap-drop", "ALL"), *command(tmp_path, "--details")],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=100,
    )
    (tmp_path / "cohort" / "s2" / "part1").chmod(0o755)
    assert done.returncode == 1
    assert "not marked through the grader's own fault: s1, s2" in done.stderr
    for name in ("s1", "s2"):
        result = json.loads((tmp_path / "out" / name / "results.json").read_text())
        assert "cannot read" in result["items"][0]["checks"][0]["message"]
        assert "Permission denied" in result["items"][0]["checks"][0]["message"]
    assert json.loads((tmp_path / "out" / "s3" / "results.json").read_text())["points"] == 22.5


def test_a_worker_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "WORKER_SECONDS", 2.0)
    began = time.monotonic()
    results = grade_cohort(cohort(tmp_path, "s1", "s2-sleep", "s3"), fake(tmp_path), PROVENANCE, 2)
    assert statuses(results) == {"s1": PASSED, "s2-sleep": GRADER_ERROR, "s3": PASSED}
    assert "was not marked within" in results[1].items[0].checks[0].message
    assert log_of(tmp_path).count("mark:s2-sleep") == 2
    assert time.monotonic() - began < 40


def test_a_worker_that_is_stopped_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "WORKER_SECONDS", 2.0)
    stopped = []

    def stop():
        while not (tmp_path / "log").exists() or "mark:" not in (tmp_path / "log").read_text():
            time.sleep(0.02)
        stopped.extend(process.pid for process in multiprocessing.active_children())
        for process in stopped:
            os.kill(process, signal.SIGSTOP)

    stopper = threading.Thread(target=stop)
    stopper.start()
    results = grade_cohort(cohort(tmp_path, "s1-slow", "s2"), fake(tmp_path), PROVENANCE, 1)
    stopper.join()
    assert statuses(results) == {"s1-slow": PASSED, "s2": PASSED}
    assert stopped
    assert not any(alive(process) for process in stopped)


def test_an_idle_worker_that_dies_is_replaced(tmp_path):
    """Between two submissions: no future tells of it."""
    from grader.engine.slots import LocalSlot

    slot = LocalSlot(fake(tmp_path))
    first, second = cohort(tmp_path, "s1", "s2")
    assert slot.submit(first, PROVENANCE).result().result.marked
    (process,) = multiprocessing.active_children()
    process.kill()
    process.join()
    time.sleep(0.2)
    assert slot.submit(second, PROVENANCE).result().result.marked
    slot.close()


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch, jump):
    """The wall clock may be set at any time; only the one that never jumps is looked at."""
    monkeypatch.setattr(pool, "WORKER_SECONDS", 60.0)
    monkeypatch.setattr(pool, "LOOK_SECONDS", 0.05)
    real, log = time.time, tmp_path / "log"

    def now() -> float:
        in_work = log.exists() and "mark:s1-slow" in log.read_text()
        return real() + (jump if in_work else 0.0)

    monkeypatch.setattr(time, "time", now)
    results = grade_cohort(cohort(tmp_path, "s1-slow", "s2"), fake(tmp_path), PROVENANCE, 1)
    assert statuses(results) == {"s1-slow": PASSED, "s2": PASSED}
    assert log_of(tmp_path).count("mark:s1-slow") == 1, "taken for hanging"


def test_nothing_in_the_grader_reads_the_wall_clock_to_measure():
    package = Path(grader.__file__).parent
    for part in ("engine", "box", "marking", "submission"):
        for file in (package / part).rglob("*.py"):
            assert "time.time()" not in file.read_text(), file


def test_many_submissions_leave_nothing_behind(tmp_path):
    """Descriptors, memory and processes of the grader are the same after 300 submissions as after 50."""
    names = [f"s{number:03}" for number in range(300)]
    me, seen = psutil.Process(), {}
    prepare_output(tmp_path / "out")
    resource_tracker.ensure_running()  # serves every pool of this process, and stays
    before = {child.pid for child in me.children(recursive=True)}

    def measure(event):
        if isinstance(event, Finished):
            done = len(seen.setdefault("names", [])) + 1
            seen["names"].append(event.result.submission)
            # A thread or a file may be there for a moment: what stays is what the lowest of ten counts shows.
            period = next((end for end in (50, 290) if end - 10 < done <= end), None)
            if period:
                workers = [child for child in me.children() if child.pid not in before]
                for process in (me, *sorted(workers, key=lambda child: child.pid)):
                    now = (process.num_fds(), process.num_threads(), process.memory_info().rss)
                    kept = seen.setdefault(period, {}).setdefault(process.pid, now)
                    seen[period][process.pid] = tuple(map(min, kept, now))

    results = grade_into(tmp_path / "out", cohort(tmp_path, *names), fake(tmp_path), PROVENANCE, 2, measure)
    assert all(result.marked for result in results)
    assert seen[50].keys() == seen[290].keys()
    for process, early in seen[50].items():
        late = seen[290][process]
        assert late[0] <= early[0] + 2, "file descriptors"
        assert late[1] <= early[1], "threads"
        assert late[2] <= early[2] + 8 * 2**20, "memory"
    assert {child.pid for child in me.children(recursive=True)} <= before

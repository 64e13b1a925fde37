"""A whole run: what is on the disk afterwards, also when it was cut short."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.engine import grade_into, prepare_output
from grader.errors import GraderFault, GraderUsageError

from .fakes import PROVENANCE, alive, cohort, fake, log_of


def tree(folder: Path) -> list[str]:
    """What a user looks at: without the notes on what can be reused."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path) for path in files if path.parts[0] not in (".reuse", "run.json"))


def rows(output: Path) -> list[list[str]]:
    with open(output / "marks.csv", newline="") as file:
        return list(csv.reader(file))


def test_results_of_all_and_nothing_else(tmp_path):
    output = tmp_path / "deep" / "output"
    prepare_output(output)
    results = grade_into(output, cohort(tmp_path, "s1", "broken", "die"), fake(tmp_path), PROVENANCE, 2)
    assert [result.submission for result in results] == ["s1", "broken", "die"]
    assert tree(output) == ["broken/results.json", "die/results.json", "marks.csv", "s1/results.json"]
    written = json.loads((output / "s1" / "results.json").read_text())
    assert written == json.loads(json.dumps(results[0].to_json()))
    assert [row[0] for row in rows(output)] == ["submission", "s1", "broken", "die"]


def test_a_result_that_is_no_number_becomes_a_fault_of_the_grader(tmp_path):
    prepare_output(tmp_path / "output")
    results = grade_into(tmp_path / "output", cohort(tmp_path, "nan", "s1"), fake(tmp_path), PROVENANCE)
    assert [result.marked for result in results] == [False, True]
    written = json.loads((tmp_path / "output" / "nan" / "results.json").read_text())
    assert written["items"][0]["status"] == "grader_error"


def test_a_result_is_on_the_disk_before_it_is_announced(tmp_path):
    output = tmp_path / "output"
    prepare_output(output)
    seen = []
    grade_into(
        output, cohort(tmp_path, "s1"), fake(tmp_path), PROVENANCE, 1, lambda event: seen.append(tree(output))
    )
    assert seen == [[], ["s1/results.json"]]


def test_results_are_never_written_through_a_link(tmp_path):
    output = tmp_path / "output"
    (tmp_path / "elsewhere").mkdir()
    prepare_output(output)
    (output / "s1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GraderFault, match="never written outside --output"):
        grade_into(output, cohort(tmp_path, "s1"), fake(tmp_path), PROVENANCE)
    assert tree(tmp_path / "elsewhere") == []


def test_an_output_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(
            GraderUsageError, match=r"--output .*file.*: there is a file of that name; give a folder"
        ):
            prepare_output(output)


def test_an_output_that_cannot_be_written(tmp_path, monkeypatch):
    def deny(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("grader.engine.run.tempfile.TemporaryFile", deny)
    with pytest.raises(GraderUsageError, match=r"--output .*: cannot write there: Permission denied"):
        prepare_output(tmp_path / "output")


RUN = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from engine.fakes import PROVENANCE, cohort, fake
from grader.engine import grade_into, prepare_output
if __name__ == "__main__":
    folder = Path({folder!r})
    prepare_output(folder / "output")
    submissions = cohort(folder, "s1", "s2-sleep", "s3-sleep", "s4")
    try:
        grade_into(folder / "output", submissions, fake(folder), PROVENANCE, 2)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def start_a_run(folder: Path) -> subprocess.Popen:
    """A run in a process of its own, at the point where one submission is done and two are in work."""
    script = folder / "run.py"
    script.write_text(RUN.format(tests=str(Path(__file__).parent.parent), folder=str(folder)))
    root = Path(__file__).parent.parent.parent
    process = subprocess.Popen(
        [sys.executable, script],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.DEVNULL,  # a killed run's semaphores are cleaned up with a warning
    )
    deadline = time.monotonic() + 20
    while not (folder / "log").exists() or sum("sleep" in line for line in log_of(folder)) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


def workers(folder: Path) -> set[int]:
    return {int(line.split()[1]) for line in (folder / "log").read_text().splitlines()}


def all_end(processes: set[int], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while any(alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(alive(process) for process in processes)


def test_an_interrupt_keeps_what_is_done_and_leaves_no_process(tmp_path):
    process = start_a_run(tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 130
    assert tree(tmp_path / "output") == ["marks.csv", "s1/results.json"]
    assert [row[0] for row in rows(tmp_path / "output")] == ["submission", "s1"]
    assert all_end(workers(tmp_path), 0)
    assert log_of(tmp_path).count("close") == log_of(tmp_path).count("made") == 2


def test_workers_end_when_the_run_is_killed(tmp_path):
    process = start_a_run(tmp_path)
    process.kill()
    process.wait()
    assert all_end(workers(tmp_path))
    assert log_of(tmp_path).count("close") == 2

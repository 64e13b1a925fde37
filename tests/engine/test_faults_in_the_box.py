"""What students' code, or the machine, may do to a run with real boxes: only the one who did it pays for it.

All of it is slow: `make test-all TESTS=tests/engine/test_faults_in_the_box.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.bank.hostile import HOSTILE
from tests.bank.hostile_entry import RIGHT, STUBS, UTILS, in_kld, write_folder
from tests.box.host import family, remaining

ROOT = Path(__file__).resolve().parents[2]
SEED = 20
SIDE_BY_SIDE = 20  # hostile ones, and as many honest ones
TINY = 1000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap"),
]

Watch = Callable[[psutil.Process, float], None]


def grade(
    cohort: Path, output: Path, *options: object, watch: Watch = lambda run, seconds: None
) -> dict[str, Any]:
    """Grade as a user would, and see that nothing of the run is left. The results, without times.

    Args:
        cohort: what to mark.
        output: where to.
        options: of the command line.
        watch: called five times a second with the run's process and how long it has gone on.
    """
    command = [sys.executable, "-m", "grader", "grade", cohort, "--output", output, "--seed", SEED]
    command += ["--no-details", "--no-pages", *options]
    seen: set[tuple[int, str]] = set()
    with tempfile.TemporaryFile("w+") as log:
        run = subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
        began = time.monotonic()
        while run.poll() is None:
            seen |= family(run.pid)
            watch(psutil.Process(run.pid), time.monotonic() - began)
            time.sleep(0.2)
        log.seek(0)
        assert run.returncode == 0, log.read()
    assert not remaining(seen), "the run has left processes behind"
    return results_in(output)


def results_in(output: Path) -> dict[str, Any]:
    results = {path.parent.name: json.loads(path.read_text()) for path in output.glob("*/results.json")}
    for result in results.values():
        del result["seconds"]
        result.pop("memory_mb", None)
    return results


def kld(result: dict[str, Any]) -> dict[str, Any]:
    return next(item for item in result["items"] if item["id"] == "1.7.kld")


RIGHT_KLD = f"\ndef KLD(mean, log_std):\n    return {RIGHT}\n"
DEEDS = {
    "takes-all-memory": "hoard = [bytearray(2**28) for _ in range(400)]",
    "ends-its-process": "import os; os._exit(0)",
    "never-ends": "while True: pass",
    "floods": "import sys\nfor _ in range(3000): sys.stdout.write('x' * 2**20)",
    "floods-its-disk": "with open('/tmp/flood', 'wb') as file:\n    while True: file.write(bytes(2**20))",
}


def test_who_breaks_the_session_pays_for_it_alone(tmp_path: Path) -> None:
    for name, body in DEEDS.items():
        write_folder(tmp_path / "cohort" / name, {UTILS: in_kld(body)}, {})
    for name in ("honest-1", "honest-2"):
        write_folder(tmp_path / "cohort" / name, {UTILS: RIGHT_KLD}, {})
    results = grade(tmp_path / "cohort", tmp_path / "output", "--jobs", 2)
    for name in ("honest-1", "honest-2"):
        assert kld(results[name])["status"] == "passed"
    for name in DEEDS:
        item = kld(results[name])
        assert item["points"] == 0
        assert item["status"] == "failed", item
        assert all(check["message"] for check in item["checks"])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A cohort of one complete submission, and its result."""
    cohort = tmp_path_factory.mktemp("cohort")
    shutil.copytree(ROOT / "solutions" / "part1", cohort / "solved" / "part1")
    shutil.copytree(ROOT / "solutions" / "part2", cohort / "solved" / "part2")
    return cohort, grade(cohort, tmp_path_factory.mktemp("undisturbed"), "--jobs", 1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_box_that_dies_or_hangs_costs_nothing(
    tmp_path: Path, undisturbed: tuple[Path, dict[str, Any]], number: signal.Signals
) -> None:
    """The template, too: it is what bubblewrap runs."""
    cohort, expected = undisturbed
    struck: list[int] = []

    def strike(run: psutil.Process, seconds: float) -> None:
        if struck:
            return
        boxed = [child for child in run.children(recursive=True) if child.name() == "bwrap"]
        sessions = [child for box in boxed for child in box.children(recursive=True)]
        if len(sessions) >= 3:  # bubblewrap's inner process, the template, and a session in work
            struck.extend(child.pid for child in (*boxed, *sessions))
            for process in struck:
                os.kill(process, number)

    assert grade(cohort, tmp_path / "output", "--jobs", 1, watch=strike) == expected
    assert struck


def test_honest_marks_are_the_same_beside_hostile_ones(tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    subprocess.run(
        [sys.executable, ROOT / "tests" / "submissions" / "make_cohort.py", sample], check=True, cwd=ROOT
    )
    (sample / "zipped.zip").unlink()
    shutil.rmtree(sample / "hostile")
    kinds = sorted(path for path in sample.iterdir())
    honest, mixed = tmp_path / "honest", tmp_path / "mixed"
    for number in range(SIDE_BY_SIDE):
        kind = kinds[number % len(kinds)]
        for cohort in (honest, mixed):
            shutil.copytree(kind, cohort / f"{number:02}-{kind.name}")
    entries = [entry for entry in HOSTILE if entry.write is None]
    step = max(1, len(entries) // SIDE_BY_SIDE)
    chosen = entries[::step][:SIDE_BY_SIDE]
    for number, entry in enumerate(chosen):
        write_folder(mixed / f"{number:02}-x-hostile", entry.code, entry.files)
    alone = grade(honest, tmp_path / "alone", "--jobs", 2)
    beside = grade(mixed, tmp_path / "beside", "--jobs", 2)
    assert len(alone) == SIDE_BY_SIDE
    assert len(beside) == SIDE_BY_SIDE + len(chosen)
    assert {name: beside[name] for name in alone} == alone


def test_a_thousand_tiny_submissions_leave_nothing_behind(tmp_path: Path) -> None:
    """Memory, descriptors and processes of the run and its boxes do not grow from early on to the end."""
    stub = (STUBS / "part1" / "utils.py").read_text()
    for number in range(TINY):
        folder = tmp_path / "cohort" / f"s{number:04}" / "part1"
        folder.mkdir(parents=True)
        (folder / "utils.py").write_text(f"{stub}\n# {number}\n")
    measured: list[tuple[int, int, int, int]] = []

    def measure(run: psutil.Process, seconds: float) -> None:
        done = sum(1 for _ in (tmp_path / "output").glob("*/results.json"))
        everyone = [run, *run.children(recursive=True)]
        lasting = [process for process in everyone if process.is_running()]
        memory = descriptors = 0
        for process in lasting:
            try:
                memory += process.memory_full_info().pss
                descriptors += process.num_fds()
            except psutil.Error:
                continue
        measured.append((done, memory, descriptors, len(lasting)))

    results = grade(tmp_path / "cohort", tmp_path / "output", "--jobs", 2, watch=measure)
    assert len(results) == TINY
    assert {item["status"] for item in kld(results["s0000"])["checks"]} == {"not_implemented"}
    early = [figures for figures in measured if 0.1 * TINY < figures[0] <= 0.3 * TINY]
    late = [figures for figures in measured if figures[0] > 0.8 * TINY]
    for column, allowance in ((1, 100 * 2**20), (2, 10), (3, 2)):
        assert max(row[column] for row in late) <= max(row[column] for row in early) + allowance, column

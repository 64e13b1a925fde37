"""The tests in two processes: each is run once, whatever becomes of it, and counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.engine.fakes import alive

ROOT = Path(__file__).resolve().parents[1]
FILE = """
import os, time
import pytest

@pytest.fixture(scope="module")
def once(tmp_path_factory):
    with open("made", "a") as file:
        file.write(f"{__name__}\\n")

@pytest.mark.parametrize("number", range(3))
def test_it(once, number):
    with open("ran", "a") as file:
        file.write(f"{__name__} {number} {os.getpid()}\\n")
    time.sleep(0.3)
"""


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Run the tests in a folder of their own, in two processes."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.Popen(
        [sys.executable, "-m", "tests.two_processes", "-q", "-p", "no:cacheprovider", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_every_test_is_run_once_in_the_order_of_its_file(tmp_path: Path) -> None:
    names = [f"test_{letter}" for letter in "abcdef"]
    for name in names:
        (tmp_path / f"{name}.py").write_text(FILE)
    (tmp_path / "test_c.py").write_text(FILE + "\ndef test_wrong():\n    assert not 'wrong'\n")
    (tmp_path / "test_d.py").write_text(FILE + "\ndef test_skipped():\n    pytest.skip('no')\n")
    run = start(tmp_path)
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 1
    ran = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    assert sorted(line[:2] for line in ran) == [[name, str(number)] for name in names for number in range(3)]
    assert len({process for _, _, process in ran}) == 2
    for name in names:  # a file's tests stay together, as its fixtures do
        assert [number for other, number, _ in ran if other == name] == ["0", "1", "2"]
        assert len({process for other, _, process in ran if other == name}) == 1
    assert sorted((tmp_path / "made").read_text().split()) == names
    assert "test_c.py::test_wrong" in said
    assert said.splitlines()[-1].startswith("===== both: 1 failed, 18 passed, 1 skipped in ")


def test_a_process_that_is_killed_is_no_success(tmp_path: Path) -> None:
    killed = "import os\n\ndef test_it():\n    open('begun', 'w')\n    os.kill(os.getpid(), 9)\n"
    (tmp_path / "test_a.py").write_text(killed)
    # Whoever is there first must not come to both.
    waits = "import os\n\ndef test_it():\n    while not os.path.exists('begun'):\n        pass\n"
    (tmp_path / "test_b.py").write_text(waits)
    run = start(tmp_path)
    said, _ = run.communicate(timeout=120)
    assert run.returncode == signal.SIGKILL
    assert "1 passed" in said.splitlines()[-1]


def test_asked_to_stop_it_leaves_no_process(tmp_path: Path) -> None:
    code = "import os, time\n\ndef test_it():\n    open(f'{os.getpid()}.pid', 'w')\n    time.sleep(60)\n"
    for name in ("test_a", "test_b"):
        (tmp_path / f"{name}.py").write_text(code)
    run = start(tmp_path)
    until = time.monotonic() + 60
    while len(found := list(tmp_path.glob("*.pid"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert len(found) == 2
    run.terminate()
    run.communicate(timeout=60)
    assert run.returncode == 128 + signal.SIGTERM
    assert not any(alive(int(file.stem)) for file in found)


def test_files_that_are_named_are_run_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(FILE)
    run = start(tmp_path, "test_a.py")
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 0
    assert "both" not in said
    assert "3 passed" in said

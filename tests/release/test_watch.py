"""The public tests on every save: the verdict on the code as it is now, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import psutil
import pytest

from grader.release import bundle

SOLUTIONS = Path(__file__).parents[2] / "solutions"
QUIET = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
END = "Waiting for the next save"
RIGHT, WRONG = "math.log2(math.e)", "math.log(2)"
PATIENCE = 120  # seconds for a run, on a busy machine


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release with the solutions in it."""
    folder = tmp_path_factory.mktemp("release")
    zipfile.ZipFile(BytesIO(bundle.pack(bundle.contents()))).extractall(folder)
    for part in ("part1", "part2"):
        shutil.copytree(SOLUTIONS / part, folder / bundle.NAME / part, dirs_exist_ok=True)
    return folder / bundle.NAME


class Watched:
    """`check.py --watch` at work in a folder."""

    def __init__(self, folder: Path, question: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "check.py", question, "--watch"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=QUIET,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def report(self) -> str:
        """What the next run that comes to its end prints."""
        lines = [self._lines.get(timeout=PATIENCE)]
        while not lines[-1].startswith(END):
            lines.append(self._lines.get(timeout=PATIENCE))
        return "".join(lines)

    def family(self) -> list[psutil.Process]:
        """Every process of it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            watching = psutil.Process(self.process.pid)
            return [watching, *watching.children(recursive=True)]
        return []

    def spare(self) -> None:
        """Wait until a spare process is there."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if len(self.family()) > 1:
                return
            time.sleep(0.05)
        raise AssertionError("there is no spare process")

    def end(self) -> str:
        """Ctrl+C; what is printed after it."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        rest = []
        with contextlib.suppress(queue.Empty):
            while True:
                rest.append(self._lines.get(timeout=0.2))
        return "".join(rest)


@pytest.fixture
def watched(unpacked: Path) -> Iterator[Watched]:
    """A watch of one item that is right."""
    utils = unpacked / "part1" / "utils.py"
    right = utils.read_text()
    watching = Watched(unpacked, "1.7.bpd")
    try:
        assert "In reach: 1 of 1 points" in watching.report()
        yield watching
    finally:
        for process in watching.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        watching.process.wait()
        utils.write_text(right)


def save(watched: Watched, old: str, new: str) -> None:
    utils = watched.folder / "part1" / "utils.py"
    text = utils.read_text()
    assert text.count(old) == 1
    utils.write_text(text.replace(old, new))


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=20)[1]


@pytest.mark.slow
def test_every_save_is_judged_as_it_is_and_ctrl_c_leaves_nothing(watched: Watched) -> None:
    for old, new, points in ((RIGHT, WRONG, 0), (WRONG, RIGHT, 1), (RIGHT, WRONG, 0)):
        watched.spare()
        save(watched, old, new)
        assert f"In reach: {points} of 1 points" in watched.report()
    watched.spare()
    family = watched.family()
    rest = watched.end()
    assert watched.process.returncode == 0
    assert "Traceback" not in rest
    assert gone(family)


FAULTS = {
    "hangs": "while True: pass",
    "exits": "import os; os._exit(3)",
    "dies": "import os; os.kill(os.getpid(), 11)",
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_that_goes_wrong_ends_with_the_next_save(watched: Watched, fault: str) -> None:
    watched.spare()
    save(watched, "    dimensions = ", f"    {FAULTS[fault]}\n    dimensions = ")
    if fault == "hangs":
        time.sleep(3)  # it does so by now
    else:
        assert "Your code has ended Python" in watched.report()
    (watched.folder / "part1" / "utils.py").write_text((SOLUTIONS / "part1" / "utils.py").read_text())
    assert "In reach: 1 of 1 points" in watched.report()


@pytest.mark.slow
def test_a_changed_test_is_read_anew(watched: Watched) -> None:
    watched.spare()
    test = watched.folder / "tests" / "test_1_7_bpd.py"
    before = test.read_text()
    try:
        test.write_text(before + "\n\ndef test_of_my_own():\n    assert False, 'mine'\n")
        assert "mine" in watched.report()
    finally:
        test.write_text(before)


@pytest.mark.slow
def test_a_spare_process_ends_with_the_one_that_watches(watched: Watched) -> None:
    watched.spare()
    family = watched.family()
    watched.process.kill()
    assert gone(family)


def test_the_items_of_a_changed_file_come_first(unpacked: Path) -> None:
    done = subprocess.run(
        [sys.executable, "check.py", "1.7", "--spare"],
        cwd=unpacked,
        input='["part1/cnn_encoder_decoder.py"]\n',
        capture_output=True,
        text=True,
        env=QUIET,
    )
    early = [line.split()[:2] for line in done.stdout.splitlines()[:2]]
    assert early == [["1.7.encoder", "done"], ["1.7.decoder", "done"]]
    assert done.returncode == 0

"""A worker process of the bank ends with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.engine.fakes import alive

ROOT = Path(__file__).parents[2]
# A marker is not started by the worker's beginning: it takes the place of the box.
PROGRAM = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from tests.bank import worker

class Box:
    def close(self):
        open(sys.argv[1], "w").write("closed")
        raise RuntimeError("in the middle of something")

def give_box(file):
    sys.argv[1:] = [file]
    worker._MARKERS["marker"] = Box()
    return os.getpid()

def mark():
    while True:
        try:
            time.sleep(60)
        except Exception:
            pass  # as marking does, with whatever goes wrong in a check

if __name__ == "__main__":
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=worker.start) as pool:
        number = pool.submit(give_box, sys.argv[1]).result()
        pool.submit(mark)
        time.sleep(0.5)
        print(number, flush=True)
        time.sleep(60)
"""


def test_a_bank_that_is_told_to_end_leaves_no_worker_and_no_box(tmp_path: Path) -> None:
    program, closed = tmp_path / "program.py", tmp_path / "closed"
    program.write_text(PROGRAM)
    bank = subprocess.Popen(
        [sys.executable, program, closed],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert bank.stdout is not None
    with bank:
        worker = int(bank.stdout.readline())
        bank.terminate()
    until = time.monotonic() + 10
    while alive(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(worker)
    assert closed.read_text() == "closed"

"""How much memory a submission's code takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from grader.box.client import Session
from grader.box.launcher import Box
from grader.box.processes import descendants
from grader.engine import grade_into, prepare_output
from grader.engine.memory import PeakMemory

from .fakes import PROVENANCE, FakeMarker, cohort, result_for

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the system has no /proc")

HOLD = "import time; held = bytearray(200_000_000); {after}; time.sleep(0.5)"
GRANDCHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD.format(after='pass')!r}])"


@pytest.mark.parametrize("code", [HOLD.format(after="pass"), HOLD.format(after="del held"), GRANDCHILD])
def test_the_highest_peak_of_all_processes_below_counts(code):
    with PeakMemory() as peak:
        subprocess.run([sys.executable, "-c", code], check=True)
    assert peak.megabytes is not None
    assert 200 < peak.megabytes < 240


def test_what_began_before_does_not_count():
    with subprocess.Popen([sys.executable, "-c", HOLD.format(after="pass")]) as process:
        time.sleep(0.3)
        with PeakMemory() as peak:
            subprocess.run([sys.executable, "-c", "import time; time.sleep(0.3)"], check=True)
        process.kill()
    assert peak.megabytes is not None
    assert peak.megabytes < 50


HUNGRY = b"""
import torch

def take(megabytes):
    return torch.ones(megabytes * 250_000).sum()
"""


def test_sessions_in_a_box_count_and_its_template_does_not():
    box = None
    peaks = []
    for megabytes in (1, 400):
        with PeakMemory() as peak:
            if box is None:
                box = Box()  # as when the last one was broken
            session = Session(box)
            session.files({"part1/utils.py": HUNGRY})
            session.enter("part1")
            session.load("utils").take(megabytes)
            time.sleep(0.3)
            session.close()
        peaks.append(peak.megabytes)
    box.close()
    assert 360 < peaks[1] - peaks[0] < 440, peaks


def test_without_processes_there_is_no_peak():
    with PeakMemory() as peak:
        time.sleep(0.3)
    assert peak.megabytes is None


def test_a_process_that_is_gone_is_passed_over():
    process = subprocess.Popen([sys.executable, "-c", ""])
    assert process.pid in set(descendants(os.getpid()))
    process.wait()
    assert process.pid not in set(descendants(os.getpid()))
    assert list(descendants(process.pid)) == []


class Hungry(FakeMarker):
    """Runs a process that takes memory, for some."""

    def mark(self, submission):
        if "hungry" in submission.name:
            subprocess.run([sys.executable, "-c", HOLD.format(after="pass")], check=True)
        return result_for(submission.name)


def test_each_result_records_its_own_peak_and_keeps_it(tmp_path):
    submissions = cohort(tmp_path, "hungry", "modest")
    prepare_output(tmp_path / "output")
    factory = partial(Hungry, tmp_path / "log")
    for _ in range(2):
        grade_into(tmp_path / "output", submissions, factory, PROVENANCE)
        told = {
            name: json.loads(Path(tmp_path, "output", name, "results.json").read_text()).get("memory_mb")
            for name in ("hungry", "modest")
        }
        assert 200 < told["hungry"] < 240
        assert told["modest"] is None

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

from grader.engine import grade_into, prepare_output
from grader.engine.memory import PeakMemory, descendants, peak_of

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


def test_without_processes_there_is_no_peak():
    with PeakMemory() as peak:
        time.sleep(0.3)
    assert peak.megabytes is None


def test_a_process_that_is_gone_is_passed_over():
    process = subprocess.Popen([sys.executable, "-c", ""])
    assert process.pid in set(descendants(os.getpid()))
    process.wait()
    assert process.pid not in set(descendants(os.getpid()))
    assert peak_of(process.pid) is None
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

"""Workers that Slurm starts, where sbatch and scancel only pretend to have a cluster."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.engine import grade_cohort
from grader.engine.slurm import slurm_workers
from grader.engine.slurm_jobs import queued_jobs
from grader.errors import GraderFault, GraderUsageError
from grader.marking.result import PASSED

from .fakes import PROVENANCE, cohort, fake, log_of
from .test_cluster import all_end, marking_processes
from .test_pool import statuses

# A job is a process group of its own, whose number is the job's.
SBATCH = """#!/bin/sh
if [ "$1" = --test-only ]; then grep -q '^#SBATCH --cpus-per-task=1' && exit 0 || exit 1; fi
cp "$1" "$0.job.$$"
PYTHONPATH="{path}" setsid sh "$0.job.$$" >/dev/null 2>&1 &
echo $! >> "{folder}/jobs"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -- "-$1"
"""
SQUEUE = """#!/bin/sh
for job in $(cat "{folder}/jobs" 2>/dev/null); do
    case "$(ps -o stat= -p "$job")" in
        ""|Z*) echo "$job|FAILED|NonZeroExitCode|here" ;;
        *) echo "$job|RUNNING|None|here" ;;
    esac
done
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs = tmp_path / "bin"
    programs.mkdir()
    path = os.pathsep.join(part for part in sys.path if part)
    written = {
        "sbatch": SBATCH.format(path=path, folder=tmp_path),
        "scancel": SCANCEL,
        "squeue": SQUEUE.format(folder=tmp_path),
    }
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, text in written.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    return programs


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_slurm_starts_the_workers_and_ends_them(tmp_path, slurm):
    pytest.importorskip("dask_jobqueue")
    names = [f"s{number}-slow" for number in range(4)]
    told = []
    factory = fake(tmp_path)
    results = grade_cohort(
        cohort(tmp_path, *names), factory, PROVENANCE, workers=slurm_workers(2, factory, told.append)
    )
    assert statuses(results) == dict.fromkeys(names, PASSED)
    assert told == ["--slurm: waiting for workers"]
    assert log_of(tmp_path).count("made") == 2
    jobs = [int(line) for line in (tmp_path / "jobs").read_text().split()]
    assert len(jobs) == 2
    assert not list((tmp_path / "cache" / "grader").iterdir()), "neither keys nor logs are left"
    assert all_end(marking_processes(tmp_path) | set(jobs))


@pytest.mark.timeout(60)
def test_a_slurm_that_refuses_is_told(tmp_path, slurm):
    pytest.importorskip("dask_jobqueue")
    (slurm / "sbatch").write_text("#!/bin/sh\necho 'Invalid account' >&2\nexit 1\n")
    with pytest.raises(GraderFault, match=r"--slurm: .*Invalid account"):
        grade_cohort(
            cohort(tmp_path, "s1"),
            fake(tmp_path),
            PROVENANCE,
            workers=slurm_workers(1, fake(tmp_path), lambda message: None),
        )


def test_without_dask_jobqueue(tmp_path, slurm, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(GraderUsageError, match=r"--slurm needs the package dask-jobqueue.*pip install"):
        slurm_workers(1, fake(tmp_path), lambda message: None)


def test_without_slurm(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GraderUsageError, match="--slurm: there is no sbatch here"):
        slurm_workers(1, fake(tmp_path), lambda message: None)


def test_the_pretended_slurm_pretends_well(slurm, tmp_path):
    (tmp_path / "job").write_text("sleep 60\n")
    done = subprocess.run(
        ["sbatch", tmp_path / "job"], capture_output=True, text=True, check=True, timeout=10
    )
    number = done.stdout.split()[-1]
    assert not all_end({int(number)}, 0.2)
    assert queued_jobs("any")[number].state == "RUNNING"
    subprocess.run(["scancel", number], check=True, timeout=10)
    assert all_end({int(number)}, 5)
    assert queued_jobs("any")[number].state == "FAILED"

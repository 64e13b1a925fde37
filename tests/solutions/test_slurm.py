"""Trainings on a cluster with Slurm: Lightning has nothing to warn of, whether `srun` started it or not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.solutions.small_mnist import VALIDATION, write_mnist
from tests.solutions.test_interrupted import SOLUTIONS, command

JOB = {
    "SLURM_JOB_ID": "17",
    "SLURM_JOB_NAME": "vae",
    "SLURM_NTASKS": "1",
    "SLURM_NTASKS_PER_NODE": "1",
    "SLURM_NNODES": "1",
    "SLURM_NODELIST": "localhost",
    "SLURM_CPUS_PER_TASK": "2",
}
TASK = {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_STEP_ID": "0"}


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="beside Slurm"),
        pytest.param(JOB, id="in a batch script", marks=pytest.mark.slow),
        pytest.param(JOB | TASK, id="under srun", marks=pytest.mark.slow),
    ],
)
def test_lightning_warns_of_nothing(tmp_path: Path, variables: dict[str, str]) -> None:
    (tmp_path / "bin").mkdir()
    srun = tmp_path / "bin" / "srun"
    srun.write_text('#!/bin/sh\nexec "$@"\n')
    srun.chmod(0o755)
    data = write_mnist(tmp_path / "data", train=VALIDATION + 128)
    done = subprocess.run(
        command(1, data, tmp_path, epochs=1),
        cwd=SOLUTIONS / "part1",
        env={**os.environ, **variables, "PATH": f"{srun.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""

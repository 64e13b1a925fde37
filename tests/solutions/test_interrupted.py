"""Trainings as processes: killed, interrupted, or on a full disk. What was computed is kept."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.solutions.small_mnist import VALIDATION, write_mnist

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
SCRIPTS = {
    # Few weights, so that an epoch is short; 6 of them, so that a signal comes before the end.
    1: ["train_pl.py", "--z_dim", "2", "--num_filters", "1", "--batch_size", "64"],
    2: ["train.py", "--z_dim", "2", "--no-cuda"],
}
FOLDER = {1: "z_dim_2_num_filters_1_batch_size_64", 2: "z_dim_2_lambda_0.995"}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_mnist(tmp_path_factory.mktemp("mnist"), train=VALIDATION + 640)


@pytest.fixture(scope="module")
def little(tmp_path_factory) -> Path:
    return write_mnist(tmp_path_factory.mktemp("little"), train=640)


def command(part: int, data: Path, place: Path, epochs: int) -> list[str]:
    return [
        *(sys.executable, *SCRIPTS[part], "--data_dir", str(data), "--epochs", str(epochs)),
        *("--log_dir", str(place / "logs"), "--figures", str(place / "figures"), "--no-progress_bar"),
    ]


def start(part: int, data: Path, place: Path, epochs: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(part, data, place, epochs),
        cwd=SOLUTIONS / f"part{part}",
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


CHECKPOINT = {1: "last.ckpt", 2: "checkpoint.pt"}


def rows(part: int, place: Path) -> list[dict[str, str]]:
    """The table of metrics without the seconds, and without the untrained model's row."""
    table = place / "logs" / FOLDER[part] / "metrics.csv"
    lines = table.read_text().splitlines() if table.exists() else []
    found = list(csv.DictReader(lines))
    return [{name: row[name] for name in row if name != "seconds"} for row in found if row["epoch"] != "0"]


def signalled(process: subprocess.Popen[str], number: int, part: int, place: Path) -> tuple[int, str]:
    """Sends a signal once two epochs are done; exit status and messages."""
    deadline = time.monotonic() + 400
    while len(rows(part, place)) < 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    while True:
        process.send_signal(number)
        try:
            _, errors = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            # Now and then torch 2.15 loses a Ctrl-C that comes while it saves: one presses it again.
            assert time.monotonic() < deadline
            continue
        return process.returncode, errors


@pytest.mark.slow
@pytest.mark.parametrize("part", [1, 2])
def test_a_killed_training_goes_on_with_the_same_command(part, data, little, tmp_path):
    images = data if part == 1 else little
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    undisturbed = start(part, images, whole, 6)
    killed = start(part, images, parts, 6)
    assert signalled(killed, signal.SIGKILL, part, parts)[0] == -signal.SIGKILL
    finished = len(rows(part, parts))
    assert 2 <= finished < 6
    again = start(part, images, parts, 6)
    output, errors = again.communicate(timeout=400)
    assert again.returncode == 0, errors
    assert "of 6 epochs are done already" in output
    assert undisturbed.wait(timeout=400) == 0
    assert rows(part, parts) == rows(part, whole)
    one, other = (
        torch.load(place / "logs" / FOLDER[part] / CHECKPOINT[part], weights_only=True)
        for place in (whole, parts)
    )
    one, other = (state["state_dict" if part == 1 else "model"] for state in (one, other))
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert sorted(file.name for file in (parts / "figures").iterdir())
    for figure in (parts / "figures").iterdir():
        assert figure.read_bytes() == (whole / "figures" / figure.name).read_bytes(), figure.name


@pytest.mark.parametrize("part", [1, 2])
def test_ctrl_c_keeps_what_was_computed_and_says_how_to_go_on(part, data, little, tmp_path):
    process = start(part, data if part == 1 else little, tmp_path, 1000)
    status, errors = signalled(process, signal.SIGINT, part, tmp_path)
    assert status == 130
    assert "Traceback" not in errors
    assert "the same command goes on" in errors
    folder = tmp_path / "logs" / FOLDER[part]
    assert str(folder) in errors
    assert (folder / CHECKPOINT[part]).exists()


@pytest.mark.slow
@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0
    if shutil.which("unshare")
    else True,
    reason="no user namespaces: a small disk cannot be mounted",
)
def test_a_full_disk_is_told_and_the_epochs_before_it_are_kept(part, data, little, tmp_path):
    """The disk has room for the first checkpoints; then something else fills it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    training = " ".join(command(part, data if part == 1 else little, disk, 1000))
    folder = disk / "logs" / FOLDER[part]
    first = folder / CHECKPOINT[part]
    script = f"""
        mount -t tmpfs -o size=40m none {disk}
        (until [ -e {first} ]; do sleep 0.05; done; cat /dev/zero > {disk}/other) 2>/dev/null &
        {training}
        echo status $?
        wait
        rm {disk}/other
        {training.replace("--epochs 1000", "--epochs 1")}
        echo status $?
    """
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        cwd=SOLUTIONS / f"part{part}",
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.stdout.count("status 1") == 1, done
    assert done.stdout.count("status 0") == 1, done
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr
    assert "the same command goes on" in done.stderr
    assert "epochs are done already" in done.stdout

"""The trainings that docs/results.md shows, run as a student runs them, and what they have come to."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.box.launcher import ENVIRONMENT
from grader.files import write_atomically
from tests.results.published import State, published, read_table

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = {1: "train_pl.py", 2: "train.py"}
FULL = {1: 80, 2: 100}  # epochs
SEEDS = range(10)
LAMBDAS = ("1", "0.995")


@dataclass(frozen=True)
class Training:
    """One run of a training command.

    Attributes:
        name: unique, and safe as the name of a file.
        part: 1 or 2.
        title: what it is, in words.
        options: the command's, apart from places and epochs.
        epochs: of the whole run.
        folder: what the command calls its folder.
    """

    name: str
    part: int
    title: str
    options: tuple[str, ...]
    epochs: int
    folder: str

    @property
    def measure(self) -> str:
        """The column of its summary that counts."""
        return "test_bpd" if self.part == 1 else "train_reconstruction_loss"


def _vae(z_dim: int) -> Training:
    title = f"VAE, {z_dim} latent dimensions"
    return Training(f"vae-z{z_dim}", 1, title, ("--z_dim", str(z_dim)), FULL[1], f"z_dim_{z_dim}")


def _aae(z_dim: int, lambda_: str) -> Training:
    kind = "autoencoder" if lambda_ == "1" else "adversarial autoencoder"
    return Training(
        f"aae-z{z_dim}-lambda{lambda_}",
        2,
        f"{kind}, {z_dim} latent dimensions, λ = {lambda_}",
        ("--z_dim", str(z_dim), "--lambda_", lambda_),
        FULL[2],
        f"z_dim_{z_dim}_lambda_{lambda_}",
    )


TRAININGS = (_vae(20), _vae(2), _aae(8, "1"), _aae(8, "0.995"), _aae(2, "1"), _aae(2, "0.995"))
EXTRA = (_aae(20, "0.995"),)  # question 2.7


def _seed(seed: int, lambda_: str) -> Training:
    options = ("--lambda_", lambda_, "--seed", str(seed))
    folder = f"z_dim_8_lambda_{lambda_}" + (f"_seed_{seed}" if seed != 42 else "")
    return Training(f"seed{seed}-lambda{lambda_}", 2, f"seed {seed}, λ = {lambda_}", options, 1, folder)


SEED_TRAININGS = tuple(_seed(seed, lambda_) for lambda_ in LAMBDAS for seed in SEEDS)
# As in the box, what tensors free is kept for the next step: a quarter less time for a step on Linux.
KEEP_MEMORY = {name: value for name, value in ENVIRONMENT.items() if name.startswith("MALLOC_")}


@dataclass(frozen=True)
class Places:
    """Where trainings work.

    Attributes:
        data: folder of MNIST.
        output: receives logs, figures and messages.
        published: tables of what was trained elsewhere, if there are any.
    """

    data: Path
    output: Path
    published: Path | None = None

    def logs(self, training: Training) -> Path:
        """The training's own folder."""
        kind = "seeds" if training in SEED_TRAININGS else "logs"
        return self.output / kind / f"part{training.part}" / training.folder

    def machine_note(self, training: Training) -> Path:
        """Says what the training ran on."""
        return self.output / f"{training.name}.machine.txt"


def command(training: Training, places: Places, epochs: int | None = None) -> list[str]:
    """The command line; `--resume`, because an edit of a script must not throw hours away."""
    figures = "seeds-figures" if training in SEED_TRAININGS else "figures"
    return [
        *(sys.executable, SCRIPTS[training.part], *training.options),
        *("--epochs", str(epochs or training.epochs), "--data_dir", str(places.data.resolve())),
        *("--log_dir", str(places.logs(training).parent.resolve())),
        *("--figures", str((places.output / figures).resolve()), "--no-progress_bar", "--resume"),
    ]


def shown(training: Training) -> str:
    """The command as a student types it."""
    epochs = () if training.epochs == FULL[training.part] else ("--epochs", str(training.epochs))
    return shlex.join(["python", SCRIPTS[training.part], *training.options, *epochs])


def start(
    training: Training, places: Places, threads: int, epochs: int | None, words: str
) -> subprocess.Popen[bytes]:
    """Starts a training, or lets it go on. Its messages go into a file, and what it runs on into another."""
    places.output.mkdir(parents=True, exist_ok=True)
    note_machine(training, places, words)
    with open(places.output / f"{training.name}.log", "ab") as log:
        return subprocess.Popen(
            command(training, places, epochs),
            cwd=REPOSITORY / "solutions" / f"part{training.part}",
            env=os.environ | KEEP_MEMORY | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def run_all(
    trainings: tuple[Training, ...],
    jobs: int,
    begin: Callable[[Training], subprocess.Popen[bytes]],
    tell: Callable[[str], None] = print,
) -> list[Training]:
    """Runs trainings, so many at a time; those that failed are returned, and the others run all the same."""
    waiting = list(trainings)
    running: dict[Training, subprocess.Popen[bytes]] = {}
    failed = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                training = waiting.pop(0)
                running[training] = begin(training)
                tell(f"started: {training.title}")
            training, process = next(iter(running.items()))
            for candidate, its_process in running.items():
                if its_process.poll() is not None:
                    training, process = candidate, its_process
                    break
            try:
                status = process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                continue
            del running[training]
            tell(f"{'done' if status == 0 else f'ended with status {status}'}: {training.title}")
            if status != 0:
                failed.append(training)
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()
    return failed


def machine(threads: int, jobs: int) -> str:
    """What a training runs on, in words."""
    import torch

    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    else:
        name = f"{threads} thread{'s' if threads > 1 else ''} of {_processor()}"
    return f"{name}, {jobs} trainings at a time" if jobs > 1 else name


def _processor() -> str:
    """The processor's name; where the system keeps no list of processors, its kind."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def note_machine(training: Training, places: Places, words: str) -> None:
    """Notes what a training goes on with, one line for each machine that had a part in it."""
    note = places.machine_note(training)
    known = note.read_text().splitlines() if note.exists() else []
    if words not in known:
        write_atomically(note, "".join(f"{line}\n" for line in (*known, words)).encode())


def state(training: Training, places: Places) -> State:
    """Reads what a training has written or, where it never ran on this machine, what was published of it."""
    folder = places.logs(training)
    rows = [row for row in read_table(folder / "metrics.csv") if int(row["epoch"]) > 0]  # 0: untrained
    if not rows and places.published is not None:
        return published(training.name, places.published)
    summary = read_table(folder / "summary.csv")
    done = bool(summary) and len(rows) >= training.epochs
    note = places.machine_note(training)
    machines = ", then ".join(note.read_text().splitlines()) if note.exists() else ""
    return State(len(rows), rows, float(summary[0][training.measure]) if done else None, machines)

"""What Lightning adds to training: `python -m tests.benchmarks.epoch`, a few minutes on two cores.

An epoch of `train_vae` at its default size is compared with the bare loop, forward, backward and step, over
the same batches: the same images in the same order, with a model and an optimizer of its own. The two take
turns within one process, epoch by epoch, so that whatever else the machine does meets both. All that an epoch
of `train_vae` does counts: loading, metrics, the table, checkpoints, and in the second ratio validation.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytorch_lightning as pl
import torch

SOLUTION = Path(__file__).resolve().parents[2] / "solutions" / "part1"
BATCH = 128
TARGETS = {"training": 1.1, "training and validation": 1.2}
VALIDATION_SHARE = 6_000 / 54_000  # as in the real data set


@dataclass
class Clock:
    """Seconds by the clock, and CPU seconds of all threads of this process."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, wall: float, cpu: float) -> None:
        """Take a measurement down."""
        self.wall.append(wall)
        self.cpu.append(cpu)


def now() -> tuple[float, float]:
    """The clock, and the CPU time of this process."""
    return time.perf_counter(), time.process_time()


class Turns(pl.Callback):
    """Before every epoch of Lightning, the bare loop has a turn, and Lightning's clock stands still."""

    def __init__(self, bare: Callable[[int], None], epochs: int) -> None:
        self.bare = bare
        self.epochs = epochs
        self.bare_clock, self.training, self.whole = Clock(), Clock(), Clock()
        self._validated = (0.0, 0.0)
        self._began = self._validation_began = (0.0, 0.0)

    def turn(self, epoch: int) -> None:
        """Ends the epoch before, if there was one, and lets the bare loop run."""
        end = now()
        if epoch > 0:
            whole = [after - before for after, before in zip(end, self._began, strict=True)]
            self.whole.add(*whole)
            self.training.add(*(a - b for a, b in zip(whole, self._validated, strict=True)))
            told = [f"{clock.wall[-1]:.1f} s" for clock in (self.bare_clock, self.training, self.whole)]
            print(
                f"pair {epoch}: bare {told[0]}, training {told[1]}, with validation {told[2]}",
                file=sys.stderr,
            )
        if epoch < self.epochs:
            began = now()
            self.bare(epoch)
            self.bare_clock.add(*(after - before for after, before in zip(now(), began, strict=True)))
        self._validated = (0.0, 0.0)
        self._began = now()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """An epoch lasts from one start to the next: nothing between two epochs is left out."""
        self.turn(trainer.current_epoch)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Notes the time."""
        self._validation_began = now()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Notes how long the validation took."""
        self._validated = tuple(  # type: ignore[assignment]
            after - before for after, before in zip(now(), self._validation_began, strict=True)
        )


def bare_loop(train_pl: Any, loader: Any, seed: int) -> Callable[[int], None]:
    """Forward, backward, step: an epoch of it over the batches that Lightning gets in the same epoch."""
    torch.manual_seed(seed)
    model = train_pl.VAE(num_filters=32, z_dim=20, lr=1e-3).train()
    optimizer = model.configure_optimizers()

    def epoch(number: int) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(seed + 1_000_000 * (number + 1))
            for images, _ in loader:
                loss = model(images)[2]
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    return epoch


def measure(batches: int, epochs: int, threads: int, data: str | None) -> dict[str, tuple[float, float]]:
    """Runs both in turns.

    Args:
        batches: of an epoch; each has 128 images.
        epochs: measured, after one for warming up.
        threads: of PyTorch.
        data: folder of MNIST; None for random images.

    Returns:
        For each of `TARGETS` the ratios by the clock and by CPU time: medians over the epochs.
    """
    sys.path.insert(0, str(SOLUTION))  # stays: train_vae imports its neighbours when it is called
    import mnist as part1_mnist
    import train_pl

    torch.set_num_threads(threads)
    validation = max(1, round(batches * VALIDATION_SHARE)) * BATCH
    part1_mnist.NUM_VALIDATION_IMAGES = validation
    part1_mnist.MNIST = lambda root, train, download: images_of(data, batches * BATCH + validation, train)
    loader = part1_mnist.mnist("", batch_size=BATCH)[0]
    loader.generator = torch.Generator()
    turns = Turns(bare_loop(train_pl, loader, 1), epochs + 1)

    def trainer(**options: Any) -> pl.Trainer:
        options["callbacks"] = [turns, *options["callbacks"]]
        return pl.Trainer(**options)

    train_pl.pl = SimpleNamespace(**{**vars(pl), "Trainer": trainer})
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        options = {"z_dim": 20, "num_filters": 32, "lr": 1e-3, "batch_size": BATCH, "seed": 1}
        places = {"data_dir": "", "log_dir": folder, "num_workers": 0, "progress_bar": False}
        # One epoch more than is measured: an epoch ends when the next one starts.
        train_pl.train_vae(argparse.Namespace(**options, **places, epochs=epochs + 2))
    return {
        name: (
            ratio(clock.wall[1:], turns.bare_clock.wall[1:]),
            ratio(clock.cpu[1:], turns.bare_clock.cpu[1:]),
        )
        for name, clock in zip(TARGETS, (turns.training, turns.whole), strict=True)
    }


def ratio(ours: list[float], bare: list[float]) -> float:
    """The median over pairs of epochs that ran one after the other."""
    return statistics.median(mine / its for mine, its in zip(ours, bare, strict=True))


def images_of(data: str | None, count: int, train: bool) -> Any:
    """As torchvision's MNIST holds them; only the first `count`, and few for the test at the end."""
    count = count if train else BATCH
    if data is not None:
        from torchvision.datasets import MNIST

        real = MNIST(data, train=train, download=False)
        return SimpleNamespace(data=real.data[:count], targets=real.targets[:count])
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 28, 28), dtype=torch.uint8, generator=generator)
    return SimpleNamespace(data=images, targets=torch.arange(count) % 10)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.epoch", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--batches", type=int, default=72, help="of an epoch (default: 72; MNIST has 421)")
    parser.add_argument("--epochs", type=int, default=9, help="measured pairs of epochs (default: 9)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    parser.add_argument("--data_dir", help="folder of MNIST (default: random images)")
    options = parser.parse_args(arguments)
    found = measure(options.batches, options.epochs, options.threads, options.data_dir)
    print(
        f"{options.batches} batches of {BATCH}, {options.epochs} pairs of epochs, {options.threads} threads"
    )
    print("an epoch of train_vae, in epochs of the bare loop:")
    for name, (wall, cpu) in found.items():
        print(f"  {name:24} {wall:.3f} by the clock, {cpu:.3f} in CPU time (target: at most {TARGETS[name]})")
    return int(any(found[name][0] > target for name, target in TARGETS.items()))


if __name__ == "__main__":
    sys.exit(main())

"""What Lightning does beside training: checkpoints, the table of metrics, seeds. Provided."""

import logging
import os
import time
import warnings
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from runs import CHECKPOINT, METRICS, Trouble, add_row, keep_epoch, read_rows

BEST = "best.ckpt"
LOGGED = ("bpd", "reconstruction_loss", "regularization_loss")


def quiet_lightning() -> None:
    """Leaves out Lightning's hints that do not apply: images in memory need no workers."""
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    warnings.filterwarnings("ignore", ".*smaller than the logging interval.*")
    warnings.filterwarnings("ignore", ".*exists and is not empty.*")
    warnings.filterwarnings("ignore", ".*LeafSpec.*")  # between Lightning and PyTorch
    warnings.filterwarnings("ignore", ".*`srun` command is available.*")  # one GPU needs no launcher
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # which GPU it sees, and tips


def finished_epochs(log_dir: Path) -> int:
    """How many epochs the checkpoint of a run stands for; 0 where there is none.

    Raises:
        Trouble: it cannot be read.
    """
    path = log_dir / CHECKPOINT
    if not path.exists():
        return 0
    try:
        return int(torch.load(path, map_location="cpu", weights_only=True)["epoch"]) + 1
    except Exception as error:  # of many kinds, depending on what is wrong with the file
        raise Trouble(f"{path} cannot be read: begin anew with --fresh") from error


class EpochSeeds(pl.Callback):
    """Seeds every epoch by its number.

    An epoch thus draws the same random numbers whether or not training was interrupted before it.
    """

    def __init__(self, seed: int):
        """Configures the callback.

        Args:
            seed: of the whole training.
        """
        self.seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Seeds every generator of PyTorch."""
        torch.manual_seed(self.seed + 1_000_000 * (trainer.current_epoch + 1))


class Keeper(Checkpoint):
    """After every epoch: a row in the table of metrics, the best weights, and all that going on needs."""

    def __init__(self, log_dir: Path):
        """Configures the callback.

        Args:
            log_dir: the run's folder.
        """
        self.log_dir = log_dir
        self.began = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Notes the time."""
        self.began = time.monotonic()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps what the untrained model comes to, as epoch 0."""
        if trainer.sanity_checking:
            losses = {f"val_{kind}": float(trainer.callback_metrics[f"val_{kind}"]) for kind in LOGGED}
            add_row(self.log_dir / METRICS, {"epoch": 0, **losses})

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps what the epoch has come to. Only the last step of it makes the epoch count as finished."""
        epoch = trainer.current_epoch + 1
        row = {"epoch": epoch}
        for name in (f"{stage}_{kind}" for stage in ("train", "val") for kind in LOGGED):
            if name in trainer.callback_metrics:
                row[name] = float(trainer.callback_metrics[name])
        row["seconds"] = time.monotonic() - self.began
        rows = read_rows(self.log_dir / METRICS)
        before = [float(old["val_bpd"]) for old in rows if 0 < int(old["epoch"]) < epoch]
        add_row(self.log_dir / METRICS, row)
        if row["val_bpd"] < min(before, default=float("inf")):
            self._save(trainer, BEST, weights_only=True)
        self._save(trainer, CHECKPOINT)
        keep_epoch(self.log_dir / CHECKPOINT, epoch)

    def _save(self, trainer: pl.Trainer, name: str, weights_only: bool = False) -> None:
        path, unfinished = self.log_dir / name, self.log_dir / f".{name}"
        try:
            trainer.save_checkpoint(unfinished, weights_only=weights_only)
            os.replace(unfinished, path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(path)) from error

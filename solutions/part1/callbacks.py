"""What Lightning does beside training: seeds, the count of epochs, whole checkpoints. Provided."""

import logging
import time
import warnings
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from evidence import keep_weights
from figures import SHOWN_SAMPLES
from pytorch_lightning.plugins.io import TorchCheckpointIO
from runs import METRICS, read_rows, save_whole, write_rows


def quiet_lightning() -> None:
    """Leaves out hints that do not apply: images in memory need no workers, one GPU no launcher."""
    for hint in ("many workers", "logging interval", "exists and is not empty", "LeafSpec", "`srun` command"):
        warnings.filterwarnings("ignore", f".*{hint}.*")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints so that a kill leaves the one before; Lightning copies them from another disk."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str, storage_options: Any = None) -> None:
        """Writes one."""
        save_whole(checkpoint, Path(path))


class Epochs(pl.Callback):
    """Seeds, counts and times epochs, and keeps the weights that the figures show.

    In the table of metrics, `epoch` is the number of finished epochs: 0 is the untrained model.
    """

    def __init__(self, seed: int, log_dir: Path):
        """Configures the callback with the seed of the whole training and the run's folder."""
        self.seed, self.log_dir = seed, log_dir

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Seeds an epoch by its number: it draws the same whether or not training was interrupted."""
        torch.manual_seed(self.seed + 1_000_000 * (trainer.current_epoch + 1))
        write_metrics(self.log_dir)
        self.began = time.monotonic()

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Counts the epoch that is validated; before training it is the untrained model."""
        pl_module.log("epoch", float(trainer.current_epoch + (trainer.state.fn == "fit")))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Counts the epoch, and keeps its weights where a figure shows it."""
        epoch = trainer.current_epoch + 1
        pl_module.log_dict({"epoch": float(epoch), "seconds": time.monotonic() - self.began})
        if epoch == trainer.max_epochs:
            keep_weights(pl_module, self.log_dir, "final")
        elif epoch in SHOWN_SAMPLES:
            keep_weights(pl_module, self.log_dir, f"epoch_{epoch:03d}")


def finished_epochs(checkpoint: Path) -> int:
    """How many epochs a checkpoint of Lightning stands for; 0 where there is none."""
    if not checkpoint.exists():
        return 0
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["epoch"]) + 1


def write_metrics(log_dir: Path) -> list[dict[str, float]]:
    """Brings together what the loggers of all starts of a run have written: a row for each epoch."""
    rows = read_rows(*sorted(log_dir.glob("from_epoch_*/metrics.csv")))
    rows = [{name: row[name] for name in row if not name.startswith(("test_", "step"))} for row in rows]
    write_rows(log_dir / METRICS, rows)
    return rows

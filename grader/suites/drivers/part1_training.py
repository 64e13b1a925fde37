"""Runs in the box: trainings of the student's VAE, by a loop of ours and by Lightning itself."""

import logging
import warnings
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

HOME = Path(__file__).resolve().parents[1]  # the submission's private folder


class Training:
    """A VAE in training: Adam on the bpd that the student's forward returns."""

    def __init__(self, model, images, batch_size, lr):
        self.model = model
        self.images = images
        self.batch_size = batch_size
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=lr)

    def steps(self, number):
        """Take some steps; the last loss."""
        self.model.train()
        for _ in range(number):
            batch = self.images[torch.randint(len(self.images), (self.batch_size,))].long()
            loss = self.model(batch)[2].mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return loss.detach()


def fit(model, batches, epochs, validate):
    """Train a model as train_pl.py does, with its own training_step and configure_optimizers.

    Whatever Lightning accepts of them is as good: one optimizer or a list, schedulers, optimization by hand.

    Args:
        model: the student's VAE.
        batches: images, int64 `[N, B, 1, 28, 28]`.
        epochs: how many times it sees them.
        validate: whether each epoch is validated: a scheduler may want to know `val_bpd`.
    """
    # A list of batches would be taken for one of several loaders.
    loader = DataLoader([(images, torch.zeros(len(images)).long()) for images in batches], batch_size=None)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger = TensorBoardLogger(HOME / "logs", name="", version="")
        trainer = pl.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=epochs,
            logger=logger,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        try:
            trainer.fit(model, loader, loader if validate else None)
        finally:
            logger.experiment.close()  # each has a thread, of which a session may have few

"""Trains the VAE with PyTorch Lightning: `python train_pl.py --help` lists the options."""

import argparse
import sys
from pathlib import Path

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from callbacks import Epochs, WholeCheckpoints, finished_epochs, quiet_lightning, write_metrics
from cnn_encoder_decoder import CNNDecoder, CNNEncoder
from commands import add_common_options, natural, positive, run
from evidence import keep_weights
from figures import draw_curves, draw_manifold, draw_samples, publish_figures
from mnist import mnist
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from runs import SUMMARY, write_rows
from torchvision.utils import make_grid
from utils import KLD, elbo_to_bpd, sample_reparameterize, visualize_manifold


class VAE(pl.LightningModule):
    """Variational autoencoder for images with 16 grey levels."""

    def __init__(self, num_filters: int, z_dim: int, lr: float):
        """Builds encoder and decoder.

        Args:
            num_filters: width of the convolutions.
            z_dim: number of latent dimensions.
            lr: learning rate of Adam.
        """
        super().__init__()
        self.save_hyperparameters()
        self.encoder = CNNEncoder(z_dim=z_dim, num_filters=num_filters)
        self.decoder = CNNDecoder(z_dim=z_dim, num_filters=num_filters)

    def forward(self, imgs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Estimates the loss of equation 14 on a batch, with one sample of z per image.

        Args:
            imgs: long [B, 1, 28, 28], grey levels 0..15.

        Returns:
            L_rec, L_reg and bpd, three scalars. L_rec: cross-entropy in nats, summed over the pixels of
            an image, mean over the batch. L_reg: KL divergence in nats, mean over the batch. bpd: their
            sum in bits per dimension, the loss that training minimizes.
        """
        # Encode, sample z, decode, then the two terms of equation 13. The functions of utils.py help.
        # F.cross_entropy wants logits [B, 16, 28, 28] and targets [B, 28, 28].
        # BEGIN SOLUTION 1.7: VAE.forward, equations 13 and 14
        mean, log_std = self.encoder(imgs)
        z = sample_reparameterize(mean, log_std.exp())
        logits = self.decoder(z)  # [B, 16, 28, 28]
        nll = F.cross_entropy(logits, imgs.squeeze(1), reduction="none")  # [B, 28, 28]
        L_rec = nll.sum(dim=(1, 2)).mean()
        L_reg = KLD(mean, log_std).mean()
        bpd = elbo_to_bpd(L_rec + L_reg, imgs.shape)
        return L_rec, L_reg, bpd
        # END SOLUTION

    @torch.no_grad()
    def sample(self, batch_size: int) -> torch.Tensor:
        """Samples images from the model: z from the prior, then every pixel from its distribution.

        Args:
            batch_size: number of images.

        Returns:
            Integers [B, 1, 28, 28], grey levels 0..15.
        """
        # torch.multinomial draws from the rows of a 2-D tensor: mind where the classes are when you
        # reshape [B, 16, 28, 28] for it.
        # BEGIN SOLUTION 1.8: VAE.sample
        z = torch.randn(batch_size, self.hparams.z_dim, device=self.decoder.device)
        probabilities = self.decoder(z).softmax(dim=1)  # [B, 16, 28, 28]
        per_pixel = probabilities.permute(0, 2, 3, 1)  # [B, 28, 28, 16]
        levels = torch.multinomial(per_pixel.flatten(0, 2), num_samples=1)  # [B*28*28, 1]
        return levels.view(per_pixel.shape[:3]).unsqueeze(1)  # [B, 1, 28, 28]
        # END SOLUTION

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam over both networks."""
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)

    def _step(self, batch: tuple[torch.Tensor, torch.Tensor], stage: str) -> torch.Tensor:
        imgs, _ = batch
        L_rec, L_reg, bpd = self(imgs)
        losses = {
            f"{stage}_reconstruction_loss": L_rec,
            f"{stage}_regularization_loss": L_reg,
            f"{stage}_bpd": bpd,
        }
        self.log_dict(losses, on_step=False, on_epoch=True, batch_size=len(imgs))
        return bpd

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Returns the loss of one batch, `train_bpd`."""
        return self._step(batch, "train")

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        """Logs `val_bpd`."""
        self._step(batch, "val")

    def test_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        """Logs `test_bpd`."""
        self._step(batch, "test")


class GenerateCallback(pl.Callback):
    """Draws samples before training and every few epochs, for TensorBoard and as image files."""

    def __init__(self, batch_size: int = 64, every_n_epochs: int = 10, save_to_disk: bool = True):
        """Configures the callback.

        Args:
            batch_size: number of images in a grid of 8 columns.
            every_n_epochs: epochs between two grids.
            save_to_disk: whether to save a PNG file beside the logs as well.
        """
        super().__init__()
        self.batch_size = batch_size
        self.every_n_epochs = every_n_epochs
        self.save_to_disk = save_to_disk

    def on_train_start(self, trainer: pl.Trainer, pl_module: VAE) -> None:
        """Shows what an untrained model generates."""
        if trainer.current_epoch == 0:
            self.sample_and_save(trainer, pl_module, epoch=0)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: VAE) -> None:
        """Shows samples when `every_n_epochs` more epochs are done, and at the end."""
        epoch = trainer.current_epoch + 1
        if epoch % self.every_n_epochs == 0 or epoch == trainer.max_epochs:
            self.sample_and_save(trainer, pl_module, epoch)

    def sample_and_save(self, trainer: pl.Trainer, pl_module: VAE, epoch: int) -> None:
        """Generates a grid of samples and stores it under the number of finished epochs."""
        was_training = pl_module.training
        pl_module.eval()
        try:
            samples = pl_module.sample(self.batch_size)
        except NotImplementedError as question:
            print(f"No samples yet. {question}")  # question 1.7 can be trained without 1.8
            return
        finally:
            pl_module.train(was_training)
        grid = make_grid(samples.float() / 15, nrow=8, padding=2, pad_value=0.5)
        trainer.logger.experiment.add_image("samples", grid, global_step=epoch)
        if self.save_to_disk:
            draw_samples(samples, epoch, Path(trainer.log_dir))


def train_vae(args: argparse.Namespace) -> dict[str, float]:
    """Trains, tests and visualizes a VAE. Goes on from the last finished epoch, if there is one.

    Args:
        args: the command-line options of this file. `log_dir` is the folder of this very run.

    Returns:
        The test metrics, among them `test_bpd`, of the epoch with the best validation bpd.
    """
    quiet_lightning()
    pl.seed_everything(args.seed, verbose=False)
    train_loader, val_loader, test_loader = mnist(
        root=args.data_dir, batch_size=args.batch_size, num_workers=args.num_workers
    )
    # The loader's own draws then do not shift those of the epoch, which `Epochs` seeds.
    train_loader.generator = torch.Generator()
    log_dir = Path(args.log_dir)
    best, last = log_dir / "best.ckpt", log_dir / "last.ckpt"
    finished = finished_epochs(last)
    checkpoints = ModelCheckpoint(
        dirpath=log_dir,
        filename="best",
        monitor="val_bpd",
        save_last=True,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    trainer = pl.Trainer(
        accelerator="cpu" if getattr(args, "no_cuda", False) else "auto",
        devices=1,
        max_epochs=args.epochs,
        default_root_dir=log_dir,
        logger=[
            TensorBoardLogger(log_dir, name="", version="", default_hp_metric=False),
            CSVLogger(log_dir, name="", version=f"from_epoch_{finished:04d}"),
        ],
        callbacks=[Epochs(args.seed, log_dir), GenerateCallback(), checkpoints],
        plugins=[WholeCheckpoints()],
        enable_progress_bar=args.progress_bar,
        num_sanity_val_steps=0,
    )
    if not args.progress_bar:
        print(f"Training without a progress bar; follow it with: tensorboard --logdir {args.log_dir}")

    model = VAE(num_filters=args.num_filters, z_dim=args.z_dim, lr=args.lr)
    if finished:
        print(f"{finished} of {args.epochs} epochs are done already, in {log_dir}")
    else:
        trainer.validate(model, val_loader, verbose=False)  # the untrained model: where the curve begins
    if finished < args.epochs:
        trainer.fit(model, train_loader, val_loader, ckpt_path=last if finished else None)

    torch.manual_seed(args.seed)
    (result,) = trainer.test(model, test_loader, ckpt_path=best, verbose=False)
    save_results(model, result, log_dir, getattr(args, "figures", None))
    return result


def save_results(model: VAE, result: dict[str, float], log_dir: Path, figures: str | None) -> None:
    """Writes the test metrics and draws the figures of the report.

    Args:
        model: with the weights that were tested.
        result: its test metrics.
        log_dir: the run's folder.
        figures: folder of the report's figures; None to leave them in the run's.
    """
    z_dim = model.hparams.z_dim
    rows = write_metrics(log_dir)
    write_rows(log_dir / SUMMARY, [result])
    keep_weights(model, log_dir, "tested")
    draw_curves(rows, result["test_bpd"], z_dim, log_dir)
    if z_dim == 2:
        try:
            draw_manifold(visualize_manifold(model.eval().decoder), log_dir)
        except NotImplementedError as question:
            print(f"No manifold yet. {question}")
    print(f"Test set: {result['test_bpd']:.4f} bits per dimension. Everything of this run is in {log_dir}")
    for figure in publish_figures(log_dir, Path(figures), z_dim) if figures else ():
        print(f"Figure for the report: {figure}")


NAMED_BY = ("z_dim",)  # a folder of its own for every number of latent dimensions


def command_line() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="train_pl.py", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--z_dim", type=natural, default=20, help="number of latent dimensions")
    parser.add_argument("--num_filters", type=natural, default=32, help="width of the convolutions")
    parser.add_argument("--lr", type=positive, default=1e-3, help="learning rate")
    parser.add_argument("--batch_size", type=natural, default=128, help="images per batch")
    parser.add_argument("--epochs", type=natural, default=80, help="passes over the training set")
    add_common_options(parser, log_dir="VAE_logs")
    return parser


if __name__ == "__main__":
    sys.exit(run(train_vae, command_line(), NAMED_BY))

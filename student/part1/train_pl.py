"""Trains the VAE with PyTorch Lightning: `python train_pl.py --help` lists the options."""

import argparse
from pathlib import Path

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from cnn_encoder_decoder import CNNDecoder, CNNEncoder
from mnist import mnist
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import TensorBoardLogger
from torchvision.utils import make_grid, save_image
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
        raise NotImplementedError("Question 1.7: VAE.forward, equations 13 and 14")

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
        raise NotImplementedError("Question 1.8: VAE.sample")

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
        self.sample_and_save(trainer, pl_module, epoch=0)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: VAE) -> None:
        """Shows samples when `every_n_epochs` more epochs are done."""
        epoch = trainer.current_epoch + 1
        if epoch % self.every_n_epochs == 0:
            self.sample_and_save(trainer, pl_module, epoch)

    def sample_and_save(self, trainer: pl.Trainer, pl_module: VAE, epoch: int) -> None:
        """Generates a grid of samples and stores it under the number of finished epochs."""
        was_training = pl_module.training
        pl_module.eval()
        samples = pl_module.sample(self.batch_size)
        pl_module.train(was_training)
        grid = make_grid(samples.float() / 15, nrow=8, padding=2, pad_value=0.5)
        trainer.logger.experiment.add_image("samples", grid, global_step=epoch)
        if self.save_to_disk:
            save_image(grid, Path(trainer.log_dir) / f"samples_epoch_{epoch:03d}.png")


def train_vae(args: argparse.Namespace) -> dict[str, float]:
    """Trains, tests and visualizes a VAE.

    Args:
        args: the command-line options of this file.

    Returns:
        The test metrics, among them `test_bpd`, of the epoch with the best validation bpd.
    """
    pl.seed_everything(args.seed)
    train_loader, val_loader, test_loader = mnist(
        root=args.data_dir, batch_size=args.batch_size, num_workers=args.num_workers
    )
    trainer = pl.Trainer(
        accelerator="auto",
        devices=1,
        max_epochs=args.epochs,
        logger=TensorBoardLogger(args.log_dir, default_hp_metric=False),
        callbacks=[
            ModelCheckpoint(save_weights_only=True, mode="min", monitor="val_bpd"),
            GenerateCallback(),
        ],
        enable_progress_bar=args.progress_bar,
    )
    if not args.progress_bar:
        print(f"Training without a progress bar; follow it with: tensorboard --logdir {args.log_dir}")

    model = VAE(num_filters=args.num_filters, z_dim=args.z_dim, lr=args.lr)
    trainer.fit(model, train_loader, val_loader)
    (result,) = trainer.test(model, test_loader, ckpt_path="best")

    if args.z_dim == 2:
        manifold = visualize_manifold(model.eval().decoder)
        save_image(manifold, Path(trainer.log_dir) / "vae_manifold.png")
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--z_dim", type=int, default=20, help="number of latent dimensions")
    parser.add_argument("--num_filters", type=int, default=32, help="width of the convolutions")
    parser.add_argument("--lr", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--batch_size", type=int, default=128, help="images per batch")
    parser.add_argument("--data_dir", default="../data", help="folder of the MNIST data set")
    parser.add_argument("--epochs", type=int, default=80, help="passes over the training set")
    parser.add_argument("--seed", type=int, default=42, help="seed of every random number")
    parser.add_argument("--num_workers", type=int, default=0, help="loading processes; 0 is usually fastest")
    parser.add_argument("--log_dir", default="VAE_logs", help="folder for logs, checkpoints and images")
    parser.add_argument("--progress_bar", action="store_true", help="show a progress bar")
    train_vae(parser.parse_args())

"""Trains the adversarial autoencoder: `python train.py --help` lists the options."""

import argparse
from pathlib import Path

import torch
from mnist import mnist
from models import AdversarialAE
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import make_grid, save_image
from utils import TensorBoardLogger

EPOCHS_BETWEEN_IMAGES = 10


def train_aae(
    epoch: int,
    model: AdversarialAE,
    train_loader: DataLoader,
    logger_ae: TensorBoardLogger,
    logger_disc: TensorBoardLogger,
    optimizer_ae: Optimizer,
    optimizer_disc: Optimizer,
    lambda_: float = 1,
) -> None:
    """Trains for one epoch: for every batch an update of the autoencoder, then one of the discriminator.

    Args:
        epoch: number of the epoch, for messages only.
        model: the model to train.
        train_loader: batches of (images in [-1, 1], labels).
        logger_ae: takes the autoencoder's losses.
        logger_disc: takes the discriminator's losses.
        optimizer_ae: updates encoder and decoder.
        optimizer_disc: updates the discriminator.
        lambda_: weight of the reconstruction loss.
    """
    model.train()
    for x, _ in train_loader:
        x = x.to(model.encoder.device)

        # Reconstruct the batch, compute the autoencoder's loss, and take a step with its optimizer.
        # Keep the dictionary of losses as `logging_ae`.
        raise NotImplementedError("Question 2.4: train_aae, the autoencoder's update")
        logger_ae.add_values(logging_ae)

        # Compute the discriminator's loss, and take a step with its optimizer. The update above left
        # gradients in the discriminator: start from zero. Keep the losses as `logging_disc` (while you
        # work on question 2.4, an empty dictionary does).
        raise NotImplementedError("Question 2.5: train_aae, the discriminator's update")
        logger_disc.add_values(logging_disc)


@torch.no_grad()
def save_images(
    model: AdversarialAE, images: torch.Tensor, epoch: int, folder: Path, summary_writer: SummaryWriter
) -> float:
    """Saves reconstructions of the given images (rows of originals above theirs) and new samples.

    Args:
        model: the model.
        images: [64, 1, 28, 28] in [-1, 1].
        epoch: number of finished epochs.
        folder: receives the image files.
        summary_writer: receives the same images for TensorBoard.

    Returns:
        Mean squared error of the reconstructions.
    """
    was_training = model.training
    model.eval()
    recon_images, _ = model(images)
    rows = [row for pair in zip(images.split(8), recon_images.split(8), strict=True) for row in pair]
    grids = {"reconstructions": torch.cat(rows), "samples": model.sample(len(images))}
    for name, grid_images in grids.items():
        grid = make_grid((grid_images + 1) / 2, nrow=8, padding=2, pad_value=0.5)
        save_image(grid, folder / f"{name}_epoch_{epoch:03d}.png")
        summary_writer.add_image(name, grid, global_step=epoch)
    model.train(was_training)
    return torch.nn.functional.mse_loss(recon_images, images).item()


def main(args: argparse.Namespace) -> None:
    """Trains a model, with images, TensorBoard curves and a checkpoint in `args.log_dir`.

    Args:
        args: the command-line options of this file.

    Raises:
        ValueError: lambda_ is not between 0 and 1.
    """
    if not 0 <= args.lambda_ <= 1:
        raise ValueError(
            f"--lambda_ weighs two losses with lambda and 1 - lambda: {args.lambda_} is not in [0, 1]"
        )
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() and not args.no_cuda else "cpu")
    train_loader = mnist(root=args.data_dir, batch_size=args.batch_size, num_workers=args.num_workers)
    model = AdversarialAE(z_dim=args.z_dim).to(device)

    # Two optimizers, because the two sides want opposite things: `optimizer_ae` (Adam with learning
    # rate args.ae_lr; beta1 = 0.5 helps adversarial training) for encoder and decoder, and
    # `optimizer_disc` (SGD with learning rate args.d_lr) for the discriminator.
    raise NotImplementedError("Question 2.5: main, the two optimizers")

    log_dir = Path(args.log_dir)
    log_dir.mkdir(parents=True, exist_ok=True)
    summary_writer = SummaryWriter(log_dir)
    logger_ae = TensorBoardLogger(summary_writer, name="autoencoder")
    logger_disc = TensorBoardLogger(summary_writer, name="discriminator")

    # The same 64 training images in every run and epoch, scaled as in a batch.
    shown = train_loader.collate_fn(train_loader.dataset[:64])[0].to(device)
    save_images(model, shown, 0, log_dir, summary_writer)
    for epoch in range(1, args.epochs + 1):
        train_aae(
            epoch, model, train_loader, logger_ae, logger_disc, optimizer_ae, optimizer_disc, args.lambda_
        )
        if epoch % EPOCHS_BETWEEN_IMAGES == 0 or epoch == args.epochs:
            error = save_images(model, shown, epoch, log_dir, summary_writer)
            torch.save(model.state_dict(), log_dir / "checkpoint.pt")
            print(f"Epoch {epoch} of {args.epochs}: reconstruction loss {error:.4f} on {len(shown)} images")
    summary_writer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--z_dim", type=int, default=8, help="number of latent dimensions")
    parser.add_argument("--batch_size", type=int, default=64, help="images per batch")
    parser.add_argument("--lambda_", type=float, default=0.995, help="weight of the reconstruction loss")
    parser.add_argument("--ae_lr", type=float, default=1e-3, help="learning rate of the autoencoder")
    parser.add_argument("--d_lr", type=float, default=5e-3, help="learning rate of the discriminator")
    parser.add_argument("--data_dir", default="../data", help="folder of the MNIST data set")
    parser.add_argument("--epochs", type=int, default=100, help="passes over the training set")
    parser.add_argument("--seed", type=int, default=42, help="seed of every random number")
    parser.add_argument("--num_workers", type=int, default=0, help="loading processes; 0 is usually fastest")
    parser.add_argument("--log_dir", default="AAE_logs", help="folder for logs, checkpoints and images")
    parser.add_argument("--no-cuda", action="store_true", help="train on the CPU even where there is a GPU")
    main(parser.parse_args())

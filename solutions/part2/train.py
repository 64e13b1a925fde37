"""Trains the adversarial autoencoder: `python train.py --help` lists the options."""

import argparse
import sys
import time
from pathlib import Path

import torch
from mnist import mnist
from models import AdversarialAE
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import make_grid, save_image
from tqdm import tqdm
from utils import TensorBoardLogger

EPOCHS_BETWEEN_IMAGES = 10
NUM_SHOWN = 64


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
        # BEGIN SOLUTION 2.4: train_aae, the autoencoder's update
        recon_x, z_fake = model(x)
        ae_loss, logging_ae = model.get_loss_autoencoder(x, recon_x, z_fake, lambda_)
        optimizer_ae.zero_grad()
        ae_loss.backward()
        optimizer_ae.step()
        # END SOLUTION
        logger_ae.add_values(logging_ae)

        # Compute the discriminator's loss, and take a step with its optimizer. The update above left
        # gradients in the discriminator: start from zero. Keep the losses as `logging_disc` (while you
        # work on question 2.4, an empty dictionary does).
        # BEGIN SOLUTION 2.5: train_aae, the discriminator's update
        disc_loss, logging_disc = model.get_loss_discriminator(z_fake)
        optimizer_disc.zero_grad()
        disc_loss.backward()
        optimizer_disc.step()
        # END SOLUTION
        logger_disc.add_values(logging_disc)


@torch.no_grad()
def save_images(
    model: AdversarialAE, images: torch.Tensor, epoch: int, folder: Path, summary_writer: SummaryWriter
) -> None:
    """Saves reconstructions of the given images, and new samples, in rows of eight.

    Args:
        model: the model.
        images: [64, 1, 28, 28] in [-1, 1].
        epoch: number of finished epochs.
        folder: receives the image files, and the originals among them.
        summary_writer: receives the same images for TensorBoard.
    """
    was_training = model.training
    model.eval()
    grids = {"originals": images, "reconstructions": model(images)[0]}
    try:
        torch.manual_seed(0)  # the same codes after every epoch
        grids["samples"] = model.sample(len(images))
    except NotImplementedError as question:
        print(f"No samples yet. {question}")  # question 2.4 can be trained without 2.5
    for name, grid_images in grids.items():
        grid = make_grid((grid_images + 1) / 2, nrow=8, padding=2, pad_value=0.5)
        summary_writer.add_image(name, grid, global_step=epoch)
        save_image(
            grid, folder / ("originals.png" if name == "originals" else f"{name}_epoch_{epoch:03d}.png")
        )
    model.train(was_training)


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
    # BEGIN SOLUTION 2.5: main, the two optimizers
    autoencoder_parameters = [*model.encoder.parameters(), *model.decoder.parameters()]
    optimizer_ae = torch.optim.Adam(autoencoder_parameters, lr=args.ae_lr, betas=(0.5, 0.999))
    optimizer_disc = torch.optim.SGD(model.discriminator.parameters(), lr=args.d_lr)
    # END SOLUTION

    log_dir = Path(args.log_dir)
    log_dir.mkdir(parents=True, exist_ok=True)
    summary_writer = SummaryWriter(log_dir)
    logger_ae = TensorBoardLogger(summary_writer, name="autoencoder")
    logger_disc = TensorBoardLogger(summary_writer, name="discriminator")

    # All that has to be remembered for a training to go on after an interruption.
    state = {
        "model": model,
        "optimizer_ae": optimizer_ae,
        "optimizer_disc": optimizer_disc,
        "logger_ae": logger_ae,
        "logger_disc": logger_disc,
    }
    checkpoint = log_dir / "checkpoint.pt"
    finished = finished_epochs(checkpoint, state, args.epochs) if checkpoint.exists() else 0

    # The same training images in every run and epoch, scaled as in a batch.
    shown = train_loader.collate_fn(train_loader.dataset[:NUM_SHOWN])[0].to(device)
    if finished == 0:
        save_images(model, shown, 0, log_dir, summary_writer)
    for epoch in range(finished + 1, args.epochs + 1):
        # Seeded by its number, an epoch draws the same whether or not training was interrupted before it.
        torch.manual_seed(args.seed + 1_000_000 * epoch)
        began = time.monotonic()
        batches = train_loader
        if getattr(args, "progress_bar", False):
            batches = tqdm(train_loader, f"Epoch {epoch} of {args.epochs}", unit="batch", leave=False)
            batches.dataset = train_loader.dataset  # `len(train_loader.dataset)` is a common thing to ask
        train_aae(epoch, model, batches, logger_ae, logger_disc, optimizer_ae, optimizer_disc, args.lambda_)

        row = {"epoch": epoch, **logger_ae.epoch_means(), **logger_disc.epoch_means()}
        row["seconds"] = time.monotonic() - began
        print(
            f"Epoch {epoch} of {args.epochs}: reconstruction loss {row.get('recon_loss', float('nan')):.4f}"
        )
        if epoch % EPOCHS_BETWEEN_IMAGES == 0 or epoch == args.epochs:
            save_images(model, shown, epoch, log_dir, summary_writer)
        save_epoch(row, state, log_dir)
    summary_writer.close()
    save_results(args, model, train_loader)


def finished_epochs(checkpoint: Path, state: dict[str, object], epochs: int) -> int:
    """Goes back to the last finished epoch; returns its number.

    Args:
        checkpoint: what `save_epoch` has written.
        state: receives it.
        epochs: number of epochs wanted, for the message.
    """
    from runs import load_state

    finished = load_state(checkpoint, state)["epoch"]
    print(f"{finished} of {epochs} epochs are done already, in {checkpoint.parent}")
    return finished


def save_epoch(row: dict[str, float], state: dict[str, object], log_dir: Path) -> None:
    """Keeps what an epoch has come to; the checkpoint, which comes last, makes it count as finished.

    Args:
        row: for the table of metrics.
        state: all that going on needs.
        log_dir: the run's folder.
    """
    from runs import CHECKPOINT, METRICS, add_row, save_state

    add_row(log_dir / METRICS, row)
    save_state(log_dir / CHECKPOINT, state, epoch=row["epoch"])


@torch.no_grad()
def reconstruct(model: AdversarialAE, images: torch.Tensor) -> torch.Tensor:
    """Reconstructs many images, some hundred at a time; [N, 1, 28, 28] in [-1, 1], all on the CPU."""
    model.eval()
    return torch.cat([model(part.to(model.encoder.device))[0].cpu() for part in images.split(500)])


def save_results(args: argparse.Namespace, model: AdversarialAE, train_loader: DataLoader) -> None:
    """Measures the reconstruction loss over the whole training set, and draws the figures of the report.

    Args:
        args: the command-line options of this file.
        model: after training.
        train_loader: loader of the training set.
    """
    from figures import SHOWN_EPOCHS, draw_by_digit, draw_losses, draw_over_time, publish_figures
    from runs import METRICS, SUMMARY, read_rows, write_rows

    log_dir = Path(args.log_dir)
    images, labels = train_loader.collate_fn(train_loader.dataset[:])  # [60000, 1, 28, 28] in [-1, 1]
    loss = torch.nn.functional.mse_loss(reconstruct(model, images), images).item()
    write_rows(log_dir / SUMMARY, [{"train_reconstruction_loss": f"{loss:.6g}"}])

    kind = "autoencoder" if args.lambda_ == 1 else "adversarial autoencoder"
    title = f"{kind}, {args.z_dim} latent dimensions, λ = {args.lambda_:g}"
    chosen = [int((labels == digit).nonzero()[number]) for number in range(3) for digit in range(10)]
    draw_by_digit(images[chosen], reconstruct(model, images[chosen]), loss, title, log_dir)
    rows = read_rows(log_dir / METRICS)
    draw_losses(rows, title, log_dir)
    epochs = [epoch for epoch in SHOWN_EPOCHS if epoch < len(rows)] + [len(rows)]
    for pictures in ("reconstructions", "samples"):
        draw_over_time(pictures, epochs, title, log_dir)
    print(f"Reconstruction loss over the training set: {loss:.4f}. Everything of this run is in {log_dir}")
    if figures := getattr(args, "figures", None):
        for figure in publish_figures(log_dir, Path(figures), args.z_dim, args.lambda_):
            print(f"Figure for the report: {figure}")


NAMED_BY = ("z_dim", "lambda_")  # a folder of its own for every combination


def command_line() -> argparse.ArgumentParser:
    """The options."""
    from commands import add_common_options, fraction, natural, positive

    parser = argparse.ArgumentParser(
        prog="train.py", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--z_dim", type=natural, default=8, help="number of latent dimensions")
    parser.add_argument("--batch_size", type=natural, default=64, help="images per batch")
    parser.add_argument("--lambda_", type=fraction, default=0.995, help="weight of the reconstruction loss")
    parser.add_argument("--ae_lr", type=positive, default=1e-3, help="learning rate of the autoencoder")
    parser.add_argument("--d_lr", type=positive, default=5e-3, help="learning rate of the discriminator")
    parser.add_argument("--epochs", type=natural, default=100, help="passes over the training set")
    add_common_options(parser, log_dir="AAE_logs")
    parser.add_argument("--no-cuda", action="store_true", help="train on the CPU even where there is a GPU")
    return parser


if __name__ == "__main__":
    from commands import run

    sys.exit(run(main, command_line(), NAMED_BY))

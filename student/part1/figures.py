"""The figures that the questions of part 1 ask for. Provided; nothing to write here."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from drawing import BLUE, GREY, ORANGE, grid, publish, save, show
from evidence import publish_evidence
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

CURVES, MANIFOLD = "bpd_curves.png", "manifold.png"
SHOWN_SAMPLES = (0, 10, 80)  # the epochs that question 1.8 asks for


def samples_name(epoch: int) -> str:
    """The file with the samples after so many epochs."""
    return f"samples_epoch_{epoch:03d}.png"


def draw_samples(samples: torch.Tensor, epoch: int, log_dir: Path) -> None:
    """Draws samples in rows of eight.

    Args:
        samples: [N, 1, 28, 28], grey levels 0..15.
        epoch: number of finished epochs.
        log_dir: receives the figure.
    """
    figure = Figure(figsize=(5, 5.3), layout="constrained")
    when = "before training" if epoch == 0 else f"after {epoch} epoch{'s' if epoch > 1 else ''}"
    show(figure.add_subplot(), grid(samples.float() / 15), f"Samples of the VAE {when}")
    save(figure, log_dir / samples_name(epoch))


def draw_curves(rows: Sequence[Mapping[str, str]], test_bpd: float, z_dim: int, log_dir: Path) -> None:
    """Draws the bits per dimension on the training and validation set over the epochs, and the test score.

    The validation set's curve begins with the untrained model. An inset shows the later epochs larger.

    Args:
        rows: the table of metrics, `epoch`, `train_bpd` and `val_bpd`; epoch 0 is the untrained model.
        test_bpd: of the epoch with the best validation score.
        z_dim: number of latent dimensions.
        log_dir: receives the figure.
    """
    epochs = [int(row["epoch"]) for row in rows]
    validation = [float(row["val_bpd"]) for row in rows]
    trained = [row for row in rows if int(row["epoch"]) > 0]
    best = min(trained, key=lambda row: float(row["val_bpd"]))["epoch"]
    figure = Figure(figsize=(7, 4.3), layout="constrained")
    axes = figure.add_subplot()
    marker = "o" if len(rows) < 10 else ""

    def draw(on: Axes) -> None:
        training = [float(row["train_bpd"]) for row in trained]
        name = "training set (mean of the epoch)"
        on.plot(epochs[-len(trained) :], training, color=BLUE, marker=marker, markersize=3, label=name)
        on.plot(epochs, validation, color=ORANGE, marker=marker, markersize=3, label="validation set")
        on.axhline(test_bpd, color=GREY, linestyle="--", linewidth=1, label=f"test set: {test_bpd:.3f} bpd")
        lowest = validation[epochs.index(int(best))]
        on.plot([int(best)], [lowest], "o", color=ORANGE, label=f"best epoch: {best}, used for the test")
        on.grid(alpha=0.3)

    draw(axes)
    if len(trained) > 5:
        later = [float(row[name]) for row in trained[1:] for name in ("train_bpd", "val_bpd")] + [test_bpd]
        margin = 0.1 * (max(later) - min(later)) + 0.005
        inset = axes.inset_axes((0.33, 0.2, 0.65, 0.45))
        draw(inset)
        inset.set_ylim(min(later) - margin, max(later) + margin)
        inset.set_xlim(int(trained[1]["epoch"]), epochs[-1])
        inset.set_title(f"from epoch {trained[1]['epoch']} on", fontsize=9)
        inset.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    axes.set_ylabel("negative ELBO in bits per dimension")
    axes.set_title(f"VAE with {z_dim} latent dimensions")
    axes.legend(frameon=False, loc="upper right")
    save(figure, log_dir / CURVES)


def draw_manifold(manifold: torch.Tensor, log_dir: Path) -> None:
    """Draws the data manifold of a VAE with two latent dimensions.

    Args:
        manifold: what `visualize_manifold` returns, one image of 20 x 20 images.
        log_dir: receives the figure.
    """
    manifold = manifold.float()
    if manifold.max() > 1:  # grey levels 0..15 are as good as 0..1
        manifold = manifold / 15
    figure = Figure(figsize=(7, 7.3), layout="constrained")
    axes = figure.add_subplot()
    show(
        axes,
        manifold,
        "Means of p(x|z) over the latent plane,\neach axis from the 2.5th to the 97.5th percentile",
    )
    save(figure, log_dir / MANIFOLD)


def publish_figures(log_dir: Path, figures: Path, z_dim: int) -> list[Path]:
    """Copies the figures that a question asks for: 1.7 and 1.8 want 20 latent dimensions, 1.9 wants 2."""
    names = {}
    if z_dim == 20:
        names[CURVES] = f"1.7_{CURVES}"
        names |= {samples_name(epoch): f"1.8_{samples_name(epoch)}" for epoch in SHOWN_SAMPLES}
    if z_dim == 2:
        names[MANIFOLD] = f"1.9_{MANIFOLD}"
    if names:
        shown = SHOWN_SAMPLES[1:-1] if z_dim == 20 else ()
        publish_evidence(log_dir, figures, f"vae_z_dim_{z_dim}", shown)
    return publish(log_dir, figures, names)

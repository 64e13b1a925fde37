"""The figures that the questions of part 1 ask for. Provided; nothing to write here."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from drawing import BLUE, GREY, ORANGE, after, count_epochs, grid, new_figure, publish, save, show
from evidence import publish_evidence

CURVES, MANIFOLD = "bpd_curves.png", "manifold.png"
SHOWN_SAMPLES = (0, 10, 80)  # the epochs that question 1.8 asks for


def samples_name(epoch: int) -> str:
    """The file with the samples after so many epochs."""
    return f"samples_epoch_{epoch:03d}.png"


def draw_samples(samples: torch.Tensor, epoch: int, log_dir: Path) -> None:
    """Draws samples [N, 1, 28, 28], grey levels 0..15, in rows of eight."""
    figure = new_figure(5, 5.3)
    show(figure.add_subplot(), grid(samples.float() / 15), f"Samples of the VAE {after(epoch)}")
    save(figure, log_dir / samples_name(epoch))


def draw_curves(rows: Sequence[Mapping[str, float]], test_bpd: float, z_dim: int, log_dir: Path) -> None:
    """Draws the curves of the table of metrics, and the test score of the best epoch.

    The validation set's begins with the untrained model, epoch 0. An inset shows the later epochs larger.
    """
    curves = {
        name: [(row["epoch"], row[name]) for row in rows if name in row] for name in ("train_bpd", "val_bpd")
    }
    best = min((point for point in curves["val_bpd"] if point[0] > 0), key=lambda point: point[1])
    style = {"marker": "o" if len(rows) < 10 else "", "markersize": 3}

    def draw(on: Any) -> None:
        training = "training set (mean of the epoch)"
        on.plot(*zip(*curves["train_bpd"], strict=True), color=BLUE, label=training, **style)
        on.plot(*zip(*curves["val_bpd"], strict=True), color=ORANGE, label="validation set", **style)
        on.axhline(test_bpd, color=GREY, linestyle="--", linewidth=1, label=f"test set: {test_bpd:.3f} bpd")
        on.plot(*best, "o", color=ORANGE, label=f"best epoch: {best[0]:.0f}, used for the test")
        on.grid(alpha=0.3)
        count_epochs(on)

    figure = new_figure(7, 4.3)
    axes = figure.add_subplot()
    draw(axes)
    later = [value for points in curves.values() for epoch, value in points if epoch > 1] + [test_bpd]
    if len(rows) > 6:
        margin = 0.1 * (max(later) - min(later)) + 0.005
        inset = axes.inset_axes((0.33, 0.2, 0.65, 0.45))
        draw(inset)
        inset.set(ylim=(min(later) - margin, max(later) + margin), xlim=(2, rows[-1]["epoch"]), xlabel="")
        inset.set_title("from epoch 2 on", fontsize=9)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("negative ELBO in bits per dimension")
    axes.set_title(f"VAE with {z_dim} latent dimensions")
    axes.legend(frameon=False, loc="upper right")
    save(figure, log_dir / CURVES)


def draw_manifold(manifold: torch.Tensor, log_dir: Path) -> None:
    """Draws what `visualize_manifold` returns: one image of 20 x 20 images."""
    manifold = manifold.float()
    if manifold.max() > 1:  # grey levels 0..15 are as good as 0..1
        manifold = manifold / 15
    figure = new_figure(7, 7.3)
    where = "each axis from the 2.5th to the 97.5th percentile"
    show(figure.add_subplot(), manifold, f"Means of p(x|z) over the latent plane,\n{where}")
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

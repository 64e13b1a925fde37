"""The figures that the questions of part 2 ask for. Provided; nothing to write here."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from drawing import BLUE, GREY, ORANGE, grid, publish, save, show
from evidence import publish_evidence
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.ticker import MaxNLocator

SHOWN_EPOCHS = (0, 20, 50, 100)  # those that questions 2.5 and 2.6 ask for
ORIGINALS = "originals.png"
BY_DIGIT = "reconstructions_by_digit.png"
OVER_TIME = {kind: f"{kind}_over_time.png" for kind in ("reconstructions", "samples")}
CURVES = "loss_curves.png"


def grid_name(kind: str, epoch: int) -> str:
    """The file with the `reconstructions` or `samples` after so many epochs."""
    return f"{kind}_epoch_{epoch:03d}.png"


def draw_by_digit(
    images: torch.Tensor, recon_images: torch.Tensor, loss: float, title: str, log_dir: Path
) -> None:
    """Draws images of every digit with their reconstructions below them.

    Args:
        images: [3 * 10, 1, 28, 28] in [-1, 1], digits 0 to 9 three times.
        recon_images: their reconstructions, same shape.
        loss: mean reconstruction loss over the training set.
        title: says which model it is.
        log_dir: receives the figure.
    """
    pairs = zip(images.split(10), recon_images.split(10), strict=True)
    rows = torch.cat([row for pair in pairs for row in pair])
    figure = Figure(figsize=(7, 4.9), layout="constrained")
    axes = figure.add_subplot()
    show(
        axes,
        grid((rows + 1) / 2, columns=10),
        f"{title}\nreconstruction loss {loss:.4f} over the training set",
    )
    axes.set_axis_on()
    axes.set_xticks([16 + 30 * digit for digit in range(10)], [str(digit) for digit in range(10)])
    axes.set_yticks([16 + 30 * row for row in range(6)], ["original", "reconstructed"] * 3)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    save(figure, log_dir / BY_DIGIT)


def draw_over_time(kind: str, epochs: Sequence[int], title: str, log_dir: Path) -> None:
    """Draws the reconstructions or the samples of several epochs side by side.

    Args:
        kind: `reconstructions`, which get the originals beside them, or `samples`.
        epochs: numbers of finished epochs; those without a picture are left out.
        title: says which model it is.
        log_dir: the run's folder, which holds the grids and receives the figure.
    """
    panels = {}
    for epoch in epochs:
        name = "before training" if epoch == 0 else f"after {epoch} epoch{'s' * (epoch > 1)}"
        panels[name] = grid_name(kind, epoch)
    if kind == "reconstructions":
        panels = {"originals": ORIGINALS, **panels}
    panels = {name: file for name, file in panels.items() if (log_dir / file).exists()}
    if not panels:
        return
    figure = Figure(figsize=(2.7 * len(panels), 3.2), layout="constrained")
    for axes, (name, file) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        show(axes, torch.from_numpy(imread(log_dir / file)[:, :, :3].copy()).permute(2, 0, 1), name)
    figure.suptitle(f"{title}: {kind}", fontsize=11)
    save(figure, log_dir / OVER_TIME[kind])


def draw_losses(rows: Sequence[Mapping[str, str]], title: str, log_dir: Path) -> None:
    """Draws the losses over the epochs: reconstruction above, generator and discriminator below.

    Args:
        rows: the table of metrics.
        title: says which model it is.
        log_dir: receives the figure.
    """
    figure = Figure(figsize=(7, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, name, label, color in (
        (above, "recon_loss", "reconstruction", BLUE),
        (below, "gen_loss", "generator", BLUE),
        (below, "disc_loss", "discriminator", ORANGE),
    ):
        points = [(int(row["epoch"]), float(row[name])) for row in rows if row.get(name)]
        marker = "o" if len(points) < 10 else ""
        axes.plot(*zip(*points, strict=True) if points else ([], []), color=color, label=label, marker=marker)
    above.set_ylabel("squared error per pixel")
    below.set_ylabel("cross-entropy in nats")
    below.axhline(0.6931, color=GREY, linestyle="--", linewidth=1, label="ln 2: a guess")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    below.set_xlabel("epoch")
    above.set_title(f"{title}\nlosses on the training set, mean of each epoch", fontsize=10)
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    save(figure, log_dir / CURVES)


def publish_figures(log_dir: Path, figures: Path, z_dim: int, lambda_: float) -> list[Path]:
    """Copies the figures that a question asks for: 2.4 to 2.7 want certain latent dimensions and lambdas."""
    plain = lambda_ == 1
    reconstructions, samples = OVER_TIME["reconstructions"], OVER_TIME["samples"]
    names = {}
    if z_dim == 8 and plain:
        names = {BY_DIGIT: "2.4_reconstructions.png"}
    elif z_dim == 8:
        names = {reconstructions: "2.5_reconstructions.png", samples: "2.5_samples.png"}
    elif z_dim == 2:
        kind = "autoencoder" if plain else "adversarial"
        names = {
            reconstructions: f"2.6_{kind}_reconstructions.png",
            samples: f"2.6_{kind}_samples.png",
        }
    elif z_dim == 20 and not plain:
        names = {samples: "2.7_samples.png"}
    if names:
        shown = () if z_dim == 8 and plain else SHOWN_EPOCHS[1:-1]
        publish_evidence(log_dir, figures, f"aae_z_dim_{z_dim}_lambda_{lambda_:g}", shown)
    return publish(log_dir, figures, names)

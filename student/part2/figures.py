"""The figures that the questions of part 2 ask for. Provided; nothing to write here."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from drawing import BLUE, GREY, ORANGE, after, count_epochs, grid, new_figure, publish, save, show
from evidence import publish_evidence
from torchvision.io import read_image

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
    """Draws images, digits 0 to 9 three times, above their reconstructions; [30, 1, 28, 28] in [-1, 1]."""
    pairs = zip(images.split(10), recon_images.split(10), strict=True)
    rows = torch.cat([row for pair in pairs for row in pair])
    figure = new_figure(7, 4.9)
    axes = figure.add_subplot()
    score = f"reconstruction loss {loss:.4f} over the training set"
    show(axes, grid((rows + 1) / 2, columns=10), f"{title}\n{score}")
    axes.set_axis_on()
    axes.set_xticks([16 + 30 * digit for digit in range(10)], [str(digit) for digit in range(10)])
    axes.set_yticks([16 + 30 * row for row in range(6)], ["original", "reconstructed"] * 3)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    save(figure, log_dir / BY_DIGIT)


def draw_over_time(kind: str, epochs: Sequence[int], title: str, log_dir: Path) -> None:
    """Draws the `reconstructions` or `samples` of several epochs side by side; those without are left out."""
    panels = {"originals": ORIGINALS} if kind == "reconstructions" else {}
    panels |= {after(epoch): grid_name(kind, epoch) for epoch in epochs}
    panels = {name: file for name, file in panels.items() if (log_dir / file).exists()}
    if not panels:
        return
    figure = new_figure(2.7 * len(panels), 3.2)
    places = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (name, file) in zip(places, panels.items(), strict=True):
        show(axes, read_image(str(log_dir / file)) / 255, name)
    figure.suptitle(f"{title}: {kind}", fontsize=11)
    save(figure, log_dir / OVER_TIME[kind])


def draw_losses(rows: Sequence[Mapping[str, float]], title: str, log_dir: Path) -> None:
    """Draws the losses of the table of metrics: reconstruction above, generator and discriminator below."""
    figure = new_figure(7, 5)
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, name, label, color in (
        (above, "recon_loss", "reconstruction", BLUE),
        (below, "gen_loss", "generator", BLUE),
        (below, "disc_loss", "discriminator", ORANGE),
    ):
        points = [(row["epoch"], row[name]) for row in rows if name in row]
        marker = "o" if len(points) < 10 else ""
        axes.plot(*zip(*points, strict=True) if points else ([], []), color=color, label=label, marker=marker)
    above.set_ylabel("squared error per pixel")
    below.set_ylabel("cross-entropy in nats")
    below.axhline(0.6931, color=GREY, linestyle="--", linewidth=1, label="ln 2: a guess")
    count_epochs(below)
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
        names = {each: f"2.6_{kind}_{each.partition('_')[0]}.png" for each in (reconstructions, samples)}
    elif z_dim == 20 and not plain:
        names = {samples: "2.7_samples.png"}
    if names:
        shown = () if z_dim == 8 and plain else SHOWN_EPOCHS[1:-1]
        publish_evidence(log_dir, figures, f"aae_z_dim_{z_dim}_lambda_{lambda_:g}", shown)
    return publish(log_dir, figures, names)

"""Grids of small images as titled figures. Provided; part 1 and part 2 have the same file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from runs import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#2a6fbb", "#d1762b", "#777777"


def make_grid(images: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """Lays images out in rows: `make_grid` of `torchvision.utils`, with the same arguments.

    To import torchvision takes half as long as PyTorch itself, so this waits for the first call: most of what
    you try while you write needs no pictures.
    """
    from torchvision import utils

    return utils.make_grid(images, *args, **kwargs)


def grid(images: torch.Tensor, columns: int = 8) -> torch.Tensor:
    """Lays images out in rows.

    Args:
        images: [N, 1, H, W], grey values in [0, 1].
        columns: images per row.

    Returns:
        [3, height, width], grey lines between the images.
    """
    return make_grid(images.detach().cpu().float(), nrow=columns, padding=2, pad_value=0.5)


def show(axes: Axes, image: torch.Tensor, title: str) -> None:
    """Shows a grid of images under a title.

    Args:
        axes: where.
        image: [3, height, width] or [height, width], grey values in [0, 1].
        title: one or two lines.
    """
    image = image.detach().cpu().float().clamp(0, 1)
    if image.dim() == 3:
        image = image.expand(3, *image.shape[1:]).permute(1, 2, 0)  # [height, width, 3]
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def save(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    write_atomically(path, buffer.getvalue())


def publish(log_dir: Path, figures: Path, names: Mapping[str, str]) -> list[Path]:
    """Copies figures of a run to where the report shows them.

    Args:
        log_dir: the run's folder.
        figures: the report's folder of figures.
        names: what a figure of the run is called there, for those that a question asks for.

    Returns:
        The copies; a figure that the run has not come to is left out.
    """
    copies = []
    for own, published in names.items():
        if (log_dir / own).exists():
            figures.mkdir(parents=True, exist_ok=True)
            write_atomically(figures / published, (log_dir / own).read_bytes())
            copies.append(figures / published)
    return copies

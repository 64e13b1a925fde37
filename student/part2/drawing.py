"""Grids of small images as titled figures. Provided; part 1 and part 2 have the same file.

torchvision and matplotlib are imported where they are needed: most of what you try while you write needs
no pictures, and they take as long to import as PyTorch itself.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

BLUE, ORANGE, GREY = "#2a6fbb", "#d1762b", "#777777"


def make_grid(images: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """Lays images out in rows: `make_grid` of `torchvision.utils`, with the same arguments."""
    from torchvision import utils

    return utils.make_grid(images, *args, **kwargs)


def new_figure(width: float, height: float) -> Any:
    """An empty figure of so many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def grid(images: torch.Tensor, columns: int = 8) -> torch.Tensor:
    """Lays images [N, 1, H, W] in [0, 1] out in rows: [3, height, width], with grey lines between them."""
    return make_grid(images.detach().cpu().float(), nrow=columns, padding=2, pad_value=0.5)


def show(axes: Any, image: torch.Tensor, title: str) -> None:
    """Shows an image, [3, height, width] or [height, width] in [0, 1], under a title."""
    image = image.detach().cpu().float().clamp(0, 1)
    if image.dim() == 3:
        image = image.expand(3, *image.shape[1:]).permute(1, 2, 0)  # [height, width, 3]
    axes.imshow(image.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def after(epoch: int) -> str:
    """When it was, in words."""
    return "before training" if epoch == 0 else f"after {epoch} epoch{'s' * (epoch > 1)}"


def count_epochs(axes: Any) -> None:
    """Makes epochs the horizontal axis: whole numbers."""
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)


def save(figure: Any, path: Path) -> None:
    """Writes a figure as PNG."""
    figure.savefig(path, format="png", dpi=110)


def publish(log_dir: Path, figures: Path, names: Mapping[str, str]) -> list[Path]:
    """Copies those figures of a run that are there to where the report shows them, under other names."""
    figures.mkdir(parents=True, exist_ok=True)
    return [
        Path(shutil.copyfile(log_dir / own, figures / published))
        for own, published in names.items()
        if (log_dir / own).exists()
    ]

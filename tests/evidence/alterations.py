"""What somebody does to a grid of images to make it look better than what the weights draw."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import avg_pool2d, max_pool2d

Altered = Callable[[torch.Tensor], torch.Tensor]


def gamma(power: float) -> Altered:
    """Brighter below 1, darker above."""
    return lambda images: images**power


def stretched(factor: float) -> Altered:
    """With more contrast."""
    return lambda images: (factor * (images - 0.5) + 0.5).clamp(0, 1)


def blurred(images: torch.Tensor) -> torch.Tensor:
    """Each pixel the mean of nine."""
    return avg_pool2d(images, 3, 1, 1)


def medians(images: torch.Tensor) -> torch.Tensor:
    """Each pixel the median of nine."""
    nine = torch.nn.functional.unfold(images, 3, padding=1).view(len(images), 9, 28, 28)
    return nine.median(dim=1, keepdim=True).values


ALTERATIONS: dict[str, Altered] = {
    **{f"gamma {power}": gamma(power) for power in (0.5, 0.7, 0.8, 0.85, 1.2, 1.35, 1.5, 2.0)},
    "contrast 1.15": stretched(1.15),
    "contrast 1.6": stretched(1.6),
    "brighter": lambda images: (1.3 * images).clamp(0, 1),
    "blurred": blurred,
    "medians": medians,
    "sharpened": lambda images: (2 * images - blurred(images)).clamp(0, 1),
    "black and white": lambda images: (images > 0.3).float(),
    "thicker": lambda images: max_pool2d(images, 2, 1, 1)[..., :28, :28],
    "without faint pixels": lambda images: torch.where(images < 0.25, 0, images),
    "four levels": lambda images: (3 * images).round() / 3,
    "inverted": lambda images: 1 - images,
}

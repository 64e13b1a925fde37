"""What the pixels of samples tell of the latents behind them, where the decoder's images spell these out.

A stand-in decoder shows each latent's percentile, four digits to the base 16, in pixels that nobody knows
beforehand. So a sample is judged by its images, and nothing that the session says of it has to be believed.
"""

from __future__ import annotations

import torch

from grader.suites.draw import Draw

PIXELS = 784
LEVELS = 16
DIGITS = 4  # to the base 16: percentiles in steps of 1 / 65,536
# The share of the pixels that agree on their digits. In right code all do, but for one pixel in 10^11.
AGREEING = 0.97
# Standard errors above what other orders of the images give.
FOLLOWING = 6.0


def places_of(draw: Draw, z_dim: int) -> torch.Tensor:
    """Which digit each pixel shows, int64 `[784]`: `DIGITS * latent + digit`, in several pixels each.

    The pixels that are left show the levels themselves: `DIGITS * z_dim + level`, one pixel each.
    """
    digits = DIGITS * z_dim
    copies = (PIXELS - LEVELS) // digits
    shown = [torch.arange(digits).repeat_interleave(copies), digits + torch.arange(LEVELS)]
    spare = torch.zeros(PIXELS - digits * copies - LEVELS, dtype=torch.int64)  # one more of the first digit
    return torch.cat([*shown, spare])[draw.order(PIXELS)]


def told_latents(images: torch.Tensor, places: torch.Tensor, z_dim: int) -> torch.Tensor | None:
    """The latents that images spell out, `[N, z_dim]`, float64; nothing where they spell out none.

    Args:
        images: `[N, 1, 28, 28]` of grey levels 0..15.
        places: what `places_of` has given.
        z_dim: how many latents there are.
    """
    digits = DIGITS * z_dim
    pixels = images.flatten(1).round()
    copies = (PIXELS - LEVELS) // digits
    order = places.argsort()  # the pixels of a digit are neighbours, those of the levels last
    shown = pixels[:, order[-LEVELS - digits * copies : -LEVELS]].reshape(len(images), digits, copies)
    levels = shown.median(dim=2).values  # [N, digits]
    agreeing = torch.cat(
        [
            (shown == levels[..., None]).double().flatten(),
            (pixels[:, order[-LEVELS:]] == torch.arange(LEVELS)).double().flatten(),
        ]
    )
    exact = bool((pixels[:, order[-LEVELS:]].median(dim=0).values == torch.arange(LEVELS)).all())
    if not exact or float(agreeing.mean()) < AGREEING or float(levels.min()) < 0 or float(levels.max()) > 15:
        return None
    weights = 16.0 ** -torch.arange(1, DIGITS + 1, dtype=torch.float64)
    shares = levels.view(len(images), z_dim, DIGITS) @ weights
    return torch.special.ndtri(shares + weights[-1] / 2)


def follow(images: torch.Tensor, latents: torch.Tensor) -> bool:
    """Whether the levels of images go with some latents, row by row, better than in any other order.

    It does not matter how: also where classes and pixels are scrambled, or levels shifted.

    Args:
        images: `[N, 1, 28, 28]` of grey levels.
        latents: `[N, z_dim]`, one row for each.
    """
    shares = torch.special.ndtr(latents.double()).clamp(max=1 - 16.0**-DIGITS / 2)
    digits = (shares[..., None] * 16.0 ** torch.arange(1, DIGITS + 1)).floor() % 16
    alike, due = _alike(images.flatten(1).round()), _alike(digits.flatten(1))
    turned = [float((alike * due.roll((turn, turn), (0, 1))).sum()) for turn in range(len(images))]
    own, others = turned[0], torch.tensor(turned[1:], dtype=torch.float64)
    return own > float(others.mean() + FOLLOWING * others.std())


def _alike(levels: torch.Tensor) -> torch.Tensor:
    """In how many places any two rows of levels 0..15 agree, beyond what all rows do; `[N, N]`."""
    ones = torch.nn.functional.one_hot(levels.long().clamp(0, 15), LEVELS).float().flatten(1)
    ones = ones - ones.mean(dim=0)
    return (ones @ ones.T).fill_diagonal_(0.0)

"""What is most likely wrong with a manifold: every cause has to give the latents or pixels that came."""

from __future__ import annotations

import torch

from grader.suites.expect import close

REVERSED = "the grey levels are the other way round"
SHIFTED = "the grey levels run from 1 to 16, not from 0 to 15"
LEVELS = (REVERSED, SHIFTED)  # the right means, shown by other levels
SCALED = "every image is scaled by itself until its brightest pixel is white, though many have none"


def axis_cause(latents: torch.Tensor, grid_size: int) -> str:
    """What is most likely wrong with the values along the axes; empty where nothing is known."""
    if len(latents[:, 0].unique()) == grid_size**2 > grid_size:
        return "the latents are drawn at random: no two places of the grid share a value"
    values = latents[:, 0].double().unique()
    if len(values) != grid_size:
        return ""
    due = (torch.arange(grid_size, dtype=torch.float64) + 0.5) / grid_size

    def even(steps: torch.Tensor) -> bool:
        return bool(((steps.diff() - steps.diff().mean()).abs() < 2e-3).all())

    known = {
        "the CDF is taken of the percentiles, and the inverse CDF is missing": torch.special.ndtr(due),
        "erfinv wants 2 p - 1 for the percentile p, and a factor sqrt(2) in front": torch.erfinv(due),
        "the factor sqrt(2) in front of erfinv is missing": torch.erfinv(2 * due - 1),
    }
    for cause, other in known.items():
        if close(values, other, rtol=1e-3, atol=2e-3):
            return cause
    if even(values) and bool(values.isfinite().all()):
        return "the latents are evenly spaced: the inverse CDF is missing"
    percentiles = torch.special.ndtr(values)
    if even(percentiles):
        low, high = float(percentiles[0]), float(percentiles[-1])
        if abs(low - float(due[0])) + abs(high - float(due[-1])) < 2e-3:
            return "the latents are near the right ones, but not the inverse CDF of the percentiles"
        return (
            f"the percentiles run from {low:.3f} to {high:.3f} instead of {float(due[0]):.3f} to "
            f"{float(due[-1]):.3f}"
        )
    return ""


def decoded_logits(latents: torch.Tensor, both_ends: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """What the stand-in decoder says of latents `[N, 2]`: `[N, 16, 28, 28]`, float64."""
    share = torch.special.ndtr(latents.double())[:, :, None]  # [N, 2, 1]
    ends_ = torch.stack(both_ends).double()  # [2, 2, 16]
    mixed = (1 - share) * ends_[:, 0] + share * ends_[:, 1]  # [N, 2, 16]
    image = mixed.mT.repeat_interleave(14, dim=2)[..., None].repeat(1, 1, 1, 28)
    image[:, :, :, [0, 27]] = -30.0
    image[:, 0, :, 0] = 30.0
    image[torch.arange(len(latents)), torch.where(latents[:, 0] > 0, 15, 7), :, 27] = 30.0
    return image


def places(images: torch.Tensor) -> torch.Tensor:
    """What images `[..., 28, 28]` show in the upper and the lower half, the first and the last column."""
    upper, lower = images[..., 2:12, 3:25], images[..., 16:26, 3:25]
    parts = (upper.mean((-2, -1)), lower.mean((-2, -1)), images[..., 0].mean(-1), images[..., 27].mean(-1))
    return torch.stack(parts, dim=-1)


def same_set(shown: torch.Tensor, other: torch.Tensor, within: float = 0.075) -> bool:
    """Whether every row of either has its place among the other's, whatever their order."""
    distances = torch.cdist(shown, other)
    return float(torch.cat([distances.amin(dim=1), distances.amin(dim=0)]).max()) < within


def pixel_cause(
    shown: torch.Tensor, latents: torch.Tensor, both_ends: tuple[torch.Tensor, torch.Tensor]
) -> str:
    """What is most likely shown instead of the mean, if a known mistake gives these pixels.

    Args:
        shown: the `places` of the images, `[N, 4]`, scaled so that the highest value is 15.
        latents: `[N, 2]`.
        both_ends: logits of either half at both ends of its latent, `[2, 16]` each.
    """
    logits = decoded_logits(latents, both_ends)[..., [5, 20, 5, 5], [10, 10, 0, 27]].mT  # [N, 4, 16]
    levels = torch.arange(16, dtype=torch.float64)
    probabilities = logits.softmax(-1)
    known = {
        "the softmax is missing: the logits themselves weigh the grey levels": (logits, levels),
        "the softmax is over the wrong dimension, the images instead of the 16 classes": (
            logits.softmax(0),
            levels,
        ),
        "a sigmoid takes the place of the softmax over the classes": (logits.sigmoid(), levels),
        "a tanh takes the place of the softmax over the classes": (logits.tanh(), levels),
        "a tanh is applied before the softmax": (logits.tanh().softmax(-1), levels),
        REVERSED: (probabilities, levels.flip(0)),
        SHIFTED: (probabilities, levels + 1),
        "the probability of ink is shown, 1 minus that of level 0, instead of the expected level": (
            probabilities,
            (levels > 0).double(),
        ),
        "the probability of one class is shown: classes are no pixels": (
            probabilities,
            (levels == 0).double(),
        ),
    }
    for cause, (weights, values) in known.items():
        due = weights @ values  # [N, 4]
        if same_set(shown, 15 * due / due.max().clamp(min=1e-12)):
            return cause
    means = probabilities @ levels
    if same_set(shown, 15 * means / means.amax(dim=1, keepdim=True)):
        return SCALED
    return ""


def is_scrambled(shown: torch.Tensor, logits: torch.Tensor) -> bool:
    """Whether images are what a reshape of the decoder's output to rows of 16 takes for the means.

    Args:
        shown: `[N, 28, 28]`, scaled so that the highest value is 15.
        logits: `[N, 16, 28, 28]`.
    """
    levels = torch.arange(16, dtype=torch.float64)
    rows = (logits.reshape(-1, 16).softmax(-1), logits.softmax(1).reshape(-1, 16))
    mixed_up = ((row @ levels).view(-1, 784) for row in rows)
    # The distance of two images of 784 pixels: 0.1 of a grey level in each.
    return any(same_set(shown.flatten(1), 15 * other / other.max(), within=2.8) for other in mixed_up)

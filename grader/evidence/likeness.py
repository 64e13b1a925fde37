"""The images of a figure beside those that the weights draw: as distributions, never pixel by pixel.

How much ink an image has, how many of its pixels are grey, how dark these are, how sharp its edges are, and
how well the networks themselves encode it: images of another model, brightened or sharpened ones, differ in
one of these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from grader.evidence.drawings import manifold_codes
from grader.evidence.estimate import CERTAIN, Z95, Estimate
from grader.evidence.facts import Reason, Verdict
from grader.evidence.measure import outcome
from grader.evidence.networks import BATCH, Networks

DRAWN = 100  # images, beside the 64 of a figure: more say little more, and take a second message
LOOKED_AT = 100  # of a figure: a manifold has 400
BLACK, WHITE = 0.06, 0.94
LEAST = 1e-3  # of what is counted: an image without any ink has no logarithm
# By how much the mean logarithm may differ: what supports a figure, and from where on it is of another model.
LIMITS = {Reason.INK: (0.25, 0.35), Reason.LEVELS: (0.25, 0.35), Reason.SHARPNESS: (0.12, 0.2)}
OF_LOSS = {"part1": (0.15, 0.4), "part2": (0.25, 0.5)}
# By how much the share of dark greys may differ: where each pixel is drawn, 64 images tell it closely.
OF_TONE = {True: (0.05, 0.1), False: (0.15, 0.25)}
LEVELS = 15  # above black
FAINT = 10.0  # white pixels: of fewer, the sharpness of edges says little; of none, nothing
WORST_LAST = (Verdict.SUPPORTED, Verdict.NOT_CHECKABLE, Verdict.CONTRADICTED)


@dataclass(frozen=True)
class Likeness:
    """What the images of a figure are, beside those that the weights draw.

    Attributes:
        verdict: supported where all that was looked at is alike.
        reason: what differs most.
        claimed: its geometric mean over the figure's images.
        measured: the same over images that the weights draw; its error is that of the difference.
    """

    verdict: Verdict
    reason: Reason
    claimed: float
    measured: Estimate


def likeness(networks: Networks, images: torch.Tensor, manifold: bool, draws: torch.Generator) -> Likeness:
    """Compare the images of a figure with what networks draw.

    Args:
        networks: with the weights that the figure is of.
        images: of the figure, float `[N, 1, 28, 28]` in [0, 1].
        manifold: whether they are means over the latent plane, and not samples.
        draws: of codes, pixels and images.

    Raises:
        Unusable: what the networks return is no answer.
        StudentError: the code fails.
    """
    images = images[torch.randperm(len(images), generator=draws)[:LOOKED_AT]]
    shown = _traits(images)
    ways = [(drawn, _traits(drawn)) for drawn in _drawn(networks, manifold, draws)]
    # Some draw the grey levels of each pixel, some the likeliest or the mean of all: the way that is nearest.
    nearest = min(ways, key=lambda way: sum(_apart(shown[one], way[1][one]) for one in shown))
    drawn, own = nearest
    tone = _tone(images, drawn, exact=len(ways) > 1 and nearest is ways[0])
    shown[Reason.LOSS], own[Reason.LOSS] = _levelled(
        (outcome(networks, images, draws).losses, shown), (outcome(networks, drawn, draws).losses, own)
    )
    limits = {**LIMITS, Reason.LOSS: OF_LOSS[networks.training.part]}
    compared = [tone, *(_compared(one, shown[one], own[one], limits[one]) for one in shown)]
    return max(compared, key=lambda one: WORST_LAST.index(one.verdict))


def _traits(images: torch.Tensor) -> dict[Reason, torch.Tensor]:
    """What each image is like, float64 `[N]` each."""
    pixels = images.squeeze(1).double()
    ink = pixels.mean((1, 2))
    edges = pixels.diff(dim=1).abs().sum((1, 2)) + pixels.diff(dim=2).abs().sum((1, 2))
    grey = ((pixels > BLACK) & (pixels < WHITE)).double().mean((1, 2))
    return {
        Reason.INK: ink,
        Reason.LEVELS: grey,
        Reason.SHARPNESS: (edges + FAINT) / (pixels.sum((1, 2)) + FAINT),
    }


def _levelled(*measured: tuple[torch.Tensor, dict[Reason, torch.Tensor]]) -> list[torch.Tensor]:
    """Losses without what the traits of the images make of them, by regression: they vary less then."""
    tables = [
        torch.stack([torch.ones_like(losses), *(_log(trait) for trait in traits.values())], dim=1)
        for losses, traits in measured
    ]
    every = torch.cat(tables).mean(0)
    own, traits = _log(measured[-1][0]), tables[-1]
    slopes = torch.linalg.lstsq(traits, own.unsqueeze(1), driver="gelsd").solution.squeeze(1)
    return [
        (_log(losses) - (table - every) @ slopes).exp()
        for (losses, _), table in zip(measured, tables, strict=True)
    ]


def _log(values: torch.Tensor) -> torch.Tensor:
    return values.clamp(min=LEAST).log()


def _drawn(networks: Networks, manifold: bool, draws: torch.Generator) -> list[torch.Tensor]:
    """Images that the networks draw, in each way in which a figure may show them."""
    if manifold:
        codes = manifold_codes()
        codes = codes[torch.randperm(len(codes), generator=draws)[:DRAWN]]
    else:
        codes = torch.randn(DRAWN, networks.training.z_dim, generator=draws)
    decoded = torch.cat([networks.decode(batch) for batch in codes.split(BATCH)])
    if networks.training.part == "part2":
        return [_as_stored((decoded + 1) / 2)]
    probabilities = decoded.softmax(dim=1)
    mean = _as_stored(torch.einsum("nkhw,k->nhw", probabilities, torch.linspace(0, 1, 16)).unsqueeze(1))
    if manifold:
        return [mean]
    flat = probabilities.permute(0, 2, 3, 1).reshape(-1, 16)
    levels = torch.multinomial(flat, 1, generator=draws).view(len(codes), 1, *decoded.shape[2:])
    return [levels.float() / 15, mean, decoded.argmax(dim=1, keepdim=True).float() / 15]


def _as_stored(images: torch.Tensor) -> torch.Tensor:
    """In 256 levels, as a figure has them."""
    return (images.clamp(0, 1) * 255).round() / 255


def _difference(shown: torch.Tensor, own: torch.Tensor) -> tuple[float, float]:
    """Of the means of the logarithms, and its standard error: a few odd images have little say then."""
    shown, own = _log(shown), _log(own)
    error = (shown.var() / len(shown) + own.var() / len(own)).sqrt()
    # Where few images are odd, a figure may have none of them: as much as they vary together, then.
    together = torch.cat([shown, own]).std() * math.sqrt(1 / len(shown) + 1 / len(own))
    return float(shown.mean() - own.mean()), float(torch.maximum(error, together))


def _apart(shown: torch.Tensor, own: torch.Tensor) -> float:
    difference, error = _difference(shown, own)
    return abs(difference) / max(error, 1e-9)


def _compared(
    reason: Reason, shown: torch.Tensor, own: torch.Tensor, limits: tuple[float, float]
) -> Likeness:
    difference, error = _difference(shown, own)
    mean = math.exp(float(_log(own).mean()))
    verdict = _verdict(difference, error, limits)
    return Likeness(verdict, reason, mean * math.exp(difference), Estimate(mean, mean * error))


def _tone(images: torch.Tensor, drawn: torch.Tensor, exact: bool) -> Likeness:
    """Compare which share of the grey pixels is darker than a level, for the level at which it differs most.

    A grid that was brightened has as much ink and as many grey pixels, where most pixels are black or white.
    """
    shown, own = _darker(images), _darker(drawn)
    both = _share(torch.cat([shown, own]))
    apart = _share(shown) - _share(own)
    level = int(apart.abs().argmax())
    difference, measured = float(apart[level]), float(_share(own)[level])
    error = math.hypot(*(float(_spread(counts, both)[level]) for counts in (shown, own)))
    verdict = _verdict(difference, error, OF_TONE[exact])
    return Likeness(verdict, Reason.TONE, measured + difference, Estimate(measured, error))


def _darker(images: torch.Tensor) -> torch.Tensor:
    """How many grey pixels of each image are no brighter than each level, float64 `[N, 14]`."""
    nearest = (images.flatten(1) * LEVELS).round()
    counts = [((nearest > 0) & (nearest <= level)).sum(1) for level in range(1, LEVELS)]
    return torch.stack(counts, dim=1).double()


def _share(counts: torch.Tensor) -> torch.Tensor:
    return counts.sum(0) / counts[:, -1].sum().clamp(min=1)


def _spread(counts: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """The standard error of a share of the grey pixels, which come by the image."""
    grey = counts[:, -1:]
    return (counts - share * grey).square().sum(0).sqrt() / grey.sum().clamp(min=1)


def _verdict(difference: float, error: float, limits: tuple[float, float]) -> Verdict:
    near, far = limits
    if abs(difference) + Z95 * error <= near:
        return Verdict.SUPPORTED
    if abs(difference) - CERTAIN * error >= far:
        return Verdict.CONTRADICTED
    return Verdict.NOT_CHECKABLE

"""Mistakes in the two losses, each with the number it gives: a cause is claimed where its number came."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn.functional import softplus

from grader.suites.expect import close

SMOOTH = (0.9, 0.8, 0.95, 0.7)  # labels in place of 1, with 1 minus them in place of 0
MOST_DIVISOR = 4096
# How far a ratio of two float32 losses may be from the number that it is taken for.
NEAR = 2e-4


def cross_entropy(logits: torch.Tensor, label: float) -> torch.Tensor:
    """Binary cross-entropy of logits with one label for all, averaged."""
    return (label * softplus(-logits) + (1 - label) * softplus(logits)).mean()


def of_generator(logits: torch.Tensor) -> dict[str, torch.Tensor]:
    """What known mistakes make of the generator's loss."""
    squares, hinge = (f"it is no cross-entropy but {other}" for other in ("least squares", "a hinge loss"))
    saturating = "that is log(1 - D), the saturating loss, which the encoder shall not minimize"
    known = {
        "the target is 0: that is what the discriminator wants": cross_entropy(logits, 0),
        saturating: -cross_entropy(logits, 0),
        "it is the mean logit, not a cross-entropy": -logits.mean(),
        "its sign is flipped": -cross_entropy(logits, 1),
        "the logits go through a sigmoid twice": cross_entropy(logits.sigmoid(), 1),
        "the target is -1": (softplus(-logits) + 2 * logits).mean(),
        f"{squares} of logits": (logits - 1).square().mean(),
        f"{squares} of logits, halved": (logits - 1).square().mean() / 2,
        f"{squares} of probabilities": (logits.sigmoid() - 1).square().mean(),
        hinge: (1 - logits).relu().mean(),
    }
    for label in SMOOTH:
        known[f"the label is {label} instead of 1 (label smoothing)"] = cross_entropy(logits, label)
    return known


def of_discriminator(real: torch.Tensor, fake: torch.Tensor) -> dict[str, torch.Tensor]:
    """What known mistakes make of the sum of the discriminator's two terms."""
    squares, hinge = (f"it is no cross-entropy but {other}" for other in ("least squares", "a hinge loss"))
    to_real, to_fake = cross_entropy(real, 1), cross_entropy(fake, 0)
    known = {
        "the labels are flipped": cross_entropy(real, 0) + cross_entropy(fake, 1),
        "both kinds have target 1": to_real + cross_entropy(fake, 1),
        "both kinds have target 0": cross_entropy(real, 0) + to_fake,
        "the fake codes have target -1": to_real + (softplus(fake) + fake).mean(),
        "the loss of the fake codes is subtracted instead of added": to_real - to_fake,
        "the loss of the real codes is subtracted instead of added": to_fake - to_real,
        "its sign is flipped": -to_real - to_fake,
        "the logits go through a sigmoid twice": cross_entropy(real.sigmoid(), 1)
        + cross_entropy(fake.sigmoid(), 0),
        "it is the difference of the mean logits, not a cross-entropy": fake.mean() - real.mean(),
        hinge: (1 - real).relu().mean() + (1 + fake).relu().mean(),
        f"{squares} of logits": (real - 1).square().mean() + fake.square().mean(),
        f"{squares} of probabilities": (real.sigmoid() - 1).square().mean() + fake.sigmoid().square().mean(),
        "only the real codes count": to_real,
        "only the fake codes count": to_fake,
        "the loss of the fake codes counts half as much as that of the real ones": to_real + to_fake / 2,
        "the loss of the real codes counts half as much as that of the fake ones": to_real / 2 + to_fake,
        "the loss of the fake codes counts twice as much as that of the real ones": to_real + 2 * to_fake,
        "the loss of the real codes counts twice as much as that of the fake ones": 2 * to_real + to_fake,
    }
    for label in SMOOTH:
        real_only = cross_entropy(real, label) + to_fake
        both = cross_entropy(real, label) + cross_entropy(fake, 1 - label)
        known[f"the label of the real codes is {label} instead of 1 (label smoothing)"] = real_only
        known[f"the labels are {label} and {1 - label:.2g} instead of 1 and 0 (label smoothing)"] = both
    return known


def fitting(
    value: torch.Tensor, known: Mapping[str, torch.Tensor], shares: tuple[float, ...] = (1.0,)
) -> str:
    """The first mistake that gives this value, or a share of it; empty where none does."""
    for cause, other in known.items():
        if any(close(value, share * other, rtol=1e-4, atol=1e-6) for share in shares):
            return cause
    return ""


Ratio = Callable[[int], float]


def factor(ratio: Ratio, elements: int = 1, shares: tuple[float, ...] = (1.0,)) -> str:
    """How a loss is averaged, or multiplied, instead of as it should be; empty where nothing fits.

    Args:
        ratio: the loss of a batch of this size, divided by what it should be.
        elements: numbers that are averaged for each member of the batch.
        shares: ratios that are right.
    """
    counts = (5, 3)
    found = [ratio(count) for count in counts]

    def fits(numerator: float, power: int = 0) -> bool:
        """Whether the ratio is this number times a power of the batch size."""
        due = [numerator * count**power for count in counts]
        return any(
            all(abs(r - share * d) <= NEAR * abs(share * d) for r, d in zip(found, due, strict=True))
            for share in shares
        )

    if fits(1):
        return ""
    if elements > 1 and fits(elements, 1):
        return "summed over everything instead of averaged"
    if elements > 1 and fits(elements):
        return "summed over the pixels instead of averaged"
    if fits(1, 1):
        return "summed over the batch instead of averaged"
    if fits(1, -1):
        return "divided by the batch size once too often"
    if fits(0.5):
        return "half as large as it should be"
    for times, words in {2: "twice", 3: "3 times", 4: "4 times", 10: "10 times"}.items():
        if fits(times):
            return f"{words} as large as it should be"
    divisor = round(elements * counts[0] / found[0]) if found[0] > 1 / MOST_DIVISOR else 0
    if divisor > 1 and fits(elements / divisor, 1):
        return f"summed and then divided by a fixed number ({divisor}) instead of averaged"
    return ""


def it_is(cause: str) -> str:
    """A cause as a sentence; empty where there is none."""
    return f"it is {cause}" if cause else ""

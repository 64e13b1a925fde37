"""Item 1.8.sample: `VAE.sample(batch_size)`: z ~ N(0, I), then every pixel from its categorical distribution.

The decoder is a stand-in that remembers the latents and returns logits of the grader's choice.
"""

import pytest
import torch

from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import expect, expect_finite, expect_shape, fail
from grader.suites.part import Part
from grader.suites.statistics import (
    STANDARD_ERRORS,
    correlation_score,
    dependence_faults,
    frequency_score,
    normal_faults,
)

pytestmark = pytest.mark.item("1.8.sample")

RECIPE = (
    "draw z from N(0, I), decode it, softmax over the 16 grey levels, draw every pixel with torch.multinomial"
)
SCRAMBLED = (
    "torch.multinomial wants rows of probabilities: move the grey levels last, permute(0, 2, 3, 1), before "
    "you reshape to (-1, 16), and reshape back to [B, 28, 28]"
)
Z_DIM = 48  # 5,760 latents in all: a scale of 0.9 is 10 standard errors away


def build(part1: Part, draw: Draw, logits: torch.Tensor) -> Remote:
    """The student's VAE around the stand-in decoder."""
    return part1.driver.with_fixed_networks(draw.normal(2, Z_DIM), draw.normal(2, Z_DIM), logits)


def sample(model: Remote, batch: int) -> torch.Tensor:
    """One call, with its result checked to be images."""
    images = expect_shape(model.sample(batch), (batch, 1, 28, 28), f"sample({batch})", RECIPE)
    expect_finite(images, "the sample")
    return images.double()


def levels(images: torch.Tensor) -> torch.Tensor:
    """The grey levels 0..15 of samples that have them, also where they are scaled to 0..1."""
    # Their range has a check of its own.
    scaled = images * 15 if float(images.max()) <= 1 and bool((images % 1 > 0).any()) else images
    whole = scaled.round()
    expect(
        bool(((scaled - whole).abs() < 1e-3).all()),
        "the pixels of a sample are no grey levels, but something between them: expected levels, perhaps",
        f"every pixel is one of the 16 levels, drawn at random, not a mean; {RECIPE}",
    )
    return whole.long()


def test_returns_grey_levels(part1: Part, draw: Draw) -> None:
    model = build(part1, draw, draw.normal(1, 16, 28, 28))
    for batch in (3, 1):
        images = sample(model, batch)
        expect(
            bool((images == images.round()).all()) and float(images.min()) >= 0 and float(images.max()) <= 15,
            f"samples should be whole levels 0..15, but lie between {images.min():.3g} and "
            f"{images.max():.3g}",
            f"every pixel is one of the 16 levels, not a mean and not scaled; {RECIPE}",
        )
        expect(float(images.max()) > float(images.min()), "the sample is a constant image", RECIPE)
        expect(part1.driver.latents(model) is not None, "sample does not call self.decoder", RECIPE)


def test_uses_latents_from_the_prior(part1: Part, draw: Draw) -> None:
    model = build(part1, draw, draw.normal(1, 16, 28, 28))
    part1.driver.latents(model)
    for _ in range(2):
        sample(model, 60)
    seen = part1.driver.latents(model)
    hint = "z = torch.randn(batch_size, z_dim), one row per image"
    expect(seen is not None, "sample does not call self.decoder", RECIPE)
    expect_shape(seen, (120, Z_DIM), "all latents of two samples of 60 images", hint)
    fault = normal_faults(seen, "z") or dependence_faults(seen, "z")
    expect(not fault, fault, hint)
    expect(
        correlation_score(seen[:60], seen[60:]) < STANDARD_ERRORS,
        "two calls of sample use the same latents",
        "draw z inside sample, without setting a seed there",
    )


@pytest.mark.weight(2)
def test_every_pixel_follows_its_own_logits(part1: Part, draw: Draw) -> None:
    # One level per pixel, with logit 8 against 0: it comes up with probability 0.995, so that 0.98 of the
    # 3,920 pixels have it even in the unluckiest of 10^12 samples; scrambled, a sixteenth of them.
    wanted = draw.integers(16, 28, 28)
    logits = 8.0 * torch.nn.functional.one_hot(wanted, 16).permute(2, 0, 1)[None].float()
    images = levels(sample(build(part1, draw, logits), 5))
    share = (images == wanted).double().mean().item()
    expect(
        share > 0.97,
        f"only {share:.0%} of the pixels have the level that their logits ask for (with probability 0.995)",
        SCRAMBLED,
    )


@pytest.mark.weight(2)
def test_draws_pixels_from_the_categorical_distribution(part1: Part, draw: Draw) -> None:
    # Two likely levels with probabilities near 0.6 and 0.3, the other fourteen share the rest.
    probabilities = torch.full((16,), 0.1 / 14)
    first, second = draw.choice(range(8)), draw.choice(range(8, 16))
    probabilities[first], probabilities[second] = 0.6, 0.3
    logits = probabilities.log().view(1, 16, 1, 1).expand(1, 16, 28, 28).contiguous() + 1.7
    images = levels(sample(build(part1, draw, logits), 30)).squeeze(1)  # [30, 28, 28]
    count = images.numel()
    most_likely = (images == first).double().mean().item()
    expect(
        most_likely < 0.999,
        "every pixel has its most likely level: that is the argmax, not a sample",
        f"{RECIPE}; argmax shows the mode of each pixel and hides the model's uncertainty",
    )
    expect(
        bool((images != images[0, 0, 0]).any()),
        "every pixel has one and the same level, though many are likely",
        f"draw at random, do not round the expected level; {RECIPE}",
    )
    for level, probability in ((first, 0.6), (second, 0.3)):
        seen = int((images == level).sum())
        if frequency_score(seen, count, probability) > STANDARD_ERRORS:
            fail(
                f"a level with probability {probability} comes up in {seen / count:.1%} of {count} pixels",
                f"use the softmax of the logits as probabilities, unchanged; {RECIPE}",
            )
    hits = (images == first).double() - 0.6
    for name, a, b in (
        ("neighbouring pixels", hits[:, :, 1:], hits[:, :, :-1]),
        ("images of one batch", hits[1:], hits[:-1]),
    ):
        if correlation_score(a, b) > STANDARD_ERRORS:
            fail(f"{name} are not drawn independently", "draw every pixel of every image by itself")

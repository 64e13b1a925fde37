"""Item 1.8.sample: `VAE.sample(batch_size)`: z ~ N(0, I), then every pixel from its categorical distribution.

The decoder is a stand-in that returns logits of the grader's choice, or such as tell the latents.
"""

import pytest
import torch

from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import expect, expect_finite, expect_shape, fail
from grader.suites.part import Part
from grader.suites.part1.told_latents import follow, places_of, told_latents
from grader.suites.severity import SERIOUS, SLIP, WHOLE
from grader.suites.statistics import (
    PAIRWISE_STANDARD_ERRORS,
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


def sample(model: Remote, batch: int, exact: bool = False) -> torch.Tensor:
    """One call, with its result checked to be images; where not `exact`, a dimension of 1 may be missing."""
    images = model.sample(batch)
    if not exact and isinstance(images, torch.Tensor) and images.squeeze().shape == (batch, 28, 28):
        images = images.reshape(batch, 1, 28, 28)  # the shape has a check of its own
    images = expect_shape(images, (batch, 1, 28, 28), f"sample({batch})", RECIPE)
    expect_finite(images, "the sample", RECIPE)
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
        images = sample(model, batch, exact=True)
        expect(
            bool((images == images.round()).all()) and float(images.min()) >= 0 and float(images.max()) <= 15,
            f"samples should be whole levels 0..15, but lie between {images.min():.3g} and "
            f"{images.max():.3g}",
            f"every pixel is one of the 16 levels, not a mean and not scaled; {RECIPE}",
        )
        expect(float(images.max()) > float(images.min()), "the sample is a constant image", RECIPE, WHOLE)
        expect(part1.driver.latents(model) is not None, "sample does not call self.decoder", RECIPE)


def test_uses_latents_from_the_prior(part1: Part, draw: Draw) -> None:
    model = build(part1, draw, draw.normal(1, 16, 28, 28))
    places = places_of(draw, Z_DIM)
    part1.driver.telling(model, places)
    part1.driver.latents(model)
    shown, asked = [], []
    for _ in range(2):
        shown.append(sample(model, 60))
        asked.append(part1.driver.latents(model))
    images = torch.cat(shown)
    hint = "z = torch.randn(batch_size, z_dim), one row per image, all of them decoded"
    expect(all(call is not None for call in asked), "sample does not call self.decoder", RECIPE)
    seen = told_latents(images, places, Z_DIM)
    told = seen is not None
    if seen is None:
        # Levels that are not what the decoder says have checks of their own. What it was asked is believed
        # where the images go with it.
        seen = expect_shape(torch.cat(asked), (120, Z_DIM), "all latents of two samples of 60 images", hint)
    fault = normal_faults(seen, "z") or dependence_faults(seen, "z")
    if fault:
        first, second = seen[:60], seen[60:]
        if float((seen[:1] - seen).abs().max()) < 1e-6:
            fault = "z is constant: nothing is drawn at random"
        elif torch.equal(first, first[:1].expand(60, -1)):
            fault = "z: all rows of a batch are the same"
        elif torch.equal(first, second):
            fault = "two calls of sample use the same latents: set no seed in it"
    expect(not fault, fault, hint)
    expect(
        correlation_score(seen[:60], seen[60:]) < STANDARD_ERRORS,
        "two calls of sample use the same latents",
        "draw z inside sample, without setting a seed there",
    )
    expect(told or follow(images, seen), "the images do not depend on the latents that are decoded", hint)


def test_every_pixel_follows_its_own_logits(part1: Part, draw: Draw) -> None:
    # One level per pixel, with logit 8 against 0: it comes up with probability 0.995, so that 0.98 of the
    # 3,920 pixels have it even in the unluckiest of 10^12 samples; scrambled, a sixteenth of them.
    wanted = draw.integers(16, 28, 28)
    logits = 8.0 * torch.nn.functional.one_hot(wanted, 16).permute(2, 0, 1)[None].float()
    images = levels(sample(build(part1, draw, logits), 5))
    share = (images == wanted).double().mean().item()
    if share <= 0.97:
        expect(
            (images == wanted.mT).double().mean().item() <= 0.9,
            "the images are transposed: rows and columns are exchanged",
            "reshape to [B, 28, 28] in the order in which the pixels were flattened",
        )
        for cause, other in other_levels(wanted).items():
            expect(
                (images == other).double().mean().item() <= 0.9,
                f"{cause}, in nearly all pixels",
                f"the place of a class among the 16 is its grey level, 0 to 15; {RECIPE}",
                SLIP,
            )
        # What a reshape of [16, 28, 28] to rows of 16 takes for the logits of a pixel.
        mixed_up = logits.reshape(28, 28, 16)
        probable = [mixed_up.softmax(-1), logits.softmax(1).reshape(28, 28, 16)]
        for scrambled in probable:
            scrambled = scrambled / scrambled.sum(-1, keepdim=True)
            chances = scrambled.expand(5, 28, 28, 16).gather(-1, images.clamp(0, 15).view(5, 28, 28, 1))
            # Their mean is that of the squared probabilities, 0.5 and more; drawn otherwise it is 1/16.
            expect(
                float(chances.mean()) < 0.3,
                "classes and pixels are scrambled by a reshape or view without permute",
                SCRAMBLED,
            )
    expect(
        share > 0.97,
        f"only {share:.0%} of the pixels have the level that their logits ask for (with probability 0.995)",
        f"look at how pixels and classes are arranged for the draw, and at the levels; {RECIPE}",
    )


def other_levels(wanted: torch.Tensor) -> dict[str, torch.Tensor]:
    """What is sampled in place of some levels by the mistake that does it."""
    return {
        "every level is one too high": (wanted + 1) % 16,
        "every level is one too high, but for the highest": (wanted + 1).clamp(max=15),
        "every level is one too low": (wanted - 1) % 16,
        "every level is one too low, but for the lowest": (wanted - 1).clamp(min=0),
        "every level is one too high, up to 16": wanted + 1,
        "every level is one too low, from -1": wanted - 1,
        "the grey levels are the other way round": 15 - wanted,
    }


def expect_own_draws(model: Remote, images: torch.Tensor) -> None:
    """Fail if what is sampled differs between calls, but not between pixels or images, `[B, 28, 28]`.

    No such sample passes the check that asks: the frequencies of right code are those of many draws.
    """
    if bool((images == images[:, :1, :1]).all()):
        if bool((images != images[:1]).any()):
            fail("one draw is used for all pixels of an image", f"draw every pixel by itself; {RECIPE}")
        # 0.6^12: that a draw for all pixels gives its most likely level each time.
        others = [levels(sample(model, 1)) for _ in range(12)]
        expect(
            all(bool((other == images[0, 0, 0]).all()) for other in others),
            "one draw is used for all pixels of all images",
            f"draw every pixel by itself; {RECIPE}",
        )
    for dim, line in ((1, "column"), (2, "row")):
        if bool((images == images.narrow(dim, 0, 1)).all()) and bool((images != images[:, :1, :1]).any()):
            fail(f"one draw is used for all pixels of a {line}", f"draw every pixel by itself; {RECIPE}")
    if bool((images == images[:1]).all()) and bool((images != images[:, :1, :1]).any()):
        fail("one image is used for all of a batch", f"draw every image by itself; {RECIPE}")


def frequency_cause(images: torch.Tensor, probabilities: torch.Tensor) -> tuple[str, str]:
    """What is most likely drawn from instead of these probabilities of the 16 levels, and how bad that is."""
    seen = torch.bincount(images.flatten().clamp(0, 15), minlength=16).double() / images.numel()
    due = probabilities.double()
    logits = due.log() + 1.7
    squashed = logits.sigmoid() / logits.sigmoid().sum()
    numbers = torch.arange(16)
    moved = {
        cause: torch.zeros(18, dtype=torch.float64).index_add(0, other + 1, due)[1:17]
        for cause, other in other_levels(numbers).items()
        if int(other.min()) >= 0 and int(other.max()) < 16
    }
    flat = (
        "no level is more likely than another, as where the softmax is over the wrong dimension, the draw "
        "does not depend on the logits of the pixel, or a reshape takes 16 pixels for 16 classes"
    )
    known = {
        "a sigmoid takes the place of the softmax": squashed,
        "a tanh is applied before the softmax": logits.tanh().softmax(0),
        "a sigmoid is applied before the softmax": logits.sigmoid().softmax(0),
        **moved,
        "the softmax is applied twice": due.softmax(0),
        flat: torch.full_like(due, 1 / 16),
    }
    for cause, other in known.items():
        if float((seen - other).abs().sum()) < 0.06:  # 0.03 at most by chance, of 23,520 pixels
            return f": {cause}", SLIP if cause in moved else SERIOUS
    ordered = due.argsort(descending=True)
    top, next_ = seen[ordered[0]], seen[ordered[1]]
    if float(next_) > 0:
        power = float((top / next_).log() / (due[ordered[0]] / due[ordered[1]]).log())
        sharpened = due.pow(power) / due.pow(power).sum()
        if abs(power - 1) > 0.1 and float((seen - sharpened).abs().sum()) < 0.06:
            return f": as if the logits are scaled by {power:.2g}, a temperature", SERIOUS
    return "", SERIOUS


def test_draws_pixels_from_the_categorical_distribution(part1: Part, draw: Draw) -> None:
    # Two likely levels with probabilities near 0.6 and 0.3, the other fourteen share the rest.
    probabilities = torch.full((16,), 0.1 / 14)
    first, second = draw.choice(range(8)), draw.choice(range(8, 16))
    probabilities[first], probabilities[second] = 0.6, 0.3
    logits = probabilities.log().view(1, 16, 1, 1).expand(1, 16, 28, 28).contiguous() + 1.7
    model = build(part1, draw, logits)
    images = levels(sample(model, 30)).squeeze(1)  # [30, 28, 28]
    count = images.numel()
    expect_own_draws(model, images)
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
            cause, severity = frequency_cause(images, probabilities)
            fail(
                f"a level with probability {probability} comes up in {seen / count:.1%} of {count} pixels"
                f"{cause}",
                f"use the softmax of the logits as probabilities, unchanged; {RECIPE}",
                severity,
            )
    hits = (images == first).double() - 0.6
    for name, a, b in (
        ("neighbouring pixels of a row", hits[:, :, 1:], hits[:, :, :-1]),
        ("neighbouring pixels of a column", hits[:, 1:], hits[:, :-1]),
        ("images of one batch", hits[1:], hits[:-1]),
    ):
        if correlation_score(a, b) > STANDARD_ERRORS:
            fail(f"{name} are not drawn independently", "draw every pixel of every image by itself")
    again = (levels(sample(model, 30)).squeeze(1) == first).double() - 0.6
    expect(
        correlation_score(hits, again) < STANDARD_ERRORS,
        "two calls of sample use the same noise for the pixels",
        "set no seed in sample: every pixel of every image is drawn afresh",
    )
    # All 435 pairs of 30 images of 784 pixels, each of them with a standard error of 1 / 28.
    correlations = torch.corrcoef(hits.flatten(1)).nan_to_num().fill_diagonal_(0.0)
    expect(
        float(correlations.abs().max()) * 28 < PAIRWISE_STANDARD_ERRORS,
        "images of one batch are not drawn independently: one draw is used for several",
        "draw every pixel of every image by itself",
    )
    expect_likely_levels(part1, draw, first)


def expect_likely_levels(part1: Part, draw: Draw, level: int) -> None:
    """Fail if a level that is nearly sure comes up more or less often than it should."""
    # 23,520 pixels know 0.95 to 0.0014. It is 1 where a likely level is not drawn but taken, and 0.936
    # where 0.001 is added to every probability.
    probability = 0.95
    probabilities = torch.full((16,), (1 - probability) / 15)
    probabilities[level] = probability
    logits = probabilities.log().view(1, 16, 1, 1).expand(1, 16, 28, 28).contiguous()
    images = levels(sample(build(part1, draw, logits), 30))
    seen, count = int((images == level).sum()), images.numel()
    expect(
        frequency_score(seen, count, probability) < STANDARD_ERRORS,
        f"a level with probability {probability} comes up in {seen / count:.1%} of {count} pixels",
        f"use the softmax of the logits as probabilities, unchanged, also where one is nearly 1; {RECIPE}",
    )

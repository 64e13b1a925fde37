"""A short training by the student's `train_aae`, judged by the grader from codes and images.

The data are digits together with their negatives: with a mean image of zero no network gets stuck at the
black background, and after a few dozen batches healthy code is told from wrong code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from grader.box.client import Remote
from grader.box.errors import StudentError
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed, expect_finite, expect_shape
from grader.suites.part import Part

Z_DIM = 8
BATCH_SIZE = 16
TRAINING_IMAGES = 800  # and as many negatives
JUDGED_IMAGES = 48  # and as many negatives, of other digits
LEARNING_RATE = 1e-3
DISCRIMINATOR_LEARNING_RATE = 0.05
CHUNK_SECONDS = 60.0


def zero_mean(images: torch.Tensor) -> torch.Tensor:
    """Images in [0, 1] -> the same in [-1, 1], followed by their negatives."""
    scaled = 2 * images - 1
    return torch.cat([scaled, -scaled])


@dataclass
class Judgement:
    """What the networks make of held-out images `x`.

    Attributes:
        x: the images, `[N, 1, 28, 28]`.
        codes: `[N, Z_DIM]`.
        images: what the decoder makes of the codes, `[N, 1, 28, 28]`.
    """

    x: torch.Tensor
    codes: torch.Tensor
    images: torch.Tensor

    @property
    def error(self) -> float:
        """Equation 18, per pixel."""
        return float((self.images.double() - self.x.double()).square().mean())

    @property
    def spread(self) -> float:
        """Root mean square of the codes: 1 for the prior."""
        return float(self.codes.double().square().mean().sqrt())


class Judges:
    """Encodes in one session and decodes in another: neither holds both an image and its reconstruction."""

    def __init__(self, part: Part, held_out: torch.Tensor) -> None:
        half = held_out[: 2 * JUDGED_IMAGES] * 2 - 1
        self.x = torch.cat([half[:JUDGED_IMAGES], -half[JUDGED_IMAGES:]])
        self._encoding, self._decoding = part.fresh(), part.fresh()

    def judge(self, training: Remote, decode: bool) -> Judgement:
        """Judge a training's networks as they are now."""
        encoder, decoder = training.state()
        codes = self._encoding.driver.encode(encoder, self.x, Z_DIM)
        codes = expect_shape(codes, (len(self.x), Z_DIM), "the code of held-out images")
        expect_finite(codes, "after a short training the code", "the training has diverged")
        images = torch.zeros_like(self.x)
        if decode:
            images = self._decoding.driver.decode(decoder, codes)
            images = expect_shape(images, self.x.shape, "the reconstruction of held-out images")
            expect_finite(images, "after a short training the reconstruction", "the training has diverged")
        return Judgement(self.x, codes, images)


def start(part: Part, draw: Draw, model: Remote, images: torch.Tensor, lambda_: float) -> Remote:
    """Set up the training of a model on the grader's images."""
    chosen = zero_mean(draw.images(images, TRAINING_IMAGES))
    return part.driver.start_training(
        model, chosen, BATCH_SIZE, lambda_, LEARNING_RATE, DISCRIMINATOR_LEARNING_RATE
    )


def loses(check: Callable[[Part, Draw], None], part: Part, draw: Draw) -> bool:
    """Whether a check of another item fails: then the same mistake must not cost points here."""
    try:
        check(part, draw)
    except (CheckFailed, StudentError):
        return True
    return False

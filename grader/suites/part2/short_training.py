"""A short training by the student's `train_aae`, judged by the grader from codes and images.

The data are digits together with their negatives: with a mean image of zero no network gets stuck at the
black background, and after a few dozen batches healthy code is told from wrong code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from grader.box.remote import Remote
from grader.limits import PART2_CHUNK_SECONDS as CHUNK_SECONDS
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed, expect_finite, expect_shape, fail
from grader.suites.part import Part

Z_DIM = 8
# Half the images learn nearly as much in as many steps; where they do not, the second attempt has all.
FIRST_BATCH_SIZE, BATCH_SIZE = 8, 16
TRAINING_IMAGES = 800  # and as many negatives
JUDGED_IMAGES = 32  # and as many negatives, of other digits
CALL_BATCHES = 15  # of a training in one call: networks of any size end that in time
NOISE = 0.02  # of the codes' spread, before they are decoded: right code does not notice it
LEARNING_RATE = 1e-3
DISCRIMINATOR_LEARNING_RATE = 0.05  # of SGD
DISCRIMINATOR_ADAM_RATE = 1e-3
SIDES = ("encoder", "decoder", "discriminator")
# What a BatchNorm keeps moves without any update.
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
State = dict[str, torch.Tensor]
EVERY_BATCH = (
    "for every batch of train_loader, the last one, too, and for either loss: zero_grad(), backward() and "
    "step() of its optimizer; no break, and no condition on the number of a batch"
)


def zero_mean(images: torch.Tensor) -> torch.Tensor:
    """Images in [0, 1] -> the same in [-1, 1], followed by their negatives."""
    scaled = 2 * images - 1
    return torch.cat([scaled, -scaled])


def networks_of(training: Remote) -> dict[str, State]:
    """The states of a training's three networks as they are now, by side."""
    states: Any = training.state()
    right = isinstance(states, list) and len(states) == len(SIDES)
    if not right or not all(
        isinstance(state, dict) and all(isinstance(value, torch.Tensor) for value in state.values())
        for state in states
    ):
        fail("a network's state_dict() should hold its weights", "leave state_dict as nn.Module has it")
    return dict(zip(SIDES, states, strict=True))


class Unmoved(CheckFailed):
    """A training has left the weights of a side as they were."""

    def __init__(self, side: str) -> None:
        super().__init__(
            f"after a short training the weights of the {side} are what they were before",
            EVERY_BATCH,
        )
        self.side = side


def expect_moved(before: dict[str, State], after: dict[str, State], sides: tuple[str, ...]) -> None:
    """Fail unless the training has changed the weights of each of these sides."""
    for side in sides:
        moved = any(
            name not in before[side] or not torch.equal(value, before[side][name])
            for name, value in after[side].items()
            if not name.endswith(STATISTICS)
        )
        if not moved:
            raise Unmoved(side)


@dataclass(frozen=True)
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


class Judges:
    """Encodes in one session and decodes in another: neither holds both an image and its reconstruction.

    Nor does either learn more of an image than one code holds: each look has images of its own, and where
    there are no more of them, it has sessions of its own, too. So an image cannot be sent in parts.

    Args:
        part: its sessions are for nothing else.
        trainee: where the training runs; it has seen none of the images, so that it decodes first.
        held_out: images in [0, 1].
        draw: for the images of each look, and for the noise on the codes.
    """

    def __init__(self, part: Part, trainee: Part, held_out: torch.Tensor, draw: Draw) -> None:
        self._part, self._trainee, self._held_out, self._draw = part, trainee, held_out, draw
        self._encoding: Part | None = None
        self._decoding: Part | None = None
        self._left = held_out[:0]

    def images(self) -> torch.Tensor:
        """Digits, and as many negatives of others, that the sessions have not seen, in [-1, 1]."""
        if len(self._left) < 2 * JUDGED_IMAGES:
            self._left = self._draw.images(self._held_out, len(self._held_out))
            first = self._encoding is None
            for part in (self._encoding, self._decoding):
                if part is not None and part is not self._trainee:
                    part.close()
            self._encoding = self._part.fresh()
            self._decoding = self._trainee if first else self._part.fresh()
        chosen, self._left = self._left[: 2 * JUDGED_IMAGES] * 2 - 1, self._left[2 * JUDGED_IMAGES :]
        return torch.cat([chosen[:JUDGED_IMAGES], -chosen[JUDGED_IMAGES:]])

    def codes(self, networks: dict[str, State], x: torch.Tensor, training: bool = False) -> torch.Tensor:
        """What an encoder of this state makes of images, in the session for that."""
        if self._encoding is None:
            self._encoding = self._part.fresh()
        codes = self._encoding.driver.encode(networks["encoder"], x, Z_DIM, training)
        codes = expect_shape(codes, (len(x), Z_DIM), "the code of held-out images", "[B, z_dim]")
        expect_finite(codes, "after a short training the code", "the training has diverged")
        return codes

    def judge(self, networks: dict[str, State], training: bool = False, every: int = 1) -> Judgement:
        """What networks of these states make of images that the sessions have not seen.

        Args:
            networks: their states.
            training: in training mode, but without dropout.
            every: 4 for a quarter of the images, where it does not matter much.
        """
        x = self.images()[::every]
        codes = self.codes(networks, x, training)
        # Without noise 8 floats carry 192 pixels, bit by bit, and no network has to learn anything.
        noisy = codes + NOISE * self._draw.normal(*codes.shape) * codes.std(dim=0)
        assert self._decoding is not None
        images = self._decoding.driver.decode(networks["decoder"], noisy, training)
        images = expect_shape(images, x.shape, "the reconstruction of held-out images", "[B, 1, 28, 28]")
        expect_finite(images, "after a short training the reconstruction", "the training has diverged")
        return Judgement(x, codes, images)


def start(
    part: Part,
    draw: Draw,
    model: Remote,
    images: torch.Tensor,
    lambda_: float,
    batch_size: int,
    adam: bool = False,
    rate: float = LEARNING_RATE,
) -> Remote:
    """Set up the training of a model on the grader's images; the discriminator's by SGD, or by Adam."""
    chosen = zero_mean(draw.images(images, TRAINING_IMAGES))
    disc_rate = DISCRIMINATOR_ADAM_RATE if adam else DISCRIMINATOR_LEARNING_RATE
    return part.driver.start_training(model, chosen, batch_size, lambda_, rate, disc_rate, adam)


def train_up_to(steps: int, done: int, part: Part, loop: Callable[[int], object]) -> None:
    """Train from `done` to `steps` batches, a few in each call of a training's `loop(count)`."""
    for first in range(done, steps, CALL_BATCHES):
        with part.deadline(CHUNK_SECONDS):
            loop(min(CALL_BATCHES, steps - first))

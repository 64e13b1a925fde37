"""A short training of all three networks by `train_aae`: it has to draw the codes to the prior.

Its decoder has learned to reconstruct by then, too: item 2.4.reconstruction looks at the same training.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.suites import pictures
from grader.suites.draw import Draw, View
from grader.suites.expect import CheckFailed, expect, expect_shape
from grader.suites.measures import note
from grader.suites.part import Part
from grader.suites.part2.short_training import (
    BATCH_SIZE,
    EVERY_BATCH,
    FIRST_BATCH_SIZE,
    LEARNING_RATE,
    SIDES,
    Z_DIM,
    Judges,
    State,
    expect_moved,
    networks_of,
    start,
    train_up_to,
)

NEAR_THE_PRIOR = "draws the codes to the prior"  # see `Part.known`
TRAINING_LAMBDA = 0.7  # a stronger pull to the prior than 0.995: decided within a few dozen batches
# Measured against right and wrong code in docs/calibration.md: `2.5.training`.
MAX_SPREAD = 3.2
MIN_SPREAD = 0.2  # all codes in one place: no image can be told from another
# Root mean square of how far the codes of held-out images move: 0.5 and more in right code.
MIN_CHANGE = 0.01
COMPARED = 16  # of the images, for that
SHOWN = 16  # samples
NETWORKS = ("ConvEncoder", "ConvDecoder", "Discriminator")


class Attempt(NamedTuple):
    """How a training is tried.

    Attributes:
        batch_size: images per step.
        looks: after so many steps the codes are judged; the first look that is good enough ends it.
        adam: whether the discriminator learns by Adam instead of SGD.
        rate: of the autoencoder's Adam.
    """

    batch_size: int
    looks: tuple[int, ...]
    adam: bool = False
    rate: float = LEARNING_RATE


# Of all three networks, for both items. Of 44 right submissions 42 reconstruct well enough after 20 batches,
# where their codes spread by 0.45 to 2.5; so do 8 of 20 trainings of ten very unusual kinds of networks.
BOTH = Attempt(FIRST_BATCH_SIZE, (20, 30, 40), rate=2e-3)
# Networks of tanh need the larger batches. The last time, the discriminator learns by Adam, and longer: with
# sigmoids in it, SGD leaves it too weak.
ATTEMPTS = (
    Attempt(FIRST_BATCH_SIZE, (40, 55, 70, 90, 120)),
    Attempt(BATCH_SIZE, (40, 55, 70, 90, 120)),
    Attempt(BATCH_SIZE, (90, 120, 160, 200, 240), adam=True),
)


class Trained(NamedTuple):
    """A training that has ended.

    Attributes:
        training: in the box.
        before, after: the networks.
        spread: of the codes of held-out images, root mean square; 1 for the prior.
    """

    training: Remote
    before: dict[str, State]
    after: dict[str, State]
    spread: float

    @property
    def near_the_prior(self) -> bool:
        """Whether the codes have come as near to the prior as those of right code."""
        return MIN_SPREAD < self.spread < MAX_SPREAD


def train_codes(
    part: Part,
    draw: Draw,
    images: torch.Tensor,
    judges: Judges,
    attempt: Attempt,
    crude: Sequence[str] = (),
    view: View | None = None,
    enough: Callable[[dict[str, State]], bool] = lambda networks: True,
) -> Trained:
    """Train until the spread of the codes is that of right code, or to the end.

    Args:
        part: where to train.
        draw: for all that is random.
        images: to train on, in [0, 1].
        judges: encode held-out images.
        attempt: how to train.
        crude: the names of pieces in whose places crude ones are put.
        view: how the images were seen, for the report's samples.
        enough: what the networks have to be, besides, for the training to end early.
    """
    part.driver.prepare(torch.zeros(1, 28, 28, dtype=torch.uint8))
    part.seed(draw.seed())
    model = part.driver.build(Z_DIM, list(NETWORKS) if crude else [])
    if crude:
        part.driver.with_crude(model, Z_DIM, list(crude))
    training = start(
        part, draw, model, images, TRAINING_LAMBDA, attempt.batch_size, attempt.adam, attempt.rate
    )
    before = networks_of(training)
    x = judges.images()

    def codes_of(networks: dict[str, State]) -> torch.Tensor:
        return linear_codes(networks, x) if "encoder" in crude else judges.codes(networks, x)

    done, spread = 0, 0.0
    for steps in attempt.looks:
        train_up_to(steps, done, part, training.train_aae)
        done = steps
        after = networks_of(training)
        codes = codes_of(after)
        spread = float(codes.double().square().mean().sqrt())
        if MIN_SPREAD < spread < MAX_SPREAD and enough(after):
            break
    if not crude:
        show_samples(part, draw, after["decoder"], view)
    expect_moved(before, after, SIDES)
    x = x[:COMPARED]
    change = (codes[:COMPARED] - codes_of(before)).double().square().mean().sqrt()
    note("2.5.training: change of the codes, at least", float(change), MIN_CHANGE)
    expect(
        change > MIN_CHANGE,
        f"{attempt.looks[0]} batches and more change the codes of held-out images by {float(change):.4f}",
        EVERY_BATCH,
    )
    return Trained(training, before, after, spread)


def linear_codes(networks: dict[str, State], x: torch.Tensor) -> torch.Tensor:
    """The codes by a crude encoder."""
    encoder = networks["encoder"]
    weight = expect_shape(encoder.get("grader_map.weight"), (Z_DIM, 784), "the encoder's weight", EVERY_BATCH)
    bias = expect_shape(encoder.get("grader_map.bias"), (Z_DIM,), "the encoder's bias", EVERY_BATCH)
    return x.flatten(1) @ weight.float().T + bias.float()


def show_samples(part: Part, draw: Draw, decoder: State, view: View | None) -> None:
    """Keep samples of a decoder for the report."""
    with contextlib.suppress(StudentError, CheckFailed, RuntimeError, TypeError):
        images = part.driver.decode(decoder, draw.normal(SHOWN, Z_DIM))
        images = expect_shape(images, (SHOWN, 1, 28, 28), "samples", "[B, 1, 28, 28]")
        images = images / 2 + 0.5
        pictures.show("2.5.training", "samples", (view.restored(images) if view else images)[:, 0])

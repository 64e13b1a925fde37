"""Item 2.5.training: what a short training by `train_aae` makes of the codes."""

import contextlib
from collections.abc import Sequence
from typing import NamedTuple

import pytest
import torch

from grader.box.errors import StudentError
from grader.limits import PART2_CHUNK_SECONDS as CHUNK_SECONDS
from grader.suites import pictures
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed, expect, expect_shape
from grader.suites.measures import note
from grader.suites.part import Part
from grader.suites.part2 import (
    test_autoencoder,
    test_autoencoder_loss,
    test_discriminator,
    test_discriminator_loss,
)
from grader.suites.part2.learning import expect_learns_by_its_steps
from grader.suites.part2.short_training import (
    BATCH_SIZE,
    EVERY_BATCH,
    FIRST_BATCH_SIZE,
    SIDES,
    Z_DIM,
    Judges,
    State,
    Unmoved,
    expect_moved,
    networks_of,
    start,
)
from grader.suites.part2.test_updates import linear_updates_are_right
from grader.suites.pieces import Check, loses

pytestmark = pytest.mark.item("2.5.training")

TRAINING_LAMBDA = 0.7  # a stronger pull to the prior than 0.995: decided within a few dozen batches
# Measured against right and wrong code in docs/calibration.md: `2.5.training`.
MAX_SPREAD = 3.2
MIN_SPREAD = 0.2  # all codes in one place: no image can be told from another
# Root mean square of how far the codes of held-out images move: 0.5 and more in right code.
MIN_CHANGE = 0.01
SHOWN = 16  # samples
NETWORKS = ("ConvEncoder", "ConvDecoder", "Discriminator")


class Astray(CheckFailed):
    """The codes have not come near the prior."""


class Attempt(NamedTuple):
    """How a training is tried.

    Attributes:
        batch_size: images per step.
        looks: after so many steps the codes are judged; the first look that is good enough ends it.
        adam: whether the discriminator learns by Adam instead of SGD.
    """

    batch_size: int
    looks: tuple[int, ...]
    adam: bool = False


# Networks of tanh need the larger batches. The last time, the discriminator learns by Adam, and longer: with
# sigmoids in it, SGD leaves it too weak.
ATTEMPTS = (
    Attempt(FIRST_BATCH_SIZE, (40, 55, 70, 90, 120)),
    Attempt(BATCH_SIZE, (40, 55, 70, 90, 120)),
    Attempt(BATCH_SIZE, (90, 120, 160, 200, 240), adam=True),
)
# What stands for a piece: if one of these checks fails, a crude piece takes its place.
PIECES: dict[str, tuple[Check, ...]] = {
    "autoencoder_loss": (
        test_autoencoder_loss.test_lambda_zero_wants_codes_judged_real,
        test_autoencoder_loss.test_lambda_one_is_the_mean_squared_error,
        test_autoencoder_loss.test_lambda_weighs_the_two_losses,
        test_autoencoder_loss.test_gradients_reach_reconstructions_and_codes,
    ),
    "discriminator_loss": (
        test_discriminator_loss.test_compares_with_as_many_codes_of_the_prior,
        test_discriminator_loss.test_prior_is_standard_normal,
        test_discriminator_loss.test_real_against_ones_and_fake_against_zeros,
        test_discriminator_loss.test_trains_the_discriminator_on_both,
    ),
    "discriminator": (
        test_discriminator.test_gives_one_logit_for_each_code,
        test_discriminator.test_logits_are_unbounded_both_ways,
        test_discriminator.test_is_not_linear,
        test_discriminator.test_gradients_reach_codes_and_weights,
    ),
    "encoder": (
        test_autoencoder.test_codes_are_unbounded_both_ways,
        test_autoencoder.test_encoder_codes_each_image_by_itself,
    ),
    "decoder": (),
    "forward": (test_autoencoder.test_forward_returns_reconstruction_and_code,),
}
# The networks between an image and its reconstruction: this says that one of them is wrong, but not which.
PATH = ("encoder", "decoder", "forward")


def test_training_draws_the_codes_to_the_prior(
    part2: Part, draw: Draw, training_images: torch.Tensor, held_out_images: torch.Tensor
) -> None:
    trainee = part2.fresh()
    judges = Judges(part2, trainee, held_out_images, draw)
    spread = 0.0
    try:
        for attempt in ATTEMPTS:  # each with another seed
            spread = spread_after_training(trainee, draw, training_images, judges, attempt)
            if MIN_SPREAD < spread < MAX_SPREAD:
                break
        note("2.5.training: spread of the codes", spread, MAX_SPREAD)
        note("2.5.training: attempts", 1 + ATTEMPTS.index(attempt), len(ATTEMPTS))
        if MIN_SPREAD < spread < MAX_SPREAD:
            expect_learns_by_its_steps(trainee, draw, TRAINING_LAMBDA)
            return
        raise Astray(
            f"after {attempt.looks[-1]} batches with lambda = {TRAINING_LAMBDA} the codes spread by "
            f"{spread:.2f} (root mean square; 1 for the prior, {MIN_SPREAD} to {MAX_SPREAD} for right code)",
            "encoder against discriminator: both have to be updated at every batch, in opposite directions",
        )
    except (CheckFailed, StudentError) as error:
        if isinstance(error, StudentError) and error.kind in ("not_implemented", "timeout", "died"):
            raise
        # However wrong a loss, any update moves encoder and decoder.
        if isinstance(error, Unmoved) and error.side != "discriminator":
            raise
        # A wrong loss or network has cost its own item its points, and the updates have their own checks.
        # Only a loop that makes the right updates is excused, and only if crude pieces in the places of the
        # wrong ones make it train.
        elsewhere = part2.fresh()
        if loses(linear_updates_are_right, elsewhere, draw):
            raise
        wrong = wrong_parts(elsewhere, draw)
        if not wrong and isinstance(error, Astray):
            # Right networks can run away from each other: a BatchNorm in the discriminator takes away how far
            # the codes lie from the prior. The encoder has to come home against a crude discriminator.
            wrong = ["discriminator"]
        if not wrong or not trains_with_crude(part2, draw, training_images, judges, wrong):
            raise


def wrong_parts(part: Part, draw: Draw) -> list[str]:
    """The pieces that their own items' checks find wrong."""
    wrong = {piece for piece, checks in PIECES.items() if any(loses(check, part, draw) for check in checks)}
    if loses(test_autoencoder.test_reconstruction_trains_all_weights, part, draw):
        wrong.update(PATH)
    return sorted(wrong)


def trains_with_crude(
    part: Part, draw: Draw, images: torch.Tensor, judges: Judges, pieces: list[str]
) -> bool:
    """Whether a training draws the codes to the prior with crude pieces in the places of some."""
    trainee = part.fresh()
    try:
        for attempt in ATTEMPTS:
            spread = spread_after_training(trainee, draw, images, judges, attempt, pieces)
            if MIN_SPREAD < spread < MAX_SPREAD:
                return True
    except (CheckFailed, StudentError):
        pass
    return False


def spread_after_training(
    part: Part,
    draw: Draw,
    images: torch.Tensor,
    judges: Judges,
    attempt: Attempt,
    crude: Sequence[str] = (),
) -> float:
    """Train until the spread is that of right code, or to the end; with crude pieces in places of some."""
    part.driver.prepare(torch.zeros(1, 28, 28, dtype=torch.uint8))
    part.seed(draw.seed())
    model = part.driver.build(Z_DIM, list(NETWORKS) if crude else [])
    if crude:
        part.driver.with_crude(model, Z_DIM, list(crude))
    training = start(part, draw, model, images, TRAINING_LAMBDA, attempt.batch_size, attempt.adam)
    before = networks_of(training)
    x = judges.images()

    def codes_of(networks: dict[str, State]) -> torch.Tensor:
        return linear_codes(networks, x) if "encoder" in crude else judges.codes(networks, x)

    done, spread = 0, 0.0
    for steps in attempt.looks:
        while done < steps:
            count = min(15, steps - done)
            with part.deadline(CHUNK_SECONDS):
                training.train_aae(count)
            done += count
        after = networks_of(training)
        codes = codes_of(after)
        spread = float(codes.double().square().mean().sqrt())
        if MIN_SPREAD < spread < MAX_SPREAD:
            break
    if not crude:
        show_samples(part, draw, after["decoder"])
    expect_moved(before, after, SIDES)
    change = (codes - codes_of(before)).double().square().mean().sqrt()
    note("2.5.training: change of the codes, at least", float(change), MIN_CHANGE)
    expect(
        change > MIN_CHANGE,
        f"{attempt.looks[0]} batches and more change the codes of held-out images by {float(change):.4f}",
        EVERY_BATCH,
    )
    return spread


def linear_codes(networks: dict[str, State], x: torch.Tensor) -> torch.Tensor:
    """The codes by a crude encoder."""
    encoder = networks["encoder"]
    weight = expect_shape(encoder.get("grader_map.weight"), (Z_DIM, 784), "the encoder's weight", EVERY_BATCH)
    bias = expect_shape(encoder.get("grader_map.bias"), (Z_DIM,), "the encoder's bias", EVERY_BATCH)
    return x.flatten(1) @ weight.float().T + bias.float()


def show_samples(part: Part, draw: Draw, decoder: State) -> None:
    """Keep samples of a decoder for the report."""
    with contextlib.suppress(StudentError, CheckFailed, RuntimeError, TypeError):
        images = part.driver.decode(decoder, draw.normal(SHOWN, Z_DIM))
        images = expect_shape(images, (SHOWN, 1, 28, 28), "samples", "[B, 1, 28, 28]")
        pictures.show("2.5.training", "samples", images[:, 0] / 2 + 0.5)

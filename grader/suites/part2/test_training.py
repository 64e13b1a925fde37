"""Item 2.5.training: what a short training by `train_aae` makes of the codes."""

import pytest
import torch

from grader.box.errors import StudentError
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed
from grader.suites.measures import note
from grader.suites.part import Part
from grader.suites.part2 import (
    test_autoencoder,
    test_autoencoder_loss,
    test_discriminator,
    test_discriminator_loss,
)
from grader.suites.part2.codes_training import (
    ATTEMPTS,
    MAX_SPREAD,
    MIN_SPREAD,
    NEAR_THE_PRIOR,
    TRAINING_LAMBDA,
    train_codes,
)
from grader.suites.part2.learning import expect_learns_by_its_steps
from grader.suites.part2.short_training import Judges, Unmoved
from grader.suites.part2.test_updates import linear_updates_are_right
from grader.suites.pieces import Check, loses

pytestmark = pytest.mark.item("2.5.training")


class Astray(CheckFailed):
    """The codes have not come near the prior."""


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
    if NEAR_THE_PRIOR in part2.known:  # seen in item 2.4.reconstruction's own training
        return
    trainee = part2.fresh()
    judges = Judges(part2, trainee, held_out_images, draw)
    try:
        for attempt in ATTEMPTS:  # each with another seed
            trained = train_codes(trainee, draw, training_images, judges, attempt)
            if trained.near_the_prior:
                break
        note("2.5.training: spread of the codes", trained.spread, MAX_SPREAD)
        note("2.5.training: attempts", 1 + ATTEMPTS.index(attempt), len(ATTEMPTS))
        if trained.near_the_prior:
            expect_learns_by_its_steps(trainee, draw, TRAINING_LAMBDA)
            return
        raise Astray(
            f"after {attempt.looks[-1]} batches with lambda = {TRAINING_LAMBDA} the codes spread by "
            f"{trained.spread:.2f} (root mean square; 1 for the prior, {MIN_SPREAD} to {MAX_SPREAD} for "
            "right code)",
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
    for attempt in ATTEMPTS:
        try:
            if train_codes(trainee, draw, images, judges, attempt, pieces).near_the_prior:
                return True
        except (Unmoved, StudentError):
            return False
        except CheckFailed:  # crude losses have no bound: with some draws SGD runs away with them
            continue
    return False

"""Whether it is by the steps of its optimizers that a training learns, and by nothing else."""

from __future__ import annotations

from typing import Any

import torch

from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.limits import PART2_CHUNK_SECONDS as CHUNK_SECONDS
from grader.suites.draw import Draw
from grader.suites.expect import expect, expect_shape
from grader.suites.measures import note
from grader.suites.part import Part
from grader.suites.part2.short_training import (
    FIRST_BATCH_SIZE,
    LEARNING_RATE,
    SIDES,
    Judges,
    State,
    networks_of,
)
from grader.suites.part2.updates import linear_model, linear_weights

LEARNS = "learns by its steps"  # see `Part.known`
# 1 where each weight moves down its gradient, 0 where weights move at random.
LEAST_FOLLOWED = 0.6
# The mean image scores 0.82; with batch statistics of their own right networks are as good as with kept ones.
MAX_ERROR_OF_WEIGHTS = 0.6


def expect_learns_by_its_steps(part: Part, draw: Draw, lambda_: float) -> None:
    """Fail unless `train_aae` moves a decoder down the gradient of the reconstruction loss.

    What a loop keeps of the networks that it has trained here, as an average of their weights, may be of no
    use for others: if it raises an error, another session decides.

    The decoder is a linear map of the grader's, so that the gradient is worked out here; for the decoder it
    points one way with any lambda and any generator's loss. That tells the updates of a loop, right or not
    quite, from weights that it has worked out in another way, or changed at random.
    """
    if LEARNS in part.known:
        return
    try:
        share = followed_share(part, draw, lambda_)
    except StudentError as error:
        if error.kind in ("timeout", "died", "hung"):
            raise
        share = followed_share(part.fresh(), draw, lambda_)
    note(
        "2.4.reconstruction: share of the decoder's gradient that is followed, at least",
        share,
        LEAST_FOLLOWED,
    )
    expect(
        share > LEAST_FOLLOWED,
        "two batches do not move the decoder down the gradient of the reconstruction loss"
        if share
        else "two batches leave the decoder as it was",
        "networks learn by the steps of their optimizer alone: loss.backward(), optimizer_ae.step()",
    )
    part.known.add(LEARNS)


def followed_share(part: Part, draw: Draw, lambda_: float) -> float:
    """Which share of the gradient the signs of a linear decoder's movement fit: -1 to 1."""
    weights = linear_weights(draw)
    image = draw.uniform(1, 1, 28, 28, low=-1.0)
    training = part.driver.start_training(
        linear_model(part, weights), image, FIRST_BATCH_SIZE, lambda_, LEARNING_RATE, LEARNING_RATE, False
    )
    with part.deadline(CHUNK_SECONDS):
        training.train_autoencoder(2)
    after = networks_of(training)["decoder"]
    w_e, b_e, w_d, b_d = (
        weights[f"{side}.grader_map.{kind}"].double()
        for side in ("encoder", "decoder")
        for kind in ("weight", "bias")
    )
    z = w_e @ image.double().flatten() + b_e
    error = w_d @ z + b_d - image.double().flatten()
    due = {"grader_map.weight": error[:, None] * z, "grader_map.bias": error}
    along = total = 0.0
    for name, gradient in due.items():
        before = weights[f"decoder.{name}"].double()
        moved = (
            expect_shape(after.get(name), before.shape, name, "change weights by step()").double() - before
        )
        along += float((moved.sign() * -gradient).sum())
        total += float(gradient.abs().sum())
    return along / total


def expect_learned_in_weights(
    training: Remote, judges: Judges, before: dict[str, State], after: dict[str, State]
) -> None:
    """Fail if what a training has learned lies in buffers, which any code may write into.

    The weights alone, with the buffers from before the training, have to know the images. In training mode a
    BatchNorm does without what it has kept.
    """
    names: Any = training.buffers()
    kept = {side: [name for name in names[index] if name in before[side]] for index, side in enumerate(SIDES)}
    if all(torch.equal(before[side][name], after[side][name]) for side in SIDES for name in kept[side]):
        return
    weights = {side: after[side] | {name: before[side][name] for name in kept[side]} for side in SIDES}
    error = judges.judge(weights, training=True).error
    note("2.4.reconstruction: error of the weights alone", error, MAX_ERROR_OF_WEIGHTS)
    expect(
        error < MAX_ERROR_OF_WEIGHTS,
        f"without what the training has written into buffers the reconstruction error is {error:.2f}",
        "networks learn by the steps of their optimizer: what is learned belongs in parameters",
    )

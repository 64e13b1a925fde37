"""Item 2.5.training: both updates of `train_aae`, one batch at a time."""

from functools import partial
from typing import Any

import pytest
import torch

from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.limits import PART2_CHUNK_SECONDS as CHUNK_SECONDS
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed, expect, expect_shape, fail
from grader.suites.part import Part
from grader.suites.part2.short_training import EVERY_BATCH
from grader.suites.part2.update_causes import (
    LEAK,
    ORDINALS,
    OTHER_LAMBDAS,
    cause_of_stillness,
    causes_of_autoencoder,
    causes_of_discriminator,
    confirmed,
    leaks,
    likeliest,
)
from grader.suites.part2.updates import (
    LAMBDA,
    STEP,
    WRITTEN_OUT,
    Z_DIM_OF_UPDATES,
    LinearUpdates,
    Tensors,
    Updates,
    follows,
    linear_model,
    linear_weights,
    still,
)
from grader.suites.severity import SLIP

pytestmark = pytest.mark.item("2.5.training")

# Batches of two epochs: enough for what a loop does at every hundredth; a linear model takes 1 ms for each.
BATCHES = (104, 32)
# A late epoch, and the part of a gradient below which float32 rounding turns a step by more than 1%.
LATE, SHORTEST_LATE = 100, 1e-3
ALONG = 0.98  # cosine of the angle between two directions that are one
ONE_UPDATE = "one loss, one zero_grad(), one backward() and one step() for each batch, by either optimizer"


def follows_loss(updates: Updates, batch: int, moves: list[Tensors], later: bool) -> bool:
    """Whether sides move along the autoencoder's loss, before or after the discriminator's update."""
    state = updates.state(batch, discriminator=later)
    return any(
        follows(moves, updates.gradient(batch, state, loss, LAMBDA)) for loss in updates.autoencoders_losses
    )


def expect_moves(updates: Updates, batch: int, side: str) -> None:
    """Fail if a side is where it was after an update."""
    if not still(updates.moved(batch, side)):
        return
    if cause := cause_of_stillness(updates, batch, side):
        fail(cause.message, cause.hint)
    alone = still(updates.moved(1 - batch, side))
    where = "" if alone else f"at the {ORDINALS[batch]} of two batches "
    fail(f"{where}the update leaves the {side} as it was", EVERY_BATCH)


def expect_autoencoders_update(updates: Updates) -> None:
    """Fail unless encoder and decoder follow their own loss at both batches."""
    for batch in range(2):
        moves = [updates.moved(batch, side) for side in ("encoder", "decoder")]
        for side in ("encoder", "decoder"):
            expect_moves(updates, batch, side)
        if any(follows_loss(updates, batch, moves, later) for later in (False, True)):
            continue
        if isinstance(updates, LinearUpdates):
            if cause := likeliest(moves, causes_of_autoencoder(updates, batch)):
                fail(cause.message, cause.hint)
        elif confirmed(partial(leaks, updates, batch)):
            fail(*LEAK)
        fail(f"encoder and decoder do not move along the gradient of ae_loss{at(batch)}", ONE_UPDATE)


def at(batch: int) -> str:
    """Where something is seen for the first time."""
    return "" if batch == 0 else " from the second batch on"


def follows_discriminator(updates: Updates, batch: int, loss: str) -> bool:
    """Whether the discriminator moves along one of its losses."""
    move = updates.moved(batch, "discriminator")
    for later in (False, True):  # the codes are those of before, or of a second forward pass
        gradient = updates.gradient(batch, updates.state(batch, encoder=later, decoder=later), loss)
        if follows([move], gradient):
            return True
    return False


def expect_discriminators_update(updates: Updates) -> None:
    """Fail unless the discriminator follows its own loss at both batches."""
    for batch in range(2):
        expect_moves(updates, batch, "discriminator")
        if any(follows_discriminator(updates, batch, loss) for loss in updates.discriminators_losses):
            continue
        if isinstance(updates, LinearUpdates):
            moves = [updates.moved(batch, "discriminator")]
            if cause := likeliest(moves, causes_of_discriminator(updates, batch)):
                fail(cause.message, cause.hint)
        fail(f"the discriminator does not move along the gradient of disc_loss{at(batch)}", ONE_UPDATE)


def epochs(part: Part, draw: Draw) -> tuple[list[Tensors], bool]:
    """Weights after every step in two epochs, and whether they are those of linear maps.

    An epoch on linear maps may raise what two batches do not: it makes pictures every now and then, say, or
    wants to be left alone. Then it has to run on the student's own networks.
    """
    try:
        return epochs_of(part, draw, linear_model(part, linear_weights(draw))), True
    except StudentError as error:
        if error.kind in ("timeout", "died"):
            raise
    model = part.driver.with_trivial_losses(part.driver.build(Z_DIM_OF_UPDATES))
    part.driver.awake(model, torch.zeros(2, 1, 28, 28))
    return epochs_of(part, draw, model), False


def epochs_of(part: Part, draw: Draw, model: Remote) -> list[Tensors]:
    """The same of a model."""
    part.seed(draw.seed())
    batches = [draw.uniform(2, 1, 28, 28, low=-1.0) for _ in range(max(BATCHES))]
    with part.deadline(CHUNK_SECONDS):
        found: Any = part.driver.epochs(model, batches, STEP / 5, LAMBDA, list(BATCHES))
    hint = "leave the optimizers and the model's attributes as they are"
    if not isinstance(found, list) or len(found) != len(BATCHES):
        fail("an epoch of many batches cannot be followed", hint)
    for epoch in found:
        if not isinstance(epoch, dict):
            fail("an epoch of many batches cannot be followed", hint)
        for name in ("encoder", "decoder", "discriminator", "drawn"):
            rows = epoch.get(name)
            expect_shape(rows, (len(rows) if isinstance(rows, torch.Tensor) else 0, 8), name, hint)
    return found


def expect_step_for_every_batch(found: list[Tensors], optimizer: str, sides: tuple[str, ...]) -> None:
    """Fail if an optimizer takes fewer steps than there are batches.

    Where it takes none in an epoch, the updates of the first two batches say why.
    """
    for epoch, count in zip(found, BATCHES, strict=True):
        for side in sides:
            steps = len(epoch[side]) - 1
            expect(
                steps == 0 or steps >= count,  # with none of them, it is no optimizer that moves the weights
                f"in an epoch of {count} batches {optimizer} takes {steps} steps only, and leaves the {side} "
                "as it was at the others",
                EVERY_BATCH,
            )


def expect_every_step_moves(found: list[Tensors], optimizer: str, sides: tuple[str, ...]) -> None:
    """Fail if one of an optimizer's steps moves nothing."""
    for epoch in found:
        for side in sides:
            moved = (epoch[side][1:] != epoch[side][:-1]).any(1)
            expect(
                bool(moved.all()),
                f"{int((~moved).sum())} of {len(moved)} steps of {optimizer} leave the {side} as it was",
                EVERY_BATCH,
            )


def expect_fresh_codes(found: list[Tensors]) -> None:
    """Fail if two calls of the discriminator's loss draw the same codes: eight floats are never the same."""
    drawn = [row for epoch in found for row in epoch["drawn"].tolist()]
    different = len({tuple(row) for row in drawn})
    expect(
        different == len(drawn),
        f"only {different} of {len(drawn)} batches of two epochs are compared with codes of their own",
        "draw afresh for every batch: set no seed in train_aae",
    )


EVERY_EPOCH = "the number of the epoch is for messages only: the same updates in every epoch"


def expect_later_epoch(part: Part, draw: Draw) -> None:
    """Fail if in a late epoch encoder and decoder follow something else than their loss.

    Steps may be shorter by then; where they are lost in rounding, nothing is said.
    """
    updates = linear_updates(part, draw, epoch=LATE)
    moves = [updates.moved(0, side) for side in ("encoder", "decoder")]
    moved = torch.cat([value.flatten() for side in moves for value in side.values()])
    expect(
        bool(moved.any()), f"in epoch {LATE} the update leaves encoder and decoder as they were", EVERY_EPOCH
    )

    def best_cosine(lambda_: float) -> float | None:
        """How well the move fits the loss with this lambda; None where it is too short to tell."""
        found = []
        for loss in updates.autoencoders_losses:
            for later in (False, True):
                gradient = updates.gradient(0, updates.state(0, discriminator=later), loss, lambda_)
                due = torch.cat([gradient[name].flatten() for side in moves for name in side])
                if moved.norm() < SHORTEST_LATE * due.norm():
                    return None
                found.append(float(torch.nn.functional.cosine_similarity(moved, due, dim=0)))
        return max(found)

    same = best_cosine(LAMBDA)
    if same is None or same > ALONG:
        return
    like = [other for other in OTHER_LAMBDAS if (best_cosine(other) or 0.0) > ALONG]
    as_with = f" as with lambda_ = {like[0]:g}" if like else " another way than before"
    fail(
        f"with lambda_ = {LAMBDA} encoder and decoder move{as_with} in epoch {LATE}",
        EVERY_EPOCH,
    )


def expect_later_discriminator(part: Part, draw: Draw) -> None:
    """Fail if in a late epoch the discriminator is not updated any more."""
    updates = linear_updates(part, draw, epoch=LATE)
    moves = any(not still(updates.moved(batch, "discriminator")) for batch in range(2))
    expect(moves, f"in epoch {LATE} the update leaves the discriminator as it was", EVERY_EPOCH)


def linear_updates(part: Part, draw: Draw, count: int = 8, epoch: int = 1) -> LinearUpdates:
    """Updates of linear maps; both checks look at the same."""
    name = f"updates of linear maps: {count}, {epoch}"
    return part.once(name, lambda: LinearUpdates(part, draw, count, epoch))


def updates_of_own(part: Part, draw: Draw) -> Updates:
    """Updates of the student's own networks.

    What a loop keeps of the networks that it trains, an average of their weights, say, may be there from the
    linear maps, and of no use for others: then they have a session of their own.
    """
    try:
        return part.once("updates of own networks", lambda: Updates(part, draw, trivial=False))
    except StudentError as error:
        if error.kind in ("timeout", "died", "hung"):
            raise
    return Updates(part.fresh(), draw, trivial=False)


def test_autoencoders_update_follows_its_loss(part2: Part, draw: Draw) -> None:
    # First on linear maps: what is wrong with the loop shows there in numbers that depend on nothing else.
    found, on_maps = part2.once("two epochs", lambda: epochs(part2, draw))
    expect_step_for_every_batch(found, "optimizer_ae", ("encoder", "decoder"))
    expect_autoencoders_update(linear_updates(part2, draw))
    expect_autoencoders_update(linear_updates(part2, draw, count=64, epoch=2))
    expect_later_epoch(part2, draw)
    if on_maps:
        expect_every_step_moves(found, "optimizer_ae", ("encoder", "decoder"))
    updates = updates_of_own(part2, draw)
    try:
        expect_autoencoders_update(updates)
    except CheckFailed:
        # Networks that draw in training mode, or that norm their weights by what they have seen, make
        # something else of the same codes the second time. Then the linear maps decide alone.
        if updates.part.driver.repeats(updates.model, updates.batches[0]) is not False:
            raise
    expect(
        part2.driver.train_aae_takes("lambda_") is not False,
        "train_aae cannot be called with lambda_=0.3",
        "leave names, order and defaults of the arguments as they were given",
        SLIP,
    )


def test_discriminators_update_follows_its_loss(part2: Part, draw: Draw) -> None:
    found, on_maps = part2.once("two epochs", lambda: epochs(part2, draw))
    expect_step_for_every_batch(found, "optimizer_disc", ("discriminator",))
    own = linear_updates(part2, draw)
    expect_discriminators_update(own)
    expect_discriminators_update(linear_updates(part2, draw, count=64, epoch=2))
    if on_maps:
        expect_every_step_moves(found, "optimizer_disc", ("discriminator",))
    expect_fresh_codes(found)
    expect_later_discriminator(part2, draw)
    try:
        expect_discriminators_update(updates_of_own(part2, draw))
    except CheckFailed:
        # A loop that has its own loss follows none of theirs, which may be halved, or missing.
        if any(all(follows_discriminator(own, batch, loss) for batch in range(2)) for loss in WRITTEN_OUT):
            return
        # Their loss draws from the prior, and their loop may draw besides; their discriminator may have no
        # gradient at all, which costs another item. Losses without chance decide, on a linear one.
        expect_discriminators_update(Updates(part2, draw, trivial=True))


def linear_updates_are_right(part2: Part, draw: Draw) -> None:
    """Fail unless both updates are right on the grader's own maps and losses."""
    updates = LinearUpdates(part2, draw)
    expect_autoencoders_update(updates)
    expect_discriminators_update(updates)

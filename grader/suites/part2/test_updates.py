"""Item 2.5.training: both updates of `train_aae`, one batch at a time."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed, expect, expect_shape, fail
from grader.suites.part import Part
from grader.suites.part2.gradients import gradients_of_weights
from grader.suites.part2.short_training import CHUNK_SECONDS

pytestmark = pytest.mark.item("2.5.training")

Tensors = dict[str, torch.Tensor]

Z_DIM_OF_UPDATES = 8  # the default: a size that is fixed in the networks loses points elsewhere
LAMBDA = 0.3  # so that the encoder's update shows both losses, and the discriminator's a stale gradient
STEP = 0.05
# Float32 differences of weights around 0.1 after steps of 1e-5 and more: 0.1% at worst. A wrong update
# is off by tens of percents.
TOLERANCE = 0.02
# A step may be shorter than the gradient (clipped), never longer.
SHORTEST, LONGEST = 0.02, 1.02
EQUATION = "equation_18_and_cross_entropy"
MANY, FEWER = 120, 40  # batches of an epoch; a linear model takes 1 ms for each
# A late epoch, and the part of a gradient below which float32 rounding turns a step by more than 1%.
LATE, SHORTEST_LATE = 100, 1e-3
WRITTEN_OUT = ("cross_entropy_against_codes_of_torch", "cross_entropy_against_codes_of_numpy")


def states_of(taken: Remote) -> list[Tensors]:
    """The states before, between and after the updates at two batches."""
    count: Any = taken.count()
    expect(
        count == 3,
        f"train_aae takes {count - 1 if isinstance(count, int) else 0} of the loader's 2 batches",
        "one pass over train_loader",
    )
    states: list[Any] = [taken.state(index) for index in range(3)]
    for state in states:
        if not isinstance(state, dict) or not all(
            isinstance(value, torch.Tensor) for value in state.values()
        ):
            fail("a network's state_dict() should hold its weights", "leave state_dict as nn.Module has it")
    return states


class Updates:
    """Two updates of a model by `train_aae`, one batch each, with plain gradient steps."""

    # What encoder and decoder may follow, and what the discriminator.
    autoencoders_losses: tuple[str, ...] = ("autoencoder_loss",)
    discriminators_losses: tuple[str, ...] = ("discriminator_loss",)

    def __init__(self, part: Part, draw: Draw, trivial: bool) -> None:
        self.part = part
        part.driver.prepare(torch.zeros(1, 28, 28, dtype=torch.uint8))
        part.seed(draw.seed())
        self.model: Remote = part.driver.build(Z_DIM_OF_UPDATES)
        part.driver.awake(self.model, torch.zeros(2, 1, 28, 28))
        # Larger weights than fresh ones: the discriminator's opinion then moves the encoder visibly.
        part.driver.enlarge(self.model.discriminator, 2.0)
        self.batches = [draw.uniform(8, 1, 28, 28, low=-1.0) for _ in range(2)]
        self.seeds = [draw.seed() for _ in self.batches]
        self.trivial = trivial or not self.losses_run()
        if self.trivial:
            part.driver.with_trivial_losses(self.model)
            part.driver.with_linear_discriminator(self.model, Z_DIM_OF_UPDATES)
        with part.deadline(CHUNK_SECONDS):
            taken = part.driver.updates(self.model, self.batches, self.seeds, STEP, LAMBDA)
        self.states: list[Tensors] = states_of(taken)
        self.weights: set[str] = set(part.driver.weights(self.model))

    def losses_run(self) -> bool:
        """Whether the student's own losses can be called at all."""
        try:
            self.part.driver.autoencoder_loss(self.model, self.batches[0], LAMBDA)
            self.part.driver.discriminator_loss(self.model, self.batches[0])
        except StudentError:
            return False
        return True

    def moved(self, batch: int, side: str) -> Tensors:
        """How the weights of a side moved at a batch, in units of the step length."""
        before, after = self.states[batch], self.states[batch + 1]
        return {
            name: (before[name].double() - after[name].double()) / STEP
            for name in before
            if name.startswith(f"{side}.") and name in self.weights
        }

    def state(self, batch: int, **later: bool) -> Tensors:
        """The state before a batch; sides set to True as they are after it."""
        before, after = self.states[batch], self.states[batch + 1]
        return {
            name: after[name]
            if any(name.startswith(f"{side}.") for side, new in later.items() if new)
            else value
            for name, value in before.items()
        }

    def gradient(self, batch: int, state: Tensors, loss: str, *arguments: Any) -> Tensors:
        """The gradient of a loss of their own for all weights, at a state."""
        self.model.load_state_dict(state)
        self.model.train()
        self.part.seed(self.seeds[batch])
        call = self.part.record(getattr(self.part.driver, loss), self.model, self.batches[batch], *arguments)
        if not isinstance(call.value, torch.Tensor):
            fail("the loss should be a tensor, to be differentiated", "return the loss itself")
        gradients = gradients_of_weights(call, torch.ones_like(call.value), self.model)
        return {name: value.double() for name, value in gradients.items() if value is not None}


def linear_weights(draw: Draw) -> Tensors:
    """Weights for linear maps in the places of the three networks."""
    size = Z_DIM_OF_UPDATES
    return {
        "encoder.grader_map.weight": draw.normal(size, 784, std=0.05),
        "encoder.grader_map.bias": draw.normal(size, std=0.1),
        "decoder.grader_map.weight": draw.normal(784, size, std=0.3),
        "decoder.grader_map.bias": draw.normal(784, std=0.1),
        "discriminator.grader_map.weight": draw.normal(1, size, std=0.5),
        "discriminator.grader_map.bias": draw.normal(1, std=0.1),
    }


def linear_model(part: Part, weights: Tensors) -> Remote:
    """The student's model with linear maps for networks."""
    part.driver.prepare(torch.zeros(1, 28, 28, dtype=torch.uint8))
    size = Z_DIM_OF_UPDATES
    model: Remote = part.driver.with_linear_networks(part.driver.build(size), size, weights)
    return model


class LinearUpdates(Updates):
    """The same on linear maps and odd losses that the grader knows: it works out the gradients itself.

    A loop may also write a loss out instead of calling the method, for which the grader has a stand-in: the
    assignment's loss of the autoencoder is right, too, and so is the discriminator's cross-entropy against
    the first codes that are drawn after the batch's seed.
    """

    autoencoders_losses = ("autoencoder_loss", EQUATION)
    discriminators_losses = ("discriminator_loss", *WRITTEN_OUT)

    def __init__(self, part: Part, draw: Draw, count: int = 8, epoch: int = 1) -> None:
        sent = linear_weights(draw)
        model = linear_model(part, sent)
        self.batches = [draw.uniform(count, 1, 28, 28, low=-1.0) for _ in range(2)]
        self.seeds = [draw.seed() for _ in self.batches]
        with part.deadline(CHUNK_SECONDS):
            taken = part.driver.updates(model, self.batches, self.seeds, STEP, LAMBDA, epoch)
        self.weights = set(sent)
        self.states = [
            {
                name: expect_shape(
                    state.get(name), value.shape, name, "change weights in place, by the optimizers"
                )
                for name, value in sent.items()
            }
            for state in states_of(taken)
        ]
        expect(
            all(torch.equal(self.states[0][name], value) for name, value in sent.items()),
            "train_aae changes the weights before the first batch",
            "change weights by the steps of the optimizers only",
        )

    def gradient(self, batch: int, state: Tensors, loss: str, *arguments: Any) -> Tensors:
        """The gradient of a loss for all weights, at a state."""
        weights = {name: value.double().requires_grad_() for name, value in state.items()}

        def linear(side: str, value: torch.Tensor) -> torch.Tensor:
            return value @ weights[f"{side}.grader_map.weight"].T + weights[f"{side}.grader_map.bias"]

        x = self.batches[batch].double().flatten(1)
        z = linear("encoder", x)
        if loss in self.autoencoders_losses:
            (lambda_,) = arguments
            recon, logits = (linear("decoder", z) - x).square().mean(), linear("discriminator", z)
            if loss == EQUATION:
                total = lambda_ * recon + (1 - lambda_) * softplus(-logits).mean()
            else:
                total = 5 * lambda_**2 * recon + 0.05 * (1 - lambda_**2) * (logits - 1).square().mean()
        elif loss in WRITTEN_OUT:
            real = linear("discriminator", first_codes(self.seeds[batch], z.shape, loss == WRITTEN_OUT[1]))
            fake = linear("discriminator", z.detach())
            total = softplus(-real).mean() + softplus(fake).mean()  # or half of it: `follows` takes both
        else:
            fake, real = (linear("discriminator", codes.detach()) for codes in (z, z / 2 + 1))
            total = (fake.square().mean() + (real - 1).square().mean()) / 50
        gradients = torch.autograd.grad(total, list(weights.values()), allow_unused=True)
        return {name: g for name, g in zip(weights, gradients, strict=True) if g is not None}


def first_codes(seed: int, shape: torch.Size, by_numpy: bool) -> torch.Tensor:
    """The first codes of the prior that are drawn after this seed."""
    if by_numpy:
        return torch.from_numpy(np.random.RandomState(seed).randn(*shape))
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


def follows(moves: list[Tensors], gradient: Tensors) -> bool:
    """Whether each side moved along a gradient, by a factor of its own (clipped by norm) or up to a limit.

    With one factor for both sides lambda would show no better: the encoder follows both losses.
    """
    for side in moves:
        due = {name: gradient.get(name, torch.zeros_like(value)) for name, value in side.items()}
        move, one = (torch.cat([value.flatten() for value in values.values()]) for values in (side, due))
        factor = float(move @ one / (one @ one + 1e-30))
        limit = float(move.abs().max())
        along = [factor * one] if SHORTEST < factor < LONGEST else []
        along += [one.clamp(-limit, limit)] if limit > 0 else []
        if not any(float((move - path).norm()) <= TOLERANCE * float(path.norm()) + 1e-9 for path in along):
            return False
    return True


def still(moves: Tensors) -> bool:
    """Whether a side did not move at all."""
    return not any(bool(value.any()) for value in moves.values())


def follows_loss(
    updates: Updates, batch: int, moves: list[Tensors], lambda_: float, later: bool = False
) -> bool:
    """Whether sides move along the autoencoder's loss, before or after the discriminator's update."""
    state = updates.state(batch, discriminator=later)
    for loss in updates.autoencoders_losses:
        gradient = updates.gradient(batch, state, loss, lambda_)
        if follows(moves, gradient):
            return True
    return False


def expect_autoencoders_update(updates: Updates) -> None:
    """Fail unless encoder and decoder follow their own loss at both batches."""
    for batch in range(2):
        moves = [updates.moved(batch, side) for side in ("encoder", "decoder")]
        for side, move in zip(("encoder", "decoder"), moves, strict=True):
            expect(
                not still(move),
                f"the autoencoder's update leaves the {side} as it was",
                "ae_loss.backward() and optimizer_ae.step() for every batch; no .detach() on the way",
            )
        # The discriminator may be updated first.
        if any(follows_loss(updates, batch, moves, LAMBDA, later) for later in (False, True)):
            continue
        if follows_loss(updates, batch, moves, 1.0):
            fail(
                f"with lambda_ = {LAMBDA} encoder and decoder move as with lambda_ = 1",
                "pass lambda_ on to get_loss_autoencoder",
            )
        for fixed in (0.995, 1 - LAMBDA, 2 - LAMBDA, 0.0):
            if follows_loss(updates, batch, moves, fixed):
                fail(
                    f"with lambda_ = {LAMBDA} encoder and decoder move as with lambda_ = {fixed:g}",
                    "pass lambda_ on to get_loss_autoencoder as it is",
                )
        only = [
            side
            for side, move in zip(("encoder", "decoder"), moves, strict=True)
            if not follows_loss(updates, batch, [move], LAMBDA)
        ]
        where = " and ".join(only) if only else "encoder and decoder"
        if batch == 1:
            fail(
                f"from the second batch on, {where} do(es) not move along the gradient of ae_loss",
                "gradients of an earlier update are still there: optimizer_ae.zero_grad() right before "
                "ae_loss.backward(), and detach z for the discriminator's loss",
            )
        fail(
            f"{where} do(es) not move along the gradient of ae_loss",
            "one loss, one zero_grad, one backward and one step of optimizer_ae for each batch, with lambda_ "
            "passed on; the discriminator's loss must not reach the encoder (detach z)",
        )


def follows_autoencoder(updates: Updates, batch: int, move: Tensors) -> bool:
    """Whether the discriminator moves along the autoencoder's loss, before or after the update by it."""
    for later in (False, True):
        state = updates.state(batch, encoder=later, decoder=later)
        gradient = updates.gradient(batch, state, "autoencoder_loss", LAMBDA)
        if follows([move], gradient):
            return True
    return False


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
        move = updates.moved(batch, "discriminator")
        expect(
            not still(move),
            "the discriminator's update leaves the discriminator as it was",
            "disc_loss.backward() and optimizer_disc.step() for every batch",
        )
        right = any(follows_discriminator(updates, batch, loss) for loss in updates.discriminators_losses)
        expect(
            right or not follows_autoencoder(updates, batch, move),
            "the discriminator moves along the gradient of another loss, ae_loss",
            "disc_loss.backward(), and no backward of ae_loss between zero_grad and step of optimizer_disc",
        )
        expect(
            right,
            "the discriminator does not move along the gradient of disc_loss",
            "one disc_loss of this batch's z_fake, one step along it, nothing else that changes weights; or "
            "the autoencoder's update leaves gradients in the discriminator: optimizer_disc.zero_grad() "
            "right before disc_loss.backward(), and no backward of both losses at once",
        )


def epochs(part: Part, draw: Draw, count: int, numbers: list[int]) -> list[Tensors]:
    """Weights after every step in epochs of so many batches, on linear maps; empty if an epoch raises.

    That is what it does in many batches and not in two: pictures every now and then, say.
    """
    model = linear_model(part, linear_weights(draw))
    part.seed(draw.seed())
    batches = [draw.uniform(2, 1, 28, 28, low=-1.0) for _ in range(count)]
    try:
        with part.deadline(CHUNK_SECONDS):
            found: Any = part.driver.epochs(model, batches, STEP / 5, LAMBDA, numbers)
    except StudentError as error:
        if error.kind in ("timeout", "died"):
            raise
        return []
    hint = "leave the optimizers and the model's attributes as they are"
    if not isinstance(found, list) or not all(isinstance(epoch, dict) for epoch in found):
        fail("an epoch of many batches cannot be followed", hint)
    for epoch in found:
        for name in ("encoder", "decoder", "discriminator", "drawn"):
            rows = epoch.get(name)
            expect_shape(rows, (len(rows) if isinstance(rows, torch.Tensor) else 0, 8), name, hint)
    return found


def expect_step_for_every_batch(
    found: list[Tensors], count: int, optimizer: str, sides: tuple[str, ...]
) -> None:
    """Fail if an optimizer takes fewer steps than there are batches, or one of them moves nothing."""
    for epoch in found:
        for side in sides:
            weights = epoch[side]
            steps = len(weights) - 1
            expect(
                steps == 0 or steps >= count,  # with none of them, it is no optimizer that moves the weights
                f"{optimizer} takes {steps} steps for {count} batches: the rest leaves the {side} as it was",
                "an update for every batch: no break, and no condition on a batch's number or on its losses",
            )
            moved = (weights[1:] != weights[:-1]).any(1)
            expect(
                bool(moved.all()),
                f"in an epoch of {count} batches {int((~moved).sum())} updates leave the {side} as it was",
                "an update for every batch: the loss, zero_grad(), backward() and step()",
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


def expect_later_epoch(part: Part, draw: Draw) -> None:
    """Fail if in a late epoch encoder and decoder follow something else than their loss.

    Steps may be shorter by then; where they are lost in rounding, nothing is said.
    """
    updates = LinearUpdates(part, draw, epoch=LATE)
    moves = [updates.moved(0, side) for side in ("encoder", "decoder")]
    moved = torch.cat([value.flatten() for side in moves for value in side.values()])
    cosines = []
    for loss in updates.autoencoders_losses:
        for later in (False, True):
            gradient = updates.gradient(0, updates.state(0, discriminator=later), loss, LAMBDA)
            due = torch.cat([gradient[name].flatten() for side in moves for name in side])
            if moved.norm() < SHORTEST_LATE * due.norm():
                return
            cosines.append(float(torch.nn.functional.cosine_similarity(moved, due, dim=0)))
    expect(
        max(cosines) > 0.98,
        f"in epoch {LATE} encoder and decoder move another way than before, as if lambda_ is not the same",
        "the number of the epoch is for messages only: the same updates in every epoch",
    )


def test_autoencoders_update_follows_its_loss(part2: Part, draw: Draw) -> None:
    updates = Updates(part2, draw, trivial=False)
    try:
        expect_autoencoders_update(updates)
    except CheckFailed:
        # Networks that draw in training mode, or that norm their weights by what they have seen, make
        # something else of the same codes the second time. Then the linear maps decide alone.
        if part2.driver.repeats(updates.model, updates.batches[0]) is not False:
            raise
    expect_autoencoders_update(LinearUpdates(part2, draw))
    expect_autoencoders_update(LinearUpdates(part2, draw, count=64, epoch=2))
    expect_later_epoch(part2, draw)
    expect_step_for_every_batch(epochs(part2, draw, MANY, [1]), MANY, "optimizer_ae", ("encoder", "decoder"))


def test_discriminators_update_follows_its_loss(part2: Part, draw: Draw) -> None:
    try:
        expect_discriminators_update(Updates(part2, draw, trivial=False))
    except CheckFailed:
        # A loop that has its own loss follows none of theirs, which may be halved, or missing.
        own = LinearUpdates(part2, draw)
        if any(all(follows_discriminator(own, batch, loss) for batch in range(2)) for loss in WRITTEN_OUT):
            return
        # Their loss draws from the prior, and their loop may draw besides; their discriminator may have no
        # gradient at all, which costs another item. Losses without chance decide, on a linear one.
        expect_discriminators_update(Updates(part2, draw, trivial=True))
    expect_discriminators_update(LinearUpdates(part2, draw))
    expect_discriminators_update(LinearUpdates(part2, draw, count=64, epoch=2))
    found = epochs(part2, draw, FEWER, [1, 2])
    expect_step_for_every_batch(found, FEWER, "optimizer_disc", ("discriminator",))
    expect_fresh_codes(found)


def linear_updates_are_right(part2: Part, draw: Draw) -> None:
    """Fail unless both updates are right on the grader's own maps and losses."""
    updates = LinearUpdates(part2, draw)
    expect_autoencoders_update(updates)
    expect_discriminators_update(updates)

"""Two updates by `train_aae`, one batch each: how the weights moved, and the gradients they may follow."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn.functional import softplus

from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.limits import PART2_CHUNK_SECONDS as CHUNK_SECONDS
from grader.suites.draw import Draw
from grader.suites.expect import expect, expect_shape, fail
from grader.suites.part import Part
from grader.suites.part2.gradients import gradients_of_weights
from grader.suites.part2.short_training import EVERY_BATCH

Tensors = dict[str, torch.Tensor]

Z_DIM_OF_UPDATES = 8  # the default: a size that is fixed in the networks loses points elsewhere
LAMBDA = 0.3  # so that the encoder's update shows both losses, and the discriminator's a stale gradient
STEP = 0.05
# Float32 differences of weights around 0.1 after steps of 1e-5 and more: 0.1% at worst. A wrong update
# is off by tens of percents.
TOLERANCE = 0.02
# A step may be shorter than the gradient (clipped), never longer.
SHORTEST, LONGEST = 0.02, 1.02
MANY_NUMBERS = 10**6  # in one weight, of which float32 loses 1e-5 in a sum
EQUATION = "equation_18_and_cross_entropy"
WRITTEN_OUT = ("cross_entropy_against_codes_of_torch", "cross_entropy_against_codes_of_numpy")


def states_of(taken: Remote) -> list[Tensors]:
    """The states before, between and after the updates at two batches."""
    count: Any = taken.count()
    expect(
        count == 3,
        f"train_aae takes {count - 1 if isinstance(count, int) else 0} of the loader's 2 batches",
        EVERY_BATCH,
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
            name: precise(before[name]).sub(precise(after[name])).div_(STEP)
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
        return {name: precise(value) for name, value in gradients.items() if value is not None}


def precise(value: torch.Tensor) -> torch.Tensor:
    """In double precision; not where there are so many numbers that a few copies would fill the memory."""
    return value.double() if value.numel() <= MANY_NUMBERS else value.float()


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

    def gradient(
        self,
        batch: int,
        state: Tensors,
        loss: str,
        *arguments: Any,
        images: int | None = None,
        part: str = "",
        attached: bool = False,
    ) -> Tensors:
        """The gradient of a loss for all weights, at a state.

        Args:
            batch: which batch it is.
            state: weights.
            loss: one of `autoencoders_losses` or `discriminators_losses`.
            arguments: lambda for the autoencoder's.
            images: the batch whose images are taken instead.
            part: of a loss of two terms only this one, `recon` or `gen`, `real` or `fake`.
            attached: the discriminator's loss goes on into the encoder.
        """
        weights = {name: value.double().requires_grad_() for name, value in state.items()}

        def linear(side: str, value: torch.Tensor) -> torch.Tensor:
            return value @ weights[f"{side}.grader_map.weight"].T + weights[f"{side}.grader_map.bias"]

        x = self.batches[batch if images is None else images].double().flatten(1)
        z = linear("encoder", x)
        if loss in self.autoencoders_losses:
            (lambda_,) = arguments
            recon, logits = (linear("decoder", z) - x).square().mean(), linear("discriminator", z)
            if loss == EQUATION:
                terms = {"recon": lambda_ * recon, "gen": (1 - lambda_) * softplus(-logits).mean()}
            else:
                gen = (logits - 1).square().mean()
                terms = {"recon": 5 * lambda_**2 * recon, "gen": 0.05 * (1 - lambda_**2) * gen}
        else:
            z = z if attached else z.detach()
            fake = linear("discriminator", z)
            if loss in WRITTEN_OUT:
                codes = first_codes(self.seeds[batch], z.shape, loss == WRITTEN_OUT[1])
                real = linear("discriminator", codes)  # their loss, or half of it: `follows` takes both
                terms = {"real": softplus(-real).mean(), "fake": softplus(fake).mean()}
            else:
                real = linear("discriminator", z.detach() / 2 + 1)
                terms = {"real": (real - 1).square().mean() / 50, "fake": fake.square().mean() / 50}
        total = sum(term for name, term in terms.items() if part in ("", name))
        gradients = torch.autograd.grad([torch.as_tensor(total)], list(weights.values()), allow_unused=True)
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
        # One weight after the other: together, a side's weights may be large.
        pairs = [
            (move.flatten(), gradient[name].flatten()) for name, move in side.items() if name in gradient
        ]
        along_it = sum(float(move @ one) for move, one in pairs)
        factor = along_it / (sum(float(one @ one) for _, one in pairs) + 1e-30)
        limit = max((float(move.abs().max()) for move in side.values() if move.numel()), default=0.0)
        paths: list[Callable[[torch.Tensor], torch.Tensor]] = []
        if SHORTEST < factor < LONGEST:
            paths.append(partial(torch.mul, other=factor))
        if limit > 0:
            paths.append(partial(torch.clamp, min=-limit, max=limit))
        if not any(_along(side, gradient, path) for path in paths):
            return False
    return True


def _along(side: Tensors, gradient: Tensors, path_of: Callable[[torch.Tensor], torch.Tensor]) -> bool:
    """Whether a side moved along a path: what becomes of the gradient for each weight."""
    off = length = 0.0
    for name, move in side.items():
        path = path_of(gradient[name]) if name in gradient else torch.zeros_like(move)
        length += float(path.norm()) ** 2
        off += float(path.sub_(move).norm()) ** 2
    return off**0.5 <= TOLERANCE * length**0.5 + 1e-9


def distance(moves: list[Tensors], gradient: Tensors) -> float:
    """How far the sides are from having moved by just this gradient, as a share of it; the worst side's."""
    found = []
    for side in moves:
        move, one = flat(side, gradient)
        found.append(float((move - one).norm() / (one.norm() + 1e-9)))
    return max(found)


def flat(side: Tensors, gradient: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
    """How a side moved, and what a gradient is for it, as vectors."""
    due = {name: gradient.get(name, torch.zeros_like(value)) for name, value in side.items()}
    move, one = (torch.cat([value.flatten() for value in values.values()]) for values in (side, due))
    return move, one


def still(moves: Tensors) -> bool:
    """Whether a side did not move at all."""
    return not any(bool(value.any()) for value in moves.values())

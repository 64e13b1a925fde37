"""What went wrong in an update on linear maps: a cause is named where it gives just these numbers.

On the grader's own maps and losses every mistake that is named here can be worked out, and no code of the
student's is asked what it would do with another lambda, or with images of another batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

from grader.box.errors import StudentError
from grader.suites.diagnosis import looks_for_a_cause
from grader.suites.expect import CheckFailed
from grader.suites.part2.updates import (
    LAMBDA,
    STEP,
    TOLERANCE,
    WRITTEN_OUT,
    LinearUpdates,
    Tensors,
    Updates,
    distance,
    follows,
    still,
)

ORDINALS = ("first", "second")
OTHER_LAMBDAS = (1.0, 0.995, 1 - LAMBDA, 2 - LAMBDA, 0.0)


class Cause(NamedTuple):
    """A mistake.

    Attributes:
        message: what it does.
        hint: what to do about it.
        gradient: what the weights follow where it is made.
    """

    message: str
    hint: str
    gradient: Tensors


def confirmed(probe: Callable[[], bool]) -> bool:
    """Whether a probe shows that a cause is the right one; an error in it says that it is not."""
    try:
        return bool(probe())
    except (StudentError, CheckFailed):
        return False


def likeliest(moves: list[Tensors], causes: Iterator[Cause]) -> Cause | None:
    """The cause whose gradient the weights have followed; steps may be shorter (clipped)."""
    found = list(causes)
    nearest = min(found, key=lambda cause: distance(moves, cause.gradient))
    if distance(moves, nearest.gradient) < TOLERANCE:
        return nearest
    return next((cause for cause in found if follows(moves, cause.gradient)), None)


def added(*gradients: Tensors, factor: float = 1.0) -> Tensors:
    """The sum of gradients, times a factor."""
    names = {name for gradient in gradients for name in gradient}
    return {
        name: factor * torch.stack([gradient[name] for gradient in gradients if name in gradient]).sum(0)
        for name in names
    }


def moved_by(state: Tensors, gradient: Tensors, sides: tuple[str, ...]) -> Tensors:
    """A state after a step along a gradient by the optimizer of these sides."""
    return {
        name: value.double() - STEP * gradient[name] if name in gradient and name.startswith(sides) else value
        for name, value in state.items()
    }


@looks_for_a_cause
def causes_of_autoencoder(updates: LinearUpdates, batch: int) -> Iterator[Cause]:
    """What encoder and decoder may have followed instead of ae_loss."""
    both = "encoder and decoder move"
    for loss in updates.autoencoders_losses:
        for later in (False, True):  # the discriminator may be updated first
            state = updates.state(batch, discriminator=later)
            right = updates.gradient(batch, state, loss, LAMBDA)
            for other in OTHER_LAMBDAS:
                yield Cause(
                    f"with lambda_ = {LAMBDA} {both} as with lambda_ = {other:g}",
                    "pass lambda_ on to get_loss_autoencoder, as it is",
                    updates.gradient(batch, state, loss, other),
                )
            yield Cause(
                f"{both} as if z_fake has no gradient: the encoder does not learn from the discriminator",
                "hand z_fake to get_loss_autoencoder as it is, without .detach()",
                updates.gradient(batch, state, loss, LAMBDA, part="recon"),
            )
            yield Cause(
                f"{both} up the gradient of ae_loss instead of down its gradient",
                "ae_loss.backward(), without a minus",
                added(right, factor=-1.0),
            )
            for again in (right, updates.gradient(batch, moved_by(state, right, SIDES_OF_AE), loss, LAMBDA)):
                yield Cause(
                    f"{both} twice along the gradient of ae_loss",
                    "one backward() and one step() of optimizer_ae for every batch",
                    added(right, again),
                )
            for written_out in WRITTEN_OUT:
                leak = updates.gradient(batch, state, written_out, attached=True)
                for factor in (1.0, 0.5):
                    yield Cause(*LEAK, added(right, added(leak, factor=factor)))
            if batch == 1:
                before = updates.gradient(0, updates.state(0, discriminator=later), loss, LAMBDA)
                yield Cause(
                    f"at the second batch {both} along ae_loss of both batches: gradients of an earlier "
                    "update are still there",
                    "optimizer_ae.zero_grad() before ae_loss.backward(), for every batch",
                    added(right, before),
                )
                yield Cause(
                    f"at the second batch {both} along ae_loss of the first batch",
                    "x, recon_x and z_fake of this batch, and step() right after backward()",
                    before,
                )
                yield Cause(
                    f"at the second batch {both} along ae_loss of the first batch",
                    "x, recon_x and z_fake of this batch, and step() right after backward()",
                    updates.gradient(1, state, loss, LAMBDA, images=0),
                )


SIDES_OF_AE = ("encoder", "decoder")
LEAK = (
    "the encoder moves along disc_loss, too: nobody has detached its codes",
    "detach z: the discriminator's loss must not reach the encoder",
)


@looks_for_a_cause
def causes_of_discriminator(updates: LinearUpdates, batch: int) -> Iterator[Cause]:
    """What the discriminator may have followed instead of disc_loss."""
    for loss in updates.discriminators_losses:
        for later in (False, True):  # the codes are those of before, or of a second forward pass
            state = updates.state(batch, encoder=later, decoder=later)
            right = updates.gradient(batch, state, loss)
            others = [updates.gradient(batch, state, other, LAMBDA) for other in updates.autoencoders_losses]
            for other in others:
                yield Cause(
                    "the discriminator moves along the gradient of another loss, ae_loss",
                    "disc_loss.backward(), and no backward of ae_loss between zero_grad and step of "
                    "optimizer_disc",
                    other,
                )
            yield Cause(
                "the discriminator moves up the gradient of disc_loss instead of down its gradient",
                "disc_loss.backward(), without a minus",
                added(right, factor=-1.0),
            )
            for part in ("real", "fake"):
                yield Cause(
                    f"the discriminator moves along the gradient of loss_{part} only",
                    "disc_loss.backward(): both terms of the loss",
                    updates.gradient(batch, state, loss, part=part),
                )
            again = updates.gradient(batch, moved_by(state, right, ("discriminator",)), loss)
            yield Cause(
                "the discriminator moves twice along the gradient of disc_loss",
                "one backward() and one step() of optimizer_disc for every batch",
                added(right, again),
            )
            first = updates.state(0, encoder=later, decoder=later)
            for other_loss, other in zip(updates.autoencoders_losses, others, strict=True):
                stale = [added(right, other)]
                if batch == 1:
                    of_first = updates.gradient(0, first, loss)
                    of_other = updates.gradient(0, first, other_loss, LAMBDA)
                    stale.append(added(right, other, of_first, of_other))
                    stale.append(added(right, of_other))
                    stale.append(added(right, of_other, of_first))
                for gradient in stale:
                    yield Cause(*STALE, gradient)
            if batch == 1:
                before = updates.gradient(0, first, loss)
                yield Cause(
                    "at the second batch the discriminator moves along disc_loss of both batches: gradients "
                    "of an earlier update are still there",
                    "optimizer_disc.zero_grad() before disc_loss.backward(), for every batch",
                    added(right, before),
                )
                for gradient in (before, updates.gradient(1, state, loss, images=0)):
                    yield Cause(
                        "at the second batch the discriminator moves along disc_loss of the first batch",
                        "z_fake of this batch, and step() right after backward()",
                        gradient,
                    )


STALE = (
    "the discriminator moves along ae_loss and disc_loss at once: ae_loss.backward() leaves gradients in it",
    "optimizer_disc.zero_grad() right before disc_loss.backward(), and no backward of both losses at once",
)


@looks_for_a_cause
def cause_of_stillness(updates: Updates, batch: int, side: str) -> Cause | None:
    """Why a side is left as it was, where that shows."""
    if not isinstance(updates, LinearUpdates):
        return None
    where = f"the update leaves the {side} as it was"
    if side == "decoder":
        for loss in updates.autoencoders_losses:
            alone = updates.gradient(batch, updates.state(batch), loss, LAMBDA, part="gen")
            if follows([updates.moved(batch, "encoder")], alone):
                return Cause(
                    f"{where}: recon_x has no gradient",
                    "hand recon_x to get_loss_autoencoder as it is, without .detach()",
                    alone,
                )
    if batch == 0 and not still(updates.moved(1, side)):
        of_disc = side == "discriminator"
        losses = updates.discriminators_losses if of_disc else updates.autoencoders_losses
        for loss in losses:
            for later in (False, True):
                others = {name: later for name in ("encoder", "decoder", "discriminator") if name != side}
                before = updates.gradient(0, updates.state(0, **others), loss, *([] if of_disc else [LAMBDA]))
                if follows([updates.moved(1, side)], before):
                    return Cause(
                        f"at the first batch {where}, and at the second it follows the first batch's loss",
                        "backward() before step(), for every batch",
                        before,
                    )
    return None


def leaks(updates: Updates, batch: int) -> bool:
    """Whether the encoder follows the student's own discriminator's loss, too, of this batch or the last."""
    move = updates.moved(batch, "encoder")
    own = updates.gradient(batch, updates.state(batch), updates.autoencoders_losses[0], LAMBDA)
    for earlier in {batch, max(0, batch - 1)}:
        for later in (False, True):
            state = updates.state(earlier, encoder=later, decoder=later)
            leak = updates.gradient(earlier, state, updates.discriminators_losses[0])
            if any(follows([move], added(own, added(leak, factor=factor))) for factor in (1.0, 0.5)):
                return True
    return False

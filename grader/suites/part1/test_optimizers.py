"""Item 1.7.training: what `training_step` and `configure_optimizers` of the VAE do, trained by Lightning.

Both are given, and students may change them. Lightning decides what is right: one optimizer or several,
schedulers, optimization by hand. The grader sends the weights, takes them back, and compares.
"""

from __future__ import annotations

import contextlib

import pytest
import torch

from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed, as_tensor, expect
from grader.suites.networks import wake
from grader.suites.part import Part
from grader.suites.part1 import signatures, test_forward
from grader.suites.part1.test_training import expect_a_vae
from grader.suites.pieces import wrong_pieces
from grader.suites.severity import SLIP

pytestmark = pytest.mark.item("1.7.training")

FILTERS, Z_DIM = 8, 20  # the crude networks know 20 latents only
IMAGES = 4  # in a batch
SLOW, FAST = 1e-4, 1e-2  # learning rates; whatever the optimizer, its steps follow the rate
# Of right code about 100: the first steps of every optimizer are the rate times something. A rate that is
# written into the code makes it 1.
LEAST_RATIO = 10.0
# How often the batches are seen, and how many there are. A warm-up may begin with a rate of 0 for an epoch,
# gradients may be gathered over batches, and a scheduler ask for what is validated: that takes more patience.
QUICK, PATIENT = (1, 1), (4, 8)
MORE_DRAWS = 6  # of the noise that code may draw
# A forward that fails more of its own checks is none. Losses that are no scalars fail four of seven.
MOST_OF_FORWARD = 0.6
GIVEN = "return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)"
HELPERS = ("sample_reparameterize", "KLD", "elbo_to_bpd")
NETWORKS = ("CNNEncoder", "CNNDecoder")
State = dict[str, torch.Tensor]


class WrongSteps(CheckFailed):
    """The loss has gradients, and no piece of the VAE is to blame for what the optimizer makes of them."""


def test_optimizer_trains_all_weights_at_the_given_rate(part1: Part, draw: Draw) -> None:
    _ = part1.train_pl
    signatures.expect_names(part1, "train_pl", "VAE", [(name, None) for name in signatures.VAE])
    patience = QUICK
    try:
        patience = expect_steps(part1, draw)
    except WrongSteps:
        raise
    except (CheckFailed, StudentError) as error:
        if not blameless(part1, draw, error):
            raise
    expect_the_whole_loss(part1, draw, patience)
    expect_a_vae(part1, draw)


def blameless(part1: Part, draw: Draw, error: CheckFailed | StudentError) -> bool:
    """Whether it is another piece, with an item of its own, that fails: the steps are right without it."""
    if isinstance(error, StudentError) and error.kind in ("timeout", "died", "hung"):
        return False
    for pieces, forward in ((HELPERS, False), (HELPERS + NETWORKS, False), (HELPERS + NETWORKS, True)):
        session = part1.fresh()
        _ = session.train_pl
        for name in pieces:
            session.driver.make_crude(name)
        if forward:
            session.driver.make_crude("forward")
        try:
            expect_steps(session, draw)
        except StudentError as other:
            if other.kind == "not_implemented":
                raise other from None  # what is not written yet earns nothing
        except CheckFailed:
            continue
        else:
            lost = wrong_pieces((test_forward,), part1.fresh(), draw) if forward else {}
            return test_forward not in lost or lost[test_forward].share <= MOST_OF_FORWARD
    return False


def expect_the_whole_loss(part1: Part, draw: Draw, patience: tuple[int, int]) -> None:
    """Fail if the optimizer gets one of the terms in the place of bpd.

    With a forward of the grader's, L_rec depends on the decoder alone and L_reg on the encoder alone. Where
    that cannot be trained nothing is said: the losses of the student's own forward are other ones.
    """
    epochs, batches = patience
    images = draw.integers(16, batches, IMAGES, 1, 28, 28)
    _ = part1.train_pl
    if part1.driver.both_are_taught(FILTERS, Z_DIM, FAST, images[0]) is True:
        return
    # Whatever else training_step does, Lightning decides.
    part1 = part1.fresh()
    _ = part1.train_pl
    part1.driver.make_crude("parted forward")
    with contextlib.suppress(StudentError):
        model = part1.driver.settled(part1.driver.vae(FILTERS, Z_DIM, FAST), Z_DIM)
        state = model.state_dict()
        after = part1.driver.after_fit(FILTERS, Z_DIM, FAST, state, images, epochs, patience == PATIENT)
        changed = {name.split(".")[0] for name in state if moved(state, after, name).any()}
        for network, lost, kept in (("encoder", "L_reg", "L_rec"), ("decoder", "L_rec", "L_reg")):
            other = "decoder" if network == "encoder" else "encoder"
            expect(
                network in changed or other not in changed,
                f"the loss that training_step gives to the optimizer leaves out {lost}, or the {network} is "
                f"frozen: it does not move where {kept} depends on the {other} alone",
                "return bpd, the loss of both terms, from training_step, and leave requires_grad as it is",
            )


def expect_steps(part1: Part, draw: Draw) -> tuple[int, int]:
    """Fail unless a short training moves all that the loss depends on, as far as the learning rate says.

    Returns:
        How long it had to be, `QUICK` or `PATIENT`.
    """
    model = part1.driver.settled(part1.driver.vae(FILTERS, Z_DIM, FAST), Z_DIM)
    wake(model, draw)
    state = model.state_dict()
    images = draw.integers(16, PATIENT[1], IMAGES, 1, 28, 28)
    gradients = learning(part1, model, state, images[0])
    due = list(gradients)
    seed = draw.seed()

    def after(rate: float, epochs: int, batches: int, validate: bool, seed: int = seed) -> State:
        part1.seed(seed)
        sizes = FILTERS, Z_DIM, rate
        found: State = part1.driver.after_fit(*sizes, state, images[:batches], epochs, validate)
        return found

    for patience in (QUICK, PATIENT):
        try:
            fast, slow = (after(rate, *patience, patience == PATIENT) for rate in (FAST, SLOW))
        except StudentError:
            if patience == PATIENT:
                raise
            continue
        stuck = [name for name in due if not moved(state, fast, name).any()]
        far, near = (
            torch.cat([moved(state, end, name).flatten() for name in due]).norm() for end in (fast, slow)
        )
        if not stuck and float(far) > LEAST_RATIO * float(near):
            # Of right code a sum of products of one sign each; what is drawn anew in each pass changes few.
            # The noise of an encoder, which has an item of its own, may turn them: then several draws count.
            along = followed(state, fast, gradients)
            for _ in range(MORE_DRAWS if along >= 0 else 0):
                fast = after(FAST, *patience, patience == PATIENT, draw.seed())
                along += followed(state, fast, learning(part1, model, state, images[0]))
            if along >= 0:
                raise WrongSteps(
                    "the optimizer moves the weights up the gradient of bpd: the loss grows",
                    f"the loss is to be minimized: no maximize=True, no other sign in training_step; {GIVEN}",
                )
            return patience
    if stuck:
        raise WrongSteps(*stuck_text(part1, model, stuck, due))
    raise WrongSteps(
        f"with a learning rate of {FAST:g} the weights move {float(far / near):.2g} times as far as with one "
        f"of {SLOW:g}: the optimizer does not follow lr",
        f"give it the rate that the VAE was built with: {GIVEN}",
        SLIP,
    )


def followed(before: State, after: State, gradients: State) -> float:
    """How far weights have moved along gradients: below 0 if the loss falls."""
    return sum(
        float(((after[name].double() - before[name].double()) * gradient.double()).sum())
        for name, gradient in gradients.items()
    )


def moved(before: State, after: State, name: str) -> torch.Tensor:
    """How far a tensor's elements have moved, float64."""
    start, end = before[name], as_tensor(after.get(name), f"{name} after the training")
    expect(
        start.shape == end.shape and bool(end.isfinite().all()),
        f"{name} is not finite, or of another shape, after a few steps with a learning rate of {FAST:g}",
        "look at training_step and configure_optimizers",
    )
    return (end.double() - start.double()).abs()


def learning(part1: Part, model: Remote, state: State, images: torch.Tensor) -> State:
    """The gradients of the weights that the loss depends on, where a step of the plainest optimizer shows."""
    gradients = part1.driver.gradients_of_loss(model, images)
    expect(
        isinstance(gradients, dict), "forward returns no loss that could be minimized", test_forward.TRIPLE
    )
    found: State = {}
    for name, gradient in gradients.items():
        if name not in state or as_tensor(gradient, name).shape != state[name].shape:
            continue
        rounding = 16 * torch.finfo(state[name].dtype).eps * state[name].abs() + 1e-12
        if bool((FAST * gradient.abs() > rounding).any()):
            found[name] = gradient
    expect(bool(found), "bpd depends on no weights: there is nothing to train", test_forward.KEEP)
    return found


def stuck_text(part1: Part, model: Remote, stuck: list[str], due: list[str]) -> tuple[str, str]:
    """What is said of weights that a training leaves as they were: a message and a hint."""
    rates: list[float] = []
    with contextlib.suppress(StudentError, RuntimeError, TypeError, ValueError):
        rates = [float(rate) for rate in part1.driver.rates_of(model)]
    hint = f"in configure_optimizers: {GIVEN}"
    if rates and not any(rates):
        return "training leaves all weights as they were: the optimizer's learning rate is 0", hint
    networks = {name.split(".")[0] for name in due}
    whole = [one for one in sorted(networks) if all(n in stuck for n in due if n.split(".")[0] == one)]
    what = f"all weights of the {' and the '.join(whole)}" if whole else f"weights, {stuck[0]} among them,"
    share = f"{len(stuck)} of the {len(due)} tensors that the loss depends on"
    return (
        f"training leaves {what} as they were: {share}",
        f"the optimizer should train all of the VAE; {hint}",
    )

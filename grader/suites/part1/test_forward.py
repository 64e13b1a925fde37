"""Item 1.7.forward: `VAE.forward(imgs)` -> (L_rec, L_reg, bpd), equations 13 and 14.

The networks are stand-ins that return a posterior and logits of the grader's choice, so that only the
combination is judged. Helpers of utils.py are taken as they are: with a wrong KLD, L_reg is right when it is
the mean of what that KLD says. A helper that cannot be called at all is replaced by a trivial one.
"""

import contextlib
import math
from collections.abc import Callable

import pytest
import torch

from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.suites.diagnosis import tried
from grader.suites.draw import Draw
from grader.suites.expect import (
    CheckFailed,
    as_tensor,
    close,
    expect,
    expect_finite,
    expect_scalar,
    fail,
    shape_text,
)
from grader.suites.part import Part
from grader.suites.part1.forward_causes import (
    Case,
    Losses,
    agrees,
    divergence_cause,
    far_off,
    free_bits,
    make_case,
    near_the_prior,
    reconstruction_cause,
    uneven,
    weight_of_divergence,
)
from grader.suites.part1.forward_latents import expect_the_images, fault_of_latents
from grader.suites.severity import SERIOUS, SLIP, WHOLE

pytestmark = pytest.mark.item("1.7.forward")

TRIPLE = "forward returns three scalars: L_rec, L_reg and bpd, each averaged over the batch"

WHILE_TRAINING = " in training mode, after model.train()"
# Only where both were looked at.
WHILE_EVALUATING = " in evaluation mode only, after model.eval()"
SEEN = 6  # images, of those that the encoder was given
# How strongly logits depend on z. No pixel then costs much more than without z: a limit on a pixel's loss,
# which has a check of its own, is not taken for another sample. The loss still moves by percents with z.
SMALL_GAIN = 0.15
KEEP = "keep the losses tensors, and differentiable: no .item(), .detach(), float(), no_grad or argmax"
SAMPLED = "z = sample_reparameterize(mean, log_std.exp()), then decode z"


def build(part1: Part, case: Case, gain: float = 0.0) -> Remote:
    """The student's VAE around the stand-in networks."""
    _ = part1.train_pl
    for helper in ("sample_reparameterize", "KLD", "elbo_to_bpd"):
        part1.driver.mend(helper)
    return part1.driver.with_fixed_networks(case.mean, case.log_std, case.logits, gain)


def losses(model: Remote, images: torch.Tensor) -> Losses:
    """One call, with its result checked to be three numbers."""
    result = model(images)
    expect(
        isinstance(result, tuple | list) and len(result) == 3,
        f"forward should return L_rec, L_reg and bpd, but returned {shape_text(result)}",
        TRIPLE,
        SLIP,
    )
    names = ("L_rec", "L_reg", "bpd")
    values = [expect_scalar(value, name, TRIPLE) for value, name in zip(result, names, strict=True)]
    for value, name in zip(values, names, strict=True):
        expect_finite(value, name, "work with logits and log_std; take no logarithm of a probability")
    return values[0], values[1], values[2]


def own_divergence(part1: Part, case: Case) -> list[torch.Tensor]:
    """The values of L_reg that follow from the true KL divergence and from the student's own KLD."""
    own = as_tensor(part1.utils.KLD(case.mean, case.log_std), "KLD").double()
    # Asked near the prior: one that is limited looks like a constant far from it.
    near, nearer = (
        as_tensor(part1.utils.KLD(case.mean / 10 + shift, case.log_std / 10), "KLD").double().mean()
        for shift in (0.0, 1.0)
    )
    if abs(float(near - nearer)) < 1e-3:
        # One that does not look at the posterior says nothing of L_reg: where both are always 0 they agree.
        # A crude one takes its place.
        part1.driver.make_crude("KLD")
        own = (case.mean.double().square() + case.log_std.double().square()).sum(dim=1)
    return [case.divergence.mean(), own.mean()]


def test_returns_three_scalars(part1: Part, draw: Draw) -> None:
    case = make_case(draw, 3)
    model = build(part1, case)
    L_rec, _, bpd = losses(model, case.images)
    other_L_rec, _, other_bpd = losses(model, draw.integers(16, 3, 1, 28, 28))
    for value, other, name in ((L_rec, other_L_rec, "L_rec"), (bpd, other_bpd, "bpd")):
        expect(
            bool(value != other),
            f"{name}, in its place among the three, is the same for other images",
            f"the reconstruction loss compares the logits with the images; {TRIPLE}, in this order",
        )


def test_works_for_a_batch_of_one(part1: Part, draw: Draw) -> None:
    case = make_case(draw, 1)
    due = case.reconstruction.mean()
    model = build(part1, case)
    try:
        L_rec, _, _ = losses(model, case.images)
    except StudentError as error:
        larger = make_case(draw, 3)
        with contextlib.suppress(StudentError, CheckFailed):
            losses(build(part1, larger), larger.images)
            if error.kind == "raised" and not error.hint:
                error.hint = (
                    "larger batches work: most likely imgs.squeeze() removes the batch dimension when it is "
                    "1; squeeze(1)"
                )
        raise
    if agrees(L_rec, [due]):
        return
    # Whatever the loss is: three times the same image make its mean the same, and its sum three times that.
    copies = Case(*(part.expand(3, *part.shape[1:]).clone() for part in vars(case).values()))
    of_copies, _, _ = losses(build(part1, copies), copies.images)
    of_another, _, _ = losses(model, draw.integers(16, 1, 1, 28, 28))
    expect(
        agrees(L_rec, [of_copies, of_copies / 3, of_copies * 3]),
        f"L_rec of a batch of one image is {L_rec:.5g}, but {of_copies:.5g} for three copies of that image",
        "look at what becomes of a batch dimension of 1: a squeeze() removes it, squeeze(1) names another",
    )
    expect(
        bool(of_another != L_rec),
        f"L_rec is {L_rec:.5g} for any image, instead of {due:.5g}",
        "the reconstruction loss compares the logits with the images",
        WHOLE,
    )


def test_reconstruction_loss_is_the_summed_cross_entropy(part1: Part, draw: Draw) -> None:
    case = make_case(draw, 5)
    model = build(part1, case)
    found = losses(model, case.images)
    due = case.reconstruction.mean()
    model.train()
    training = losses(model, case.images)
    if agrees(found[0], [due]):
        expect(
            agrees(training[0], [due]),
            f"L_rec is {training[0]:.6g} instead of {due:.6g}{WHILE_TRAINING}; otherwise it is right",
            "the loss is the same in both modes: look at what depends on self.training",
        )
        case = far_off(draw, case)
        L_rec, *_ = losses(build(part1, case), case.images)
        due = case.reconstruction.mean()
        # About 14 nats for each of them. A small number added inside a logarithm, 1e-8, makes 0.2% less.
        expect(
            close(L_rec, due, rtol=3e-2, atol=0.0),
            f"L_rec is {L_rec:.6g} instead of {due:.6g} where the logits are sure of a wrong level",
            "no limit on the loss of a pixel: the cross-entropy of logits as it is",
            SLIP,
        )
        return
    when = WHILE_EVALUATING if agrees(training[0], [due]) else ""
    cause = reconstruction_cause(case, found, far_off(draw, case), make_case(draw, 3), asked(part1))
    fail(
        f"L_rec is {found[0]:.6g} instead of {due:.6g}{when}" + (f"; {cause}" if cause else ""),
        "cross-entropy between the logits [B, 16, 28, 28] and the grey levels [B, 28, 28], summed over the "
        "pixels of an image, averaged over the batch",
    )


def asked(part1: Part, training: bool = False) -> Callable[[Case], Losses]:
    """What forward says of a case, in either mode."""

    def ask(case: Case) -> Losses:
        model = build(part1, case)
        model.train(training)
        return losses(model, case.images)

    return ask


def test_regularization_loss_is_the_mean_divergence(part1: Part, draw: Draw) -> None:
    case = make_case(draw, 5)
    model = build(part1, case)
    accepted = own_divergence(part1, case)
    _, L_reg, _ = losses(model, case.images)
    model.train()
    _, training, _ = losses(model, case.images)
    near = near_the_prior(draw, case)
    if agrees(L_reg, accepted):
        here = L_reg
        expect(
            agrees(training, accepted),
            f"L_reg is {training:.6g} instead of {accepted[0]:.6g}{WHILE_TRAINING}; otherwise it is right",
            "the loss is the same in both modes: look at what depends on self.training",
        )
        for other, where in ((far_off(draw, case), "far from the prior"), (near, "near the prior")):
            accepted = own_divergence(part1, other)
            _, L_reg, _ = losses(build(part1, other), case.images)
            if agrees(L_reg, accepted):
                continue
            ask, another = asked(part1), uneven(draw, case)
            seen = [(other, L_reg), (case, here)]
            cause = tried(lambda: free_bits([*seen, (another, ask(another)[1])]))  # noqa: B023
            fail(
                f"L_reg is {L_reg:.6g} instead of {accepted[0]:.6g} for a posterior {where}"
                + (f"; {cause}" if cause else ""),
                "the mean of KLD as it is: no limit on mean, log_std or the divergence",
                SERIOUS if cause else SLIP,
            )
        return
    when = WHILE_EVALUATING if agrees(training, accepted) else ""
    larger = make_case(draw, 3)
    others = [(other, own_divergence(part1, other)) for other in (larger, near, uneven(draw, case))]
    cause = divergence_cause(case, L_reg, accepted, others, asked(part1))
    fail(
        f"L_reg is {L_reg:.6g} instead of {accepted[0]:.6g}{when}" + (f": {cause}" if cause else ""),
        "L_reg is the mean over the batch of KLD(mean, log_std)",
    )


def test_bpd_is_that_of_the_sum(part1: Part, draw: Draw) -> None:
    case = make_case(draw, 5)
    model = build(part1, case)
    evaluation, when = losses(model, case.images), ""
    model.train()
    training = losses(model, case.images)
    near = near_the_prior(draw, case)
    if not belongs(part1, case, evaluation):
        when = WHILE_EVALUATING if belongs(part1, case, training) else ""
        expect_bpd_of_the_sum(part1, case, evaluation, draw, when)
    elif not belongs(part1, case, training):
        expect_bpd_of_the_sum(part1, case, training, draw, WHILE_TRAINING)
    else:
        expect_bpd_of_the_sum(part1, near, asked(part1)(near), draw, " for a posterior near the prior")


def conversions(part1: Part, case: Case, total: torch.Tensor) -> list[torch.Tensor]:
    """The bits per dimension of some nats, by the right formula and by the student's own helper."""
    own = as_tensor(part1.utils.elbo_to_bpd(total.float(), list(case.images.shape)), "elbo_to_bpd")
    return [total * math.log2(math.e) / 784, own.double().mean()]


def belongs(part1: Part, case: Case, found: Losses) -> bool:
    """Whether bpd is the conversion of L_rec + L_reg, by the student's helper or the right one."""
    L_rec, L_reg, bpd = found
    expect(
        float((L_rec + L_reg).abs()) > 1e-3,
        "L_rec and L_reg are zero: there is nothing to convert",
        TRIPLE,
        WHOLE,
    )
    totals = (L_rec + L_reg, case.reconstruction.mean() + L_reg)
    return any(agrees(bpd, conversions(part1, case, total)) for total in totals)


def expect_bpd_of_the_sum(part1: Part, case: Case, found: Losses, draw: Draw, when: str) -> None:
    """Fail unless bpd is the conversion of L_rec + L_reg, and say what it is instead."""
    if belongs(part1, case, found):
        return
    L_rec, L_reg, bpd = found
    known = {
        "L_reg is subtracted instead of added": L_rec - L_reg,
        "L_reg is left out": L_rec,
        "L_rec is left out": L_reg,
        "it is the bpd of the ELBO instead of the negative ELBO": -(L_rec + L_reg),
    }
    cause = next((text for text, total in known.items() if agrees(bpd, conversions(part1, case, total))), "")
    if not cause and agrees(bpd, [L_rec + L_reg]):
        cause = "it is in nats, not in bits per dimension: elbo_to_bpd is missing"
    right = conversions(part1, case, L_rec + L_reg)
    if not cause and agrees(bpd, [value / len(case.images) for value in right]):
        cause = "it is divided by the batch size once more"

    def weighted() -> str:
        other = far_off(draw, case)
        again = asked(part1, training=when == WHILE_TRAINING)(other)
        for one, another in zip(
            conversions(part1, case, torch.ones(())), conversions(part1, other, torch.ones(())), strict=True
        ):
            weight, second = weight_of_divergence(found, one), weight_of_divergence(again, another)
            if abs(weight - second) < 0.01 * abs(weight) + 1e-3:
                return f"L_reg is weighted by {weight:.3g} in it (beta), instead of 1"
        return ""

    cause = cause or tried(weighted) or f"it is {bpd:.5g} instead of {right[0]:.5g}"
    fail(f"bpd does not belong to L_rec + L_reg{when}: {cause}", "elbo_to_bpd(L_rec + L_reg, imgs.shape)")


def test_decodes_a_sample_of_the_posterior(part1: Part, draw: Draw) -> None:
    # 1,800 latents; the noise behind them is looked at where sample_reparameterize is not used.
    case = make_case(draw, 3)
    # Wide: a limit on what goes into the sample shows. Where eps is recovered, float32 leaves it 1e-4.
    case.mean, case.log_std = draw.normal(150, 12, std=4.0), draw.uniform(150, 12, low=-4.0, high=2.5)
    images = draw.integers(16, 150, 1, 28, 28)
    case.logits = case.logits[:1]
    model = build(part1, case)
    part1.driver.stop_sampling()
    faults = []
    for mode in (model.eval, model.train):
        mode()
        model(images)
        faults.append(fault_of_latents(part1.driver.latents(model), case))
    part1.driver.without_gradients(model, images)
    unseen = fault_of_latents(part1.driver.latents(model), case)
    part1.driver.restore()
    if any(faults):
        when = "" if all(faults) else WHILE_EVALUATING if faults[0] else WHILE_TRAINING
        fail(f"{faults[0] or faults[1]}{when}", SAMPLED)
    expect(not unseen, f"{unseen} under torch.no_grad(), as in validation", SAMPLED)
    expect_the_images(part1.driver.encoded(model, SEEN), images[:SEEN])
    expect_drawn_afresh(part1, model, images)
    expect_the_loss_of_the_sample(part1, make_case(draw, 3))


def expect_the_loss_of_the_sample(part1: Part, case: Case) -> None:
    """Fail unless L_rec is that of the latents on record: a sample may be decoded for show.

    Only where L_rec is right for logits that do not depend on z; otherwise another check fails.
    """
    try:
        model = build(part1, case, SMALL_GAIN)
        L_rec, *_ = losses(model, case.images)
        latents = part1.driver.latents(model)
        one_each = latents is not None and latents.shape == case.mean.shape
        shown = case.decoded(latents, SMALL_GAIN) if one_each else case
        due = shown.reconstruction.mean()
        if one_each and agrees(L_rec, [due]):
            return
        plain, *_ = losses(build(part1, case), case.images)
    except (CheckFailed, StudentError):
        return
    if not agrees(plain, [case.reconstruction.mean()]):
        return
    expect(one_each, "L_rec is right, but the decoder is not given one sample of z per image", SAMPLED)
    fail(
        f"L_rec is {L_rec:.6g}, but {due:.6g} for the sample that is decoded: other latents decide the loss",
        SAMPLED,
    )


def expect_drawn_afresh(part1: Part, model: Remote, images: torch.Tensor) -> None:
    """Fail if two calls decode the same latents, though the helper draws."""
    # One of the grader's: a helper that sets a seed loses its own item.
    part1.driver.make_crude("sample_reparameterize")
    calls = []
    for _ in range(2):
        model(images)
        calls.append(part1.driver.latents(model))
    part1.driver.restore()
    expect(
        not torch.equal(*calls),
        "two calls of forward with the same images use the same noise",
        "set no seed in forward: z is drawn afresh in every call",
    )


def gradients_of_bpd(part1: Part, case: Case, gain: float) -> dict[str, torch.Tensor]:
    """The gradient of bpd by what the stand-in networks hold; none counts as zero.

    Args:
        part1: the submission.
        case: what the stand-ins return.
        gain: how strongly the logits depend on z. With 0 the encoder learns through the KL term alone.
    """
    model = build(part1, case, gain)
    model.train()  # what evaluation decodes need not learn
    # Helpers that cut the gradient lose their own items.
    part1.driver.stop_sampling()
    for name in ("KLD", "elbo_to_bpd"):
        part1.driver.make_crude(name)
    call = part1.record(model, case.images)
    part1.driver.restore()
    values = call.value
    expect(
        isinstance(values, tuple | list) and len(values) == 3,
        "forward should return three values",
        TRIPLE,
        SLIP,
    )
    expect(isinstance(values[2], torch.Tensor), "bpd is a plain number, no tensor", KEEP)
    before = [None] * sum(isinstance(value, torch.Tensor) for value in values[:2])
    held = part1.driver.held(model)
    found = call.gradients(*before, torch.ones_like(values[2]), of=held)
    names = {"logits": case.logits, "mean": case.mean, "log_std": case.log_std}
    return {
        name: torch.zeros_like(value) if (gradient := found.get(name)) is None else gradient
        for name, value in names.items()
    }


def test_gradients_reach_both_networks(part1: Part, draw: Draw) -> None:
    case = make_case(draw, 4)
    both, regularization = gradients_of_bpd(part1, case, 1.0), gradients_of_bpd(part1, case, 0.0)
    expect(bool(both["logits"].any()), "no gradient flows from bpd to the decoder's logits", KEEP)
    for name in ("mean", "log_std"):
        through_z = (both[name] - regularization[name]).abs().max() > 1e-4 * both[name].abs().max()
        expect(
            bool(through_z),
            f"no gradient flows from bpd through L_rec, the logits and z to the encoder's {name}",
            KEEP,
        )
        expect(
            bool(regularization[name].any()),
            f"no gradient flows from bpd through L_reg to the encoder's {name}",
            f"bpd is that of L_rec + L_reg; {KEEP}",
        )

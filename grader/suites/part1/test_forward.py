"""Item 1.7.forward: `VAE.forward(imgs)` -> (L_rec, L_reg, bpd), equations 13 and 14.

The networks are stand-ins that return a posterior and logits of the grader's choice, so that only the
combination is judged. Helpers of utils.py are taken as they are: with a wrong KLD, L_reg is right when it is
the mean of what that KLD says. A helper that cannot be called at all is replaced by a trivial one.
"""

import contextlib
import math
from dataclasses import dataclass

import pytest
import torch
from torch.nn.functional import cross_entropy

from grader.box.errors import StudentError
from grader.box.remote import Remote
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
from grader.suites.statistics import dependence_faults, normal_faults

pytestmark = pytest.mark.item("1.7.forward")

TRIPLE = "forward returns three scalars: L_rec, L_reg and bpd, each averaged over the batch"
RTOL = 1e-4  # float32 sums over 784 pixels; the mildest mistake here moves a loss by percents


WHILE_TRAINING = " in training mode, after model.train()"
SEEN = 6  # images, of those that the encoder was given
KEEP = "keep the losses tensors: no .item(), .detach(), float() or no_grad"


@dataclass
class Case:
    """Images, and what the stand-in networks say of them."""

    images: torch.Tensor
    mean: torch.Tensor
    log_std: torch.Tensor
    logits: torch.Tensor

    @property
    def reconstruction(self) -> torch.Tensor:
        """Cross-entropy in nats per image, summed over the pixels, `[B]`."""
        return cross_entropy(self.logits.double(), self.images.squeeze(1), reduction="none").sum(dim=(1, 2))

    @property
    def divergence(self) -> torch.Tensor:
        """KL divergence in nats per image, `[B]`."""
        mean, log_std = self.mean.double(), self.log_std.double()
        return 0.5 * ((2 * log_std).exp() + mean.square() - 1 - 2 * log_std).sum(dim=1)


def far_off(draw: Draw, case: Case) -> Case:
    """The same images: a fifth of the pixels taken for another level, a posterior far from the prior."""
    images = case.images.squeeze(1)
    other = (images + draw.integers(15, *images.shape) + 1) % 16
    taken = draw.uniform(*images.shape) < 0.2
    logits = case.logits + 20 * (torch.nn.functional.one_hot(other, 16) * taken[..., None]).permute(
        0, 3, 1, 2
    )
    mean = draw.uniform(*case.mean.shape, low=-8, high=8)
    return Case(case.images, mean, draw.uniform(*mean.shape, low=-4, high=2.5), logits)


def near_the_prior(draw: Draw, case: Case) -> Case:
    """The same with a posterior of 0.01 nats a dimension."""
    mean, log_std = draw.normal(*case.mean.shape, std=0.1), draw.normal(*case.mean.shape, std=0.1)
    return Case(case.images, mean, log_std, case.logits)


def make_case(draw: Draw, batch: int, z_dim: int = 6) -> Case:
    """Peaked logits that mostly predict the images: any scrambling of pixels or classes shows at once."""
    images = draw.integers(16, batch, 1, 28, 28)
    right = torch.nn.functional.one_hot(images.squeeze(1), 16).permute(0, 3, 1, 2).float()  # [B, 16, 28, 28]
    logits = 6 * right + draw.normal(batch, 16, 28, 28)
    return Case(images, draw.normal(batch, z_dim), draw.normal(batch, z_dim, std=0.5), logits)


def build(part1: Part, case: Case, gain: float = 0.0) -> Remote:
    """The student's VAE around the stand-in networks."""
    _ = part1.train_pl
    for helper in ("sample_reparameterize", "KLD", "elbo_to_bpd"):
        part1.driver.mend(helper)
    return part1.driver.with_fixed_networks(case.mean, case.log_std, case.logits, gain)


def losses(model: Remote, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One call, with its result checked to be three numbers."""
    result = model(images)
    expect(
        isinstance(result, tuple | list) and len(result) == 3,
        f"forward should return L_rec, L_reg and bpd, but returned {shape_text(result)}",
        TRIPLE,
    )
    names = ("L_rec", "L_reg", "bpd")
    values = [expect_scalar(value, name, TRIPLE) for value, name in zip(result, names, strict=True)]
    for value, name in zip(values, names, strict=True):
        expect_finite(value, name, "work with logits and log_std; take no logarithm of a probability")
    return values[0], values[1], values[2]


def own_divergence(part1: Part, case: Case) -> list[torch.Tensor]:
    """The values of L_reg that follow from the true KL divergence and from the student's own KLD."""
    own = as_tensor(part1.utils.KLD(case.mean, case.log_std), "KLD").double()
    other = as_tensor(part1.utils.KLD(case.mean + 1, case.log_std), "KLD").double()
    if abs(float(own.mean() - other.mean())) < 1e-3:
        # One that does not look at the posterior says nothing of L_reg: where both are always 0 they agree.
        # A crude one takes its place.
        part1.driver.make_crude("KLD")
        own = (case.mean.double().square() + case.log_std.double().square()).sum(dim=1)
    return [case.divergence.mean(), own.mean()]


def agrees(value: torch.Tensor, accepted: list[torch.Tensor]) -> bool:
    return any(close(value, other.reshape(()), rtol=RTOL, atol=1e-4) for other in accepted)


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
                    "larger batches work: imgs.squeeze() removes the batch dimension when it is 1; squeeze(1)"
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
        "imgs.squeeze() removes the batch dimension, too, when it is 1: name the dimension, squeeze(1)",
    )
    expect(
        bool(of_another != L_rec),
        f"L_rec is {L_rec:.5g} for any image, instead of {due:.5g}",
        "the reconstruction loss compares the logits with the images",
    )


@pytest.mark.weight(2)
def test_reconstruction_loss_is_the_summed_cross_entropy(part1: Part, draw: Draw) -> None:
    case = make_case(draw, 5)
    model = build(part1, case)
    L_rec, *others = losses(model, case.images)
    due = case.reconstruction.mean()
    if agrees(L_rec, [due]):
        model.train()
        L_rec, *_ = losses(model, case.images)
        expect(
            agrees(L_rec, [due]),
            f"L_rec is {L_rec:.6g} instead of {due:.6g}{WHILE_TRAINING}; in evaluation mode it is right",
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
        )
        return

    def of_other(images: torch.Tensor) -> torch.Tensor:
        """The loss for other images than those that came in, at the same logits."""
        return cross_entropy(case.logits.double(), images, reduction="none").sum(dim=(1, 2)).mean()

    levels = case.images.squeeze(1)
    known = {
        "it is averaged over the pixels instead of summed": due / 784,
        "it is summed over the batch instead of averaged": due * 5,
        "its sign is flipped": -due,
        "it is divided by the batch size twice": due / 5,
        "a softmax is applied before the cross-entropy, which expects logits": cross_entropy(
            case.logits.double().softmax(1), case.images.squeeze(1), reduction="none"
        )
        .sum(dim=(1, 2))
        .mean(),
        "it is in bits, not nats": due * math.log2(math.e),
        "the image is transposed against the logits": of_other(levels.mT),
        "the grey levels are shifted by one": of_other((levels - 1).clamp(min=0)),
        "the grey levels are shifted up by one": of_other((levels + 1).clamp(max=15)),
    }
    cause = next((text for text, value in known.items() if agrees(L_rec, [value])), "")
    if not cause and any(agrees(other, [due]) for other in others):
        cause = "the three results are returned in another order"
    if not cause and float(L_rec) < 0.5 * float(due):
        cause = "it is no cross-entropy of these logits, or much of it is missing"
    if not cause and float(L_rec) > 2 * float(due):
        cause = (
            "it is far too high: classes and pixels are probably scrambled by a reshape or view of "
            "[B, 16, 28, 28] without permute"
        )
    fail(
        f"L_rec is {L_rec:.6g} instead of {due:.6g}; {cause}"
        if cause
        else f"L_rec is {L_rec:.6g}, not {due:.6g}",
        "cross-entropy between the logits [B, 16, 28, 28] and the grey levels [B, 28, 28], summed over the "
        "pixels of an image, averaged over the batch",
    )


def test_regularization_loss_is_the_mean_divergence(part1: Part, draw: Draw) -> None:
    case = make_case(draw, 5)
    model = build(part1, case)
    accepted = own_divergence(part1, case)
    _, L_reg, _ = losses(model, case.images)
    if agrees(L_reg, accepted):
        for other, where in (
            (far_off(draw, case), "far from the prior"),
            (near_the_prior(draw, case), "near the prior"),
        ):
            accepted = own_divergence(part1, other)
            _, L_reg, _ = losses(build(part1, other), case.images)
            expect(
                agrees(L_reg, accepted),
                f"L_reg is {L_reg:.6g} instead of {accepted[0]:.6g} for a posterior {where}",
                "the mean of KLD as it is: no limit on mean, log_std or the divergence",
            )
        return
    wrong_input = (
        0.5 * ((2 * case.log_std.exp()).exp() + case.mean**2 - 1 - 2 * case.log_std.exp()).sum(1).mean()
    )
    known = {
        "it is summed over the batch instead of averaged": [5 * value for value in accepted],
        "its sign is flipped": [-value for value in accepted],
        "KLD is given std, but wants log_std": [wrong_input.double()],
        "it is divided by the number of latent dimensions": [value / 6 for value in accepted],
    }
    cause = next((text for text, values in known.items() if agrees(L_reg, values)), "check what KLD is given")
    fail(
        f"L_reg is {L_reg:.6g} instead of {accepted[0]:.6g}: {cause}",
        "L_reg is the mean over the batch of KLD",
    )


@pytest.mark.weight(2)
def test_bpd_is_that_of_the_sum(part1: Part, draw: Draw) -> None:
    case = make_case(draw, 5)
    model = build(part1, case)
    expect_bpd_of_the_sum(part1, case, model, "")
    model.train()
    expect_bpd_of_the_sum(part1, case, model, WHILE_TRAINING)
    near = near_the_prior(draw, case)
    expect_bpd_of_the_sum(part1, near, build(part1, near), " for a posterior near the prior")


def expect_bpd_of_the_sum(part1: Part, case: Case, model: Remote, when: str) -> None:
    """Fail unless bpd is the conversion of L_rec + L_reg, by the student's helper or the right one."""
    L_rec, L_reg, bpd = losses(model, case.images)
    shape = list(case.images.shape)
    expect(
        float((L_rec + L_reg).abs()) > 1e-3, "L_rec and L_reg are zero: there is nothing to convert", TRIPLE
    )

    def conversions(total: torch.Tensor) -> list[torch.Tensor]:
        own = as_tensor(part1.utils.elbo_to_bpd(total.float(), shape), "elbo_to_bpd").double().mean()
        return [total * math.log2(math.e) / 784, own]

    if agrees(bpd, conversions(L_rec + L_reg)) or agrees(
        bpd, conversions(case.reconstruction.mean() + L_reg)
    ):
        return
    known = {
        "L_reg is subtracted instead of added": L_rec - L_reg,
        "L_reg is left out": L_rec,
        "L_rec is left out": L_reg,
        "it is the bpd of the ELBO instead of the negative ELBO": -(L_rec + L_reg),
    }
    cause = next((text for text, total in known.items() if agrees(bpd, conversions(total))), "")
    if not cause and agrees(bpd, [L_rec + L_reg]):
        cause = "it is in nats, not in bits per dimension: elbo_to_bpd is missing"
    if not cause and agrees(bpd, [value / 5 for value in conversions(L_rec + L_reg)]):
        cause = "it is divided by the batch size once more"
    fail(
        f"bpd does not belong to L_rec + L_reg{when}: {cause or f'it is {bpd:.5g}'}",
        "elbo_to_bpd(L_rec + L_reg, imgs.shape)",
    )


@pytest.mark.weight(2)
def test_decodes_a_sample_of_the_posterior(part1: Part, draw: Draw) -> None:
    # 1,800 latents; the noise behind them is looked at where sample_reparameterize is not used.
    case = make_case(draw, 3)
    # Wide: a limit on what goes into the sample shows. Where eps is recovered, float32 leaves it 1e-4.
    case.mean, case.log_std = draw.normal(150, 12, std=4.0), draw.uniform(150, 12, low=-4.0, high=2.5)
    images = draw.integers(16, 150, 1, 28, 28)
    case.logits = case.logits[:1]
    model = build(part1, case)
    for when, mode in (("", model.eval), (WHILE_TRAINING, model.train)):
        mode()
        part1.driver.stop_sampling()
        model(images)
        latents = part1.driver.latents(model)
        part1.driver.restore()
        expect_latents_of_the_posterior(latents, case, when)
    expect_the_images(part1.driver.encoded(model, SEEN), images[:SEEN])
    expect_drawn_afresh(part1, model, images)


def expect_latents_of_the_posterior(latents: torch.Tensor | None, case: Case, when: str) -> None:
    """Fail unless the decoder was given mean + std, or a sample that was drawn without the helper."""
    std = case.log_std.exp()
    hint = "z = sample_reparameterize(mean, log_std.exp()), then decode z"
    if latents is None:
        fail(f"forward does not call self.decoder{when}", hint)
    expect(
        list(latents.shape) == [150, 12],
        f"the decoder is given latents of shape {list(latents.shape)} instead of [150, 12]{when}",
        "one sample of z per image",
    )
    if close(latents, case.mean + std, rtol=1e-4, atol=1e-5):
        return
    if close(latents, case.mean, rtol=1e-4, atol=1e-5):
        fail(f"the decoder is given the mean instead of a sample{when}", hint)
    known = {
        "log_std goes into sample_reparameterize without exp": case.mean + case.log_std,
        "log_std is taken for the log of the variance": case.mean + (0.5 * case.log_std).exp(),
        "the variance is used instead of the standard deviation": case.mean + (2 * case.log_std).exp(),
        "log_std goes into sample_reparameterize without exp, made positive": case.mean + case.log_std.abs(),
    }
    cause = next((text for text, z in known.items() if close(latents, z, rtol=1e-4, atol=1e-5)), "")
    if not cause:
        eps = (latents - case.mean) / std
        fault = normal_faults(eps, "(z - mean) / std") or dependence_faults(eps, "(z - mean) / std")
        if not fault:
            return  # right, without the helper
        pairs = torch.stack([latents.double().flatten(), case.mean.double().flatten()])
        related = float(torch.corrcoef(pairs)[0, 1].nan_to_num())
        # In right code about 0.7; of independent ones, 1,800 pairs, beyond 0.15 in no run.
        cause = "z does not depend on what the encoder says" if abs(related) < 0.15 else fault
    fail(f"the decoder is not given samples of the posterior{when}: {cause}", hint)


def expect_the_images(shown: list[torch.Tensor], images: torch.Tensor) -> None:
    """Fail unless what the encoder was shown tells all grey levels of the images, each in its place.

    Scaled images, one-hot levels, and such with noise below the steps between the levels are as good. An
    encoder that is not called, or by another way than self.encoder, shows in what is decoded.
    """
    if not shown or any(tells_the_levels(batch, images) for batch in shown):
        return
    fail(
        "the encoder is not given the images that forward was called with: other values, another order or "
        "only parts of them",
        "mean, log_std = self.encoder(imgs)",
    )


def tells_the_levels(batch: torch.Tensor, images: torch.Tensor) -> bool:
    """Whether a batch holds, for every pixel of some images, one or several values that tell its level."""
    count, pixels = len(images), images[0].numel()
    if len(batch) != count or batch.numel() % images.numel():
        return False
    values = batch.double().reshape(count, -1)
    channels = values.shape[1] // pixels
    levels = images.reshape(count, pixels)
    if channels == 1:
        # By image, since each may be scaled by itself: the levels' values do not overlap.
        for row, own in zip(values, levels, strict=True):
            present = own.unique()
            low = torch.stack([row[own == level].min() for level in present])
            high = torch.stack([row[own == level].max() for level in present])
            if not bool((low[1:] > high[:-1]).all() or (high[1:] < low[:-1]).all()):
                return False
        return True
    for codes in (values.view(count, channels, pixels).mT, values.view(count, pixels, channels)):
        codes, flat = codes.reshape(-1, channels), levels.flatten()
        means = torch.stack([codes[flat == level].mean(dim=0) for level in flat.unique()])
        same = torch.allclose(codes, means[torch.searchsorted(flat.unique(), flat)], atol=1e-4)
        apart = torch.cdist(means, means) + torch.eye(len(means), dtype=means.dtype)
        if same and float(apart.min()) > 1e-3:
            return True
    return False


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
    # Helpers that cut the gradient lose their own items.
    part1.driver.stop_sampling()
    for name in ("KLD", "elbo_to_bpd"):
        part1.driver.make_crude(name)
    call = part1.record(model, case.images)
    part1.driver.restore()
    values = call.value
    expect(
        isinstance(values, tuple | list) and len(values) == 3, "forward should return three values", TRIPLE
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


@pytest.mark.weight(2)
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

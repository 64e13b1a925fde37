"""Item 2.5.autoencoder_loss: `get_loss_autoencoder`, judged by a discriminator of the grader's."""

from typing import Any

import pytest
import torch
from torch.nn.functional import cosine_similarity, softplus

from grader.suites.draw import Draw
from grader.suites.expect import close, expect, expect_close, expect_finite, expect_scalar, fail
from grader.suites.part import Part
from grader.suites.part2.judge import Z_DIM, Judge, with_judge

pytestmark = pytest.mark.item("2.5.autoencoder_loss")

# The cross-entropy of logits beyond +-250 with the label of their sign, and with the other label.
SURE, WRONG = 0.01, 9.0
GENERATOR = (
    "the cross-entropy of the discriminator's logits for z_fake against ones: "
    "F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))"
)


class Batch:
    """Images, other images as their reconstructions, and codes whose logits have either sign."""

    def __init__(self, draw: Draw, count: int = 5) -> None:
        self.x = draw.uniform(count, 1, 28, 28, low=-1.0)
        self.recon_x = draw.uniform(count, 1, 28, 28, low=-1.0)
        self.z_fake = draw.normal(count, Z_DIM, std=2.0)


def loss_and_log(value: Any) -> tuple[torch.Tensor, dict[str, Any]]:
    """The two results: the loss as a float64 scalar, and the dictionary for the log."""
    if not isinstance(value, tuple | list) or len(value) != 2 or not isinstance(value[1], dict):
        fail("get_loss_autoencoder should return the loss and a dictionary", "return ae_loss, {...}")
    return expect_scalar(value[0], "the autoencoder's loss", "average over the batch"), value[1]


def loss(judge: Judge, batch: Batch, *lambda_: float) -> torch.Tensor:
    """The loss of a batch."""
    return loss_and_log(judge.model.get_loss_autoencoder(batch.x, batch.recon_x, batch.z_fake, *lambda_))[0]


def squared_error(batch: Batch) -> torch.Tensor:
    """Equation 18, per pixel."""
    return (batch.x.double() - batch.recon_x.double()).square().mean()


def likely_cause(value: torch.Tensor, judge: Judge, batch: Batch) -> str:
    """The mistake that gives exactly this generator loss, if it is a known one."""
    logits = judge.logits(batch.z_fake)
    known = {
        "it is weighted although lambda = 0, or holds the reconstruction loss": squared_error(batch),
        "the target is 0: that is what the discriminator wants": softplus(logits).mean(),
        "that is log(1 - D), the saturating loss, which the encoder shall not minimize": -softplus(
            logits
        ).mean(),
        "it is the mean logit, not a cross-entropy": -logits.mean(),
        "it is summed over the batch instead of averaged": softplus(-logits).sum(),
        "its sign is flipped": -softplus(-logits).mean(),
        "the logits go through a sigmoid twice": softplus(-logits.sigmoid()).mean(),
    }
    for cause, other in known.items():
        if close(value, other, rtol=1e-4, atol=1e-6):
            return f"{cause}; expected: {GENERATOR}"
    return GENERATOR


def expect_lambda(judge: Judge, batch: Batch, value: torch.Tensor) -> None:
    """Fail if a loss with lambda = 1, wrong as it is, shows how lambda is used; or that a log is NaN."""
    hint = "ae_loss = lambda_ * recon_loss + (1 - lambda_) * gen_loss"
    expect_logarithm(value, "the loss with lambda = 1")
    recon, gen = squared_error(batch), softplus(-judge.logits(batch.z_fake)).mean()
    exchanged = close(value, gen, rtol=1e-4, atol=1e-6)
    expect(not exchanged, "lambda is exchanged: with lambda = 1 the loss is that of the generator", hint)
    both = close(value, recon + gen, rtol=1e-4, atol=1e-6)
    expect(not both, "lambda_ is not used: the two losses are added as they are", hint)


def expect_logarithm(value: torch.Tensor, what: str) -> None:
    """Fail if a loss of small logits is NaN: a logarithm of something negative."""
    expect(
        not bool(value.isnan()),
        f"{what} is NaN for small logits: probably the log of a logit, which may be negative",
        GENERATOR,
    )


def test_lambda_one_is_the_mean_squared_error(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        for count in (5, 1):
            batch = Batch(draw, count)
            expected = squared_error(batch)
            value = loss(judge, batch, 1.0)
            hint = "F.mse_loss(recon_x, x): the mean over all pixels and images"
            absolute = (batch.x.double() - batch.recon_x.double()).abs().mean()
            if not close(value, expected, rtol=1e-4, atol=1e-5):
                if close(value, absolute, rtol=1e-4, atol=1e-6):
                    fail("with lambda = 1 the loss is the absolute error, not the squared one", hint)
                expect_lambda(judge, batch, value)
            summed = {"summed over the pixels": 784.0, "summed over everything": 784.0 * count, "halved": 0.5}
            for cause, factor in summed.items():
                if close(value, expected * factor, rtol=1e-4, atol=1e-6):
                    fail(f"with lambda = 1 the squared error is {cause} instead of averaged", hint)
            expect_close(value, expected, "the loss with lambda = 1, the reconstruction loss,", hint)

    with_judge(part2, draw, check)


def follows_other_labels(judge: Judge, batch: Batch) -> bool:
    """Whether the loss with lambda = 0 is large for codes judged real, and small for those judged fake."""
    away = Batch.__new__(Batch)
    away.x, away.recon_x = batch.x, batch.recon_x
    found = []
    for sign in (1.0, -1.0):
        away.z_fake = batch.z_fake + 20 * sign * judge.weight / judge.weight.norm()
        found.append(float(loss(judge, away, 0.0)))
    return found[0] > found[1] + 1


def test_lambda_zero_wants_codes_judged_real(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        for count in (5, 1):
            batch = Batch(draw, count)
            value = loss(judge, batch, 0.0)
            asked = judge.seen()
            expect_logarithm(value, "the loss with lambda = 0")
            shown = any(z.shape == batch.z_fake.shape and torch.equal(z, batch.z_fake) for z in asked)
            expect(
                shown or not follows_other_labels(judge, batch),
                "the labels are flipped: with lambda = 0 the loss falls as codes look more fake",
                GENERATOR,
            )
            expect(
                shown,
                "the discriminator is not asked about z_fake",
                "gen_loss judges the codes: self.discriminator(z_fake)",
            )
            expected = softplus(-judge.logits(batch.z_fake)).mean()
            expect(
                bool(value != 0),
                "the loss with lambda = 0 is 0: the generator's loss is left out",
                "ae_loss = lambda_ * recon_loss + (1 - lambda_) * gen_loss",
            )
            cause = likely_cause(value, judge, batch)
            expect_close(value, expected, "the loss with lambda = 0, the generator's loss,", cause)

    with_judge(part2, draw, check)


def test_lambda_weighs_the_two_losses(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        batch = Batch(draw)
        # Their own two losses: whether these are right is asked elsewhere.
        one, zero = loss(judge, batch, 1.0), loss(judge, batch, 0.0)
        hint = "ae_loss = lambda_ * recon_loss + (1 - lambda_) * gen_loss"
        expect(abs(float(one - zero)) > 1e-4, "lambda makes no difference to the loss", hint)
        for lambda_ in (0.3, 0.995):
            expect_close(
                loss(judge, batch, lambda_),
                lambda_ * one + (1 - lambda_) * zero,
                f"the loss with lambda = {lambda_}, between those with 0 and 1,",
                hint,
            )
        expect_close(loss(judge, batch), one, "the loss without lambda_, which stands for 1,", hint)

    with_judge(part2, draw, check)


def test_large_logits_do_not_overflow(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        hint = "F.binary_cross_entropy_with_logits works on logits; log(sigmoid(...)) overflows"
        sizes, logged = [], []
        for sign in (1.0, -1.0):
            batch = Batch(draw, 33)
            batch.z_fake = judge.codes(draw, 33, sign)
            answer = judge.model.get_loss_autoencoder(batch.x, batch.recon_x, batch.z_fake, 0.0)
            value, log = loss_and_log(answer)
            size = float(judge.logits(batch.z_fake).abs().max())
            expect_finite(value, f"the generator's loss for logits up to {size:.0f}", hint)
            sizes.append(abs(float(value)))
            gen_loss = log.get("gen_loss", value)
            gen_loss = expect_scalar(gen_loss, "gen_loss in the log", hint)
            logged.append(abs(float(gen_loss)))
        # A cross-entropy is 0 for one sign and large for the other, also where it is clamped (at 14 and
        # more). Which sign is which, and the weights of the two losses, are asked elsewhere.
        expect(
            any(min(pair) < SURE and max(pair) > WRONG for pair in (sizes, logged)),
            f"for large logits of either sign the generator's loss is {sizes[0]:.4g} and {sizes[1]:.4g} "
            f"instead of 0 and more than {WRONG:.0f}",
            hint,
        )

    with_judge(part2, draw, check, scale=150.0)


def test_gradients_reach_reconstructions_and_codes(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        batch = Batch(draw)
        recon_x, z_fake = batch.recon_x.requires_grad_(), batch.z_fake.requires_grad_()
        call = part2.record(judge.model.get_loss_autoencoder, batch.x, recon_x, z_fake, 0.3)
        loss_and_log(call.value)
        hint = "compute the loss from the tensors with torch functions, without .item(), .detach() or no_grad"
        expect(isinstance(call.value[0], torch.Tensor), "the autoencoder's loss is a plain number", hint)
        gradients = call.gradients(torch.ones_like(call.value[0]))
        to_recon, to_codes = gradients if isinstance(gradients, list) else (None, None)
        if to_recon is None:
            fail("no gradient flows to the reconstructions", hint)
        if to_codes is None:
            fail("no gradient flows through the discriminator to the codes", hint)
        # Directions only: sizes follow from the values, which have checks of their own.
        logits = judge.logits(z_fake.detach())
        directions = {
            "the reconstructions": (to_recon, recon_x.detach() - batch.x),
            "the codes": (to_codes, -(-logits).sigmoid()[:, None] * judge.weight),
        }
        for name, (gradient, expected) in directions.items():
            cosine = float(cosine_similarity(gradient.flatten().double(), expected.flatten().double(), dim=0))
            expect(
                cosine > 0.999,
                f"the gradient for {name} points another way (its cosine with the right one is {cosine:.3f})",
                "recon_loss is the squared error; gen_loss is " + GENERATOR,
            )

    with_judge(part2, draw, check)


def test_log_holds_the_three_losses(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        batch = Batch(draw)
        one, zero = loss(judge, batch, 1.0), loss(judge, batch, 0.0)
        value, log = loss_and_log(judge.model.get_loss_autoencoder(batch.x, batch.recon_x, batch.z_fake, 0.3))
        missing = [name for name in ("gen_loss", "recon_loss", "ae_loss") if name not in log]
        hint = 'the keys are "gen_loss", "recon_loss" and "ae_loss"; each holds one number, unweighted'
        expect(not missing, f"the dictionary for the log lacks {', '.join(missing)}", hint)
        for name, expected in (("ae_loss", value), ("recon_loss", one), ("gen_loss", zero)):
            number = expect_scalar(log[name], f"{name} in the log", hint)
            weight = {"recon_loss": 0.3, "gen_loss": 0.7}.get(name, 1.0)
            if weight < 1 and float(expected) != 0 and close(number, weight * expected, 1e-4, 1e-7):
                fail(f"{name} is weighted in the log", hint)
            expect_close(number, expected, f"{name} in the log", hint)
            expect(abs(float(number)) > 1e-4, f"{name} in the log is 0 for an untrained model", hint)
        alone = loss_and_log(judge.model.get_loss_autoencoder(batch.x, batch.recon_x, batch.z_fake, 1.0))[1]
        missing = [name for name in ("gen_loss", "recon_loss", "ae_loss") if name not in alone]
        expect(not missing, f"with lambda = 1 the dictionary for the log lacks {', '.join(missing)}", hint)
        # Three numbers that are the same for other images and codes are no losses.
        other = Batch(draw)
        again = loss_and_log(judge.model.get_loss_autoencoder(other.x, other.recon_x, other.z_fake, 0.3))[1]
        expect(
            any(
                float(expect_scalar(again.get(name), f"{name} in the log", hint))
                != float(expect_scalar(log[name], f"{name} in the log", hint))
                for name in ("gen_loss", "recon_loss", "ae_loss")
            ),
            "the losses in the log are the same for other images and codes",
            hint,
        )

    with_judge(part2, draw, check)

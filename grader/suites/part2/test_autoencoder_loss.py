"""Item 2.5.autoencoder_loss: `get_loss_autoencoder`, judged by a discriminator of the grader's."""

from typing import Any

import pytest
import torch
from torch.nn.functional import cosine_similarity

from grader.box.errors import StudentError
from grader.suites.diagnosis import looks_for_a_cause, tried
from grader.suites.draw import Draw
from grader.suites.expect import close, expect, expect_close, expect_finite, expect_scalar, fail
from grader.suites.part import Part
from grader.suites.part2.judge import Judge, with_judge
from grader.suites.part2.known_losses import cross_entropy, factor, fitting, it_is, of_generator
from grader.suites.severity import SLIP, WHOLE

pytestmark = pytest.mark.item("2.5.autoencoder_loss")

# The cross-entropy of logits beyond +-250 with the label of their sign, and with the other label.
SURE, WRONG = 0.01, 9.0
GENERATOR = (
    "the cross-entropy of the discriminator's logits for z_fake against ones: "
    "F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))"
)


SUM = "ae_loss = lambda_ * recon_loss + (1 - lambda_) * gen_loss"
NOT_CUT = "compute the loss from the tensors with torch functions, without .item(), .detach() or no_grad"


class Batch:
    """Images, other images as their reconstructions, and codes whose logits are small and have either sign.

    Args:
        judge: whose logits.
        draw: source of random numbers.
        count: size of the batch.
        positive: whether all logits are above 0.
    """

    def __init__(self, judge: Judge, draw: Draw, count: int = 5, positive: bool = False) -> None:
        self.x = draw.uniform(count, 1, 28, 28, low=-1.0)
        self.recon_x = draw.uniform(count, 1, 28, 28, low=-1.0)
        self.z_fake = (
            judge.with_logits(draw, draw.uniform(count, low=0.3, high=3.0))
            if positive
            else judge.near(draw, count)
        )


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


@looks_for_a_cause
def generator_cause(judge: Judge, draw: Draw) -> str:
    """The mistake in the generator's loss that its values show; empty where none is known to give these."""

    def value(batch: Batch) -> torch.Tensor:
        return loss(judge, batch, 0.0)

    def ratio(count: int) -> float:
        batch = Batch(judge, draw, count)
        return float(value(batch)) / float(cross_entropy(judge.logits(batch.z_fake), 1))

    def find() -> str:
        batch = Batch(judge, draw)
        came, logits = value(batch), judge.logits(batch.z_fake)
        if bool(came.isnan()):
            batch = Batch(judge, draw, positive=True)
            logits = judge.logits(batch.z_fake)
            log = close(value(batch), -logits.log().mean(), rtol=1e-4, atol=1e-6)
            return "it is the log of a logit, which may be negative" if log else ""
        cause = fitting(came, of_generator(logits)) or it_is(factor(ratio))
        if not cause and follows_other_labels(judge, draw):
            cause = "the labels are flipped, for the loss falls as codes look more fake"
        return cause

    return tried(find)


@looks_for_a_cause
def generator_hint(judge: Judge, draw: Draw) -> str:
    """The hint for whatever is wrong with the generator's loss: one for all checks."""
    cause = generator_cause(judge, draw)
    return f"{cause}; expected: {GENERATOR}" if cause else GENERATOR


def expect_lambda(judge: Judge, batch: Batch, value: torch.Tensor, lambda_: int) -> None:
    """Fail if a loss with lambda = 0 or 1, wrong as it is, shows how lambda is used."""
    recon, gen = squared_error(batch), cross_entropy(judge.logits(batch.z_fake), 1)
    other, name = (gen, "generator") if lambda_ else (recon, "reconstruction")
    exchanged = close(value, other, rtol=1e-4, atol=1e-6)
    expect(not exchanged, f"lambda is exchanged: with lambda = {lambda_} the loss is that of the {name}", SUM)
    both = close(value, recon + gen, rtol=1e-4, atol=1e-6)
    expect(not both, "lambda_ is not used, the two losses are added as they are", SUM)


def expect_number(value: torch.Tensor, what: str, judge: Judge, draw: Draw) -> None:
    """Fail if a loss of small logits is NaN."""
    if bool(value.isnan()):
        fail(f"{what} is NaN for small logits", generator_hint(judge, draw), WHOLE)


def test_lambda_one_is_the_mean_squared_error(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        def ratio(count: int) -> float:
            batch = Batch(judge, draw, count)
            return float(loss(judge, batch, 1.0)) / float(squared_error(batch))

        for count in (5, 1):
            batch = Batch(judge, draw, count)
            expected = squared_error(batch)
            value = loss(judge, batch, 1.0)
            if close(value, expected, rtol=1e-4, atol=1e-5):
                continue
            expect_number(value, "the loss with lambda = 1", judge, draw)
            hint = "F.mse_loss(recon_x, x): the mean over all pixels and images"
            absolute = (batch.x.double() - batch.recon_x.double()).abs().mean()
            if close(value, absolute, rtol=1e-4, atol=1e-6):
                fail("with lambda = 1 the loss is the absolute error, not the squared one", hint)
            expect_lambda(judge, batch, value, 1)
            if cause := tried(lambda: factor(ratio, elements=784)):
                fail(f"with lambda = 1 the squared error is {cause}", hint)
            expect_close(value, expected, "the reconstruction loss (the loss with lambda = 1)", hint)

    with_judge(part2, draw, check)


def follows_other_labels(judge: Judge, draw: Draw) -> bool:
    """Whether the loss with lambda = 0 is large for codes judged real, and small for those judged fake."""
    batch = Batch(judge, draw)
    found = []
    for sign in (1.0, -1.0):
        batch.z_fake = judge.with_logits(draw, sign * draw.uniform(5, low=3.0, high=4.0))
        found.append(float(loss(judge, batch, 0.0)))
    return found[0] > found[1] + 1


def test_lambda_zero_wants_codes_judged_real(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        for count in (5, 1):
            batch = Batch(judge, draw, count)
            judge.seen()
            value = loss(judge, batch, 0.0)
            asked = judge.seen()
            expect_number(value, "the loss with lambda = 0", judge, draw)
            if not judge.was_asked(asked, batch.z_fake):
                flipped = tried(lambda: "flipped" if follows_other_labels(judge, draw) else "")
                expect(
                    not flipped,
                    "the labels are flipped: with lambda = 0 the loss falls as codes look more fake",
                    GENERATOR,
                )
                fail(
                    "the discriminator is not asked about z_fake",
                    "gen_loss judges the codes: self.discriminator(z_fake)",
                )
            expect(bool(value != 0), "the loss with lambda = 0 is 0: the generator's loss is left out", SUM)
            expected = cross_entropy(judge.logits(batch.z_fake), 1)
            if not close(value, expected, rtol=1e-4, atol=1e-5):
                expect_lambda(judge, batch, value, 0)
                hint = generator_hint(judge, draw)
                expect_close(value, expected, "the generator's loss (the loss with lambda = 0)", hint)

    with_judge(part2, draw, check)


def expect_takes_lambda_by_name(judge: Judge, batch: Batch) -> None:
    """Fail if lambda has another name than the given one: right code calls `get_loss_autoencoder` by it."""
    try:
        judge.model.get_loss_autoencoder(batch.x, batch.recon_x, batch.z_fake, lambda_=0.3)
    except StudentError as error:
        if error.exception != "TypeError":
            raise
        fail(
            f"get_loss_autoencoder cannot be called with lambda_=0.3: {error}",
            "leave names, order and defaults of the arguments as they were given",
            SLIP,
        )


def test_lambda_weighs_the_two_losses(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        batch = Batch(judge, draw)
        # Their own two losses: whether these are right is asked elsewhere.
        one, zero = loss(judge, batch, 1.0), loss(judge, batch, 0.0)
        expect_number(one + zero, "the loss", judge, draw)
        expect(abs(float(one - zero)) > 1e-4, "lambda makes no difference to the loss", SUM)
        for lambda_ in (0.3, 0.995):
            expect_close(
                loss(judge, batch, lambda_),
                lambda_ * one + (1 - lambda_) * zero,
                f"the loss with lambda = {lambda_}, between those with 0 and 1",
                SUM,
            )
        expect_close(loss(judge, batch), one, "the loss without lambda_, which stands for 1", SUM)
        expect_takes_lambda_by_name(judge, batch)

    with_judge(part2, draw, check)


def test_large_logits_do_not_overflow(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        hint = "F.binary_cross_entropy_with_logits works on logits; log(sigmoid(...)) overflows"
        sizes, logged = [], []
        for sign in (1.0, -1.0):
            batch = Batch(judge, draw, 33)
            batch.z_fake = judge.codes(draw, 33, sign)
            answer = judge.model.get_loss_autoencoder(batch.x, batch.recon_x, batch.z_fake, 0.0)
            value, log = loss_and_log(answer)
            size = float(judge.logits(batch.z_fake).abs().max())
            what = f"the generator's loss for logits up to {size:.0f}"
            if not bool(value.isfinite()):
                cause = generator_cause(judge, draw)
                expect_finite(value, what, f"{cause}; expected: {GENERATOR}" if cause else hint)
            sizes.append(abs(float(value)))
            gen_loss = expect_scalar(log.get("gen_loss", value), "gen_loss in the log", hint)
            logged.append(abs(float(gen_loss)))
        # A cross-entropy is 0 for one sign and large for the other, also where it is clamped (at 14 and
        # more). Which sign is which, and the weights of the two losses, are asked elsewhere.
        if not any(min(pair) < SURE and max(pair) > WRONG for pair in (sizes, logged)):
            fail(
                f"for large logits of either sign the generator's loss is {sizes[0]:.4g} and {sizes[1]:.4g} "
                f"instead of 0 and more than {WRONG:.0f}",
                generator_hint(judge, draw),
            )

    with_judge(part2, draw, check, scale=150.0)


def test_gradients_reach_reconstructions_and_codes(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        batch = Batch(judge, draw)
        recon_x, z_fake = batch.recon_x.requires_grad_(), batch.z_fake.requires_grad_()
        call = part2.record(judge.model.get_loss_autoencoder, batch.x, recon_x, z_fake, 0.3)
        value, _ = loss_and_log(call.value)
        expect(isinstance(call.value[0], torch.Tensor), "the autoencoder's loss is a plain number", NOT_CUT)
        expect_number(value, "the loss with lambda = 0.3", judge, draw)
        gradients = call.gradients(torch.ones_like(call.value[0]))
        to_recon, to_codes = gradients if isinstance(gradients, list) else (None, None)
        if to_recon is None:
            fail("no gradient flows to the reconstructions", NOT_CUT)
        if to_codes is None:
            fail("no gradient flows through the discriminator to the codes", NOT_CUT)
        # Directions only: sizes follow from the values, which have checks of their own.
        logits = judge.logits(z_fake.detach())
        directions = {
            "the reconstructions": (to_recon, recon_x.detach() - batch.x),
            "the codes": (to_codes, -(-logits).sigmoid()[:, None] * judge.weight),
        }
        for name, (gradient, expected) in directions.items():
            cosine = float(cosine_similarity(gradient.flatten().double(), expected.flatten().double(), dim=0))
            if cosine > 0.999:
                continue
            of_codes = name == "the codes"
            hint = generator_hint(judge, draw) if of_codes else "recon_loss is the squared error, F.mse_loss"
            fail(
                f"the gradient for {name} points another way (its cosine with the right one is {cosine:.3f})",
                hint,
            )

    with_judge(part2, draw, check)


LOG = 'the keys are "gen_loss", "recon_loss" and "ae_loss"; each holds one number'
NAMES = ("gen_loss", "recon_loss", "ae_loss")


def expect_unweighted(number: dict[str, torch.Tensor], due: dict[str, torch.Tensor], lambda_: float) -> None:
    """Fail if the log's two losses are exchanged, or are weighted as in their sum or the other way round."""

    def same(name: str, value: torch.Tensor) -> bool:
        return float(value) != 0 and close(number[name], value, rtol=1e-4, atol=1e-7)

    recon, gen = due["recon_loss"], due["gen_loss"]
    apart = not close(recon, gen, rtol=1e-2, atol=1e-4)
    if apart and same("recon_loss", gen) and same("gen_loss", recon):
        fail("gen_loss and recon_loss are exchanged in the log", "each under its own name")
    if apart and same("recon_loss", (1 - lambda_) * gen) and same("gen_loss", lambda_ * recon):
        fail("gen_loss and recon_loss are exchanged in the log", "each under its own name, and unweighted")
    weights = {"recon_loss": lambda_, "gen_loss": 1 - lambda_}
    for name, weight in weights.items():
        if same(name, weight * due[name]):
            fail(f"{name} is weighted in the log", "log the losses themselves, without lambda_")
        if same(name, (1 - weight) * due[name]):
            fail(
                f"{name} is multiplied in the log by the weight of the other loss",
                "log the losses themselves, without lambda_; in ae_loss, lambda_ weighs recon_loss",
            )


def test_log_holds_the_three_losses(part2: Part, draw: Draw) -> None:
    def logged(judge: Judge, batch: Batch, lambda_: float) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        answer = judge.model.get_loss_autoencoder(batch.x, batch.recon_x, batch.z_fake, lambda_)
        value, log = loss_and_log(answer)
        missing = [name for name in NAMES if name not in log]
        lacks = f"the dictionary for the log lacks {', '.join(missing)}"
        expect(not missing, f"with lambda = 1 {lacks}" if lambda_ == 1 else lacks, LOG)
        return value, {name: expect_scalar(log[name], f"{name} in the log", LOG) for name in NAMES}

    def check(judge: Judge) -> None:
        batch, lambda_ = Batch(judge, draw), 0.3
        one, zero = loss(judge, batch, 1.0), loss(judge, batch, 0.0)
        expect_number(one + zero, "the loss", judge, draw)
        value, number = logged(judge, batch, lambda_)
        # Their own two losses, as lambda = 1 and 0 give them; or the right ones.
        right = {
            "ae_loss": value,
            "recon_loss": squared_error(batch),
            "gen_loss": cross_entropy(judge.logits(batch.z_fake), 1),
        }
        due = {"ae_loss": value, "recon_loss": one, "gen_loss": zero}
        off = [
            name
            for name in due
            if not any(close(number[name], one_of[name], rtol=1e-4, atol=1e-5) for one_of in (due, right))
        ]
        if off:
            expect_unweighted(number, due, lambda_)
        for name in off:
            expect_close(number[name], due[name], f"{name} in the log", LOG)
        for name in NAMES:
            expect(abs(float(number[name])) > 1e-4, f"{name} in the log is 0 for an untrained model", LOG)
        logged(judge, batch, 1.0)
        # Three numbers that are the same for other images and codes are no losses.
        _, again = logged(judge, Batch(judge, draw), lambda_)
        expect(
            any(float(again[name]) != float(number[name]) for name in NAMES),
            "the losses in the log are the same for other images and codes",
            LOG,
        )

    with_judge(part2, draw, check)

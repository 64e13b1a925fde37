"""Item 2.5.discriminator: `Discriminator`, from latent codes to logits."""

import pytest
import torch

from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import as_tensor, close, expect, expect_finite, expect_shape, fail
from grader.suites.part import Part
from grader.suites.part2.gradients import gradient_of_input, gradients_of_weights
from grader.suites.part2.ranges import cause_of_range
from grader.suites.part2.some_network import by_some_network
from grader.suites.severity import SLIP

pytestmark = pytest.mark.item("2.5.discriminator")

NO_ACTIVATION = "the loss works on logits, any real number: no activation and no clamp after the last layer"
# A right network whose 64 logits all have one sign is possible (a few in a thousand networks of the
# recommended kind); six of them in a row are below 1e-12.
NETWORKS = 6
# The limit leaves room for a clamp meant for stability, at 10, say; a very deep network overflows with the
# first factor.
FACTORS, FAR_OUT, STDS = [30.0, 6.0], 9.0, (10.0, 1e4)


def discriminator_of(part: Part) -> Remote:
    """The student's discriminator of 6 dimensions, without weights that are zero or lazy."""
    discriminator = part.models.Discriminator(6)
    discriminator.eval()
    example = torch.zeros(1, 6)
    return part.driver.answering(part.driver.awake(discriminator, example), example)


def test_gives_one_logit_for_each_code(part2: Part, draw: Draw) -> None:
    for batch, z_dim in ((5, 8), (1, 3), (3, 20)):
        discriminator = part2.driver.takes_its_dtype(part2.models.Discriminator(z_dim=z_dim))
        discriminator.eval()  # in training mode a BatchNorm refuses a batch of one
        logits = expect_shape(
            discriminator(draw.normal(batch, z_dim)),
            (batch, 1),
            f"the logits of {batch} code(s) with z_dim = {z_dim}",
            "the last layer has one output; keep its dimension: [B, 1]",
        )
        expect_finite(logits, "the logits", "look for a division by zero or a log on the way")


def test_logits_are_unbounded_both_ways(part2: Part, draw: Draw) -> None:
    lowest, highest = 0.0, 0.0
    for _ in range(NETWORKS):
        part2.seed(draw.seed())
        discriminator = discriminator_of(part2)
        # Larger weights show what the last layer lets through, whatever normalizes before it; larger codes
        # what comes through layers that norm their weights.
        codes = torch.cat([draw.normal(64, 6, std=std) for std in STDS])
        logits = part2.driver.when_enlarged(discriminator, codes, FACTORS)
        logits = expect_shape(logits, (len(codes), 1), "the logits of codes", NO_ACTIVATION)
        expect_finite(logits, "the logits", "look for a division by zero or a log on the way")
        lowest, highest = min(lowest, float(logits.min())), max(highest, float(logits.max()))
        if (
            lowest < -FAR_OUT and highest > FAR_OUT
        ):  # sigmoid and tanh stay within 1; ReLU and softplus above 0
            return
    cause = cause_of_range(lowest, highest)
    fail(
        f"with large weights the logits only reach from {lowest:.3g} to {highest:.3g}",
        f"{cause}; {NO_ACTIVATION}" if cause else NO_ACTIVATION,
    )


@by_some_network
def test_judges_each_code_by_itself(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    discriminator = discriminator_of(part2)
    codes = draw.normal(7, 6, std=2.0)
    logits = discriminator(codes)
    expect(
        isinstance(logits, torch.Tensor) and logits.numel() == 7,
        "the discriminator should give one logit for each of 7 codes",
        "the last layer has one output",
        SLIP,
    )
    alone = torch.cat([discriminator(code[None]).reshape(1) for code in codes])
    expect(
        close(alone, logits.reshape(7), rtol=1e-3, atol=1e-5),
        "in evaluation mode the logit of a code depends on the other codes of its batch, or on chance",
        "keep the batch dimension first; no softmax over the batch",
    )
    expect(
        float(logits.max() - logits.min()) > 1e-6,
        "seven different codes get the same logit",
        "a softmax over the single output is always 1: leave it out"
        if bool((logits == 1).all())
        else "compute the logit from z with layers that forward calls",
    )


@by_some_network
def test_is_not_linear(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    discriminator = discriminator_of(part2)
    first, second = draw.normal(32, 6, std=5.0), draw.normal(32, 6, std=5.0)
    ends, other, middle = (
        as_tensor(discriminator(codes), "the output") for codes in (first, second, (first + second) / 2)
    )
    ends = (ends + other) / 2
    # In a linear network both agree but for rounding, 1e-6 of their size; with LeakyReLU(0.2) they
    # differ by a third of it.
    difference = float((middle - ends).abs().mean() / (ends.abs().mean() + 1e-12))
    expect(
        difference > 1e-3,
        "the discriminator is a linear function of the code: it can only compare means",
        "put an activation such as LeakyReLU(0.2) between the linear layers",
    )


@by_some_network
def test_gradients_reach_codes_and_weights(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    discriminator = discriminator_of(part2)
    call = part2.record(discriminator, draw.normal(9, 6).requires_grad_())
    if not isinstance(call.value, torch.Tensor):
        fail("the discriminator should return a tensor", "return the logits")
    cotangent = draw.normal(*call.value.shape).to(call.value.dtype)
    hint = "no .detach(), .data or no_grad; every weight and every latent dimension takes part"
    gradient = gradient_of_input(call, cotangent, "no gradient flows from the logits to the codes", hint)
    expect(
        bool((gradient.abs().amax(0) > 0).all()),
        "some latent dimensions have no influence on the logits",
        hint,
    )
    trained = [
        name
        for name, value in gradients_of_weights(call, cotangent, discriminator).items()
        if value is not None
    ]
    expect(bool(trained), "no gradient flows from the logits to the discriminator's weights", hint)

"""Item 1.7.bpd: `elbo_to_bpd(elbo, img_shape)` = elbo * log2(e) / (C * H * W)."""

import math

import pytest
import torch

from grader.suites.draw import Draw
from grader.suites.expect import as_tensor, close, expect, expect_close, expect_scalar
from grader.suites.part import Part

pytestmark = pytest.mark.item("1.7.bpd")

FORMULA = "bpd = elbo * log2(e) / (C * H * W): nats become bits, and all dimensions but the batch's count"


def likely_cause(value: torch.Tensor, elbo: torch.Tensor, shape: list[int]) -> str:
    """The mistake that gives exactly these values, if it is a known one."""
    batch, channels, height, width = shape
    pixels = channels * height * width
    known = {
        "log2(e) is inverted: it multiplies by ln 2 instead of dividing by it": elbo * math.log(2) / pixels,
        "nats are not turned into bits (log2(e) is missing)": elbo / pixels,
        "the batch dimension counts, too": elbo * math.log2(math.e) / (pixels * batch),
        "the channels are left out": elbo * math.log2(math.e) / (height * width),
        "the channels are left out and the batch counts": elbo * math.log2(math.e) / (height * width * batch),
        "the height is left out": elbo * math.log2(math.e) / (channels * width),
        "the width is left out": elbo * math.log2(math.e) / (channels * height),
        "28 x 28 pixels are fixed in it": elbo * math.log2(math.e) / 784,
        "the number of dimensions is missing": elbo * math.log2(math.e),
        "log2(e) is replaced by log10(e)": elbo * math.log10(math.e) / pixels,
        "the sign is flipped": -elbo * math.log2(math.e) / pixels,
        "it multiplies by the number of dimensions instead of dividing": elbo * math.log2(math.e) * pixels,
        "the sizes are added instead of multiplied": elbo * math.log2(math.e) / (channels + height + width),
    }
    for cause, values in known.items():
        if close(value, values, rtol=1e-4, atol=1e-9):
            return f"{cause}; {FORMULA}"
    return FORMULA


def scalar_bpd(part1: Part, elbo: torch.Tensor, shape: list[int]) -> torch.Tensor:
    """The bpd of a scalar elbo, which has at least been divided by something like an image's size."""
    value = expect_scalar(part1.utils.elbo_to_bpd(elbo, shape), "the bpd of a scalar elbo", FORMULA)
    expect(
        bool(0 < value.abs() < elbo / 20),
        f"the bpd of an elbo of {float(elbo):.1f} nats is {float(value):.5g} for img_shape {shape}: it "
        "should be divided by the number of dimensions",
        FORMULA,
    )
    return value


def test_converts_one_image_of_mnist(part1: Part, draw: Draw) -> None:
    elbo = draw.uniform(low=300, high=2000)
    value = expect_scalar(part1.utils.elbo_to_bpd(elbo, [1, 1, 28, 28]), "the bpd of a scalar elbo", FORMULA)
    expected = elbo.double() * math.log2(math.e) / 784
    expect_close(
        value, expected, "the bpd of an image of shape [1, 28, 28]", likely_cause(value, elbo, [1, 1, 28, 28])
    )


def test_counts_channels_height_and_width(part1: Part, draw: Draw) -> None:
    for shape in ([1, 3, 32, 32], [1, 2, 16, 40], [1, 1, 5, 7]):
        elbo = draw.uniform(low=300, high=2000)
        value = expect_scalar(part1.utils.elbo_to_bpd(elbo, shape), "the bpd of a scalar elbo", FORMULA)
        expected = elbo.double() * math.log2(math.e) / math.prod(shape)
        expect_close(value, expected, f"the bpd for img_shape {shape}", likely_cause(value, elbo, shape))


def test_does_not_count_the_batch(part1: Part, draw: Draw) -> None:
    elbo = draw.uniform(low=300, high=2000)
    for batch in (2, 13, 128):
        shape = [batch, 1, 28, 28]
        value = scalar_bpd(part1, elbo, shape)
        # Only the ratio to a batch of one counts here: a wrong factor is the business of the other checks.
        single = scalar_bpd(part1, elbo, [1, 1, 28, 28])
        expect(
            close(value, single, rtol=1e-4, atol=1e-9),
            f"the bpd of one elbo differs between batches of {batch} and of 1: the batch counts",
            FORMULA,
        )


def test_keeps_the_batch(part1: Part, draw: Draw) -> None:
    elbo = draw.uniform(6, low=300, high=2000)
    shape = [6, 1, 28, 28]
    value = as_tensor(part1.utils.elbo_to_bpd(elbo, shape), "the bpd")
    scalar = scalar_bpd(part1, elbo[0], shape)
    # Whatever factor it uses for one image, it should use for each image of a batch.
    expected = elbo.double() * (scalar / elbo[0].double())
    expect_close(
        value,
        expected,
        "the bpd of an elbo of shape [6]",
        "one value per image: do not sum or average the batch",
    )


def test_lets_gradients_through(part1: Part, draw: Draw) -> None:
    elbo = draw.uniform(low=300, high=2000)
    scalar_bpd(part1, elbo, [4, 1, 28, 28])
    elbo.requires_grad_()
    call = part1.record(part1.utils.elbo_to_bpd, elbo, [4, 1, 28, 28])
    hint = "keep elbo a tensor: no .item(), float(), numpy or .detach()"
    expect(isinstance(call.value, torch.Tensor), "the bpd is a plain number, no tensor", hint)
    value = as_tensor(call.value, "the bpd")
    gradient, *_ = call.gradients(torch.ones_like(value))
    expect(
        gradient is not None and float(gradient.abs()) > 0,
        "no gradient flows through elbo_to_bpd, so nothing could be trained with it",
        hint,
    )

"""Question 1.7, `elbo_to_bpd(elbo, img_shape)` in part1/utils.py: nats per image to bits per dimension."""

import math

import pytest
import torch

HINT = "turn nats into bits with log2(e), and divide by the number of dimensions of one image."


def likely_mistake(value, nats, shape):
    """Which slip gives exactly this value?"""
    batch, channels, height, width = shape
    right = nats / math.log(2) / (channels * height * width)
    slips = {
        "multiplied by ln 2 instead of dividing by it? log2(e) is 1.44, not 0.69": right * math.log(2) ** 2,
        "nats are not turned into bits: log2(e) is missing": right * math.log(2),
        "log10 is not log2": right * math.log10(2),
        "the batch dimension must not count": right / batch,
        "the channels count as well": right * channels,
        "the sign is flipped: elbo here is already the negative ELBO, the loss": -right,
        "divide by the number of dimensions": right * channels * height * width,
        "not every image has 28 x 28 pixels: use img_shape": nats / math.log(2) / 784,
        "multiply the sizes, do not add them": nats / math.log(2) / (channels + height + width),
        "divide by the number of dimensions, do not multiply": right * (channels * height * width) ** 2,
    }
    matches = (slip for slip, wrong in slips.items() if value == pytest.approx(wrong, rel=1e-5))
    return next(matches, HINT.rstrip(".")) + "."


def bpd(part1, nats, shape):
    """The bits per dimension of one scalar; shape [] and [1] are both right."""
    value = part1.utils.elbo_to_bpd(torch.tensor(nats, dtype=torch.float64), shape)
    assert isinstance(value, torch.Tensor), (
        "the bpd is no tensor.\nHint: compute with the tensor, no .item()."
    )
    assert value.numel() == 1, f"one elbo has one bpd, but this has shape {list(value.shape)}.\nHint: {HINT}"
    return value.item()


def test_uniform_model_of_16_levels_needs_4_bits(part1):
    # A model that knows nothing gives each of 16 grey levels probability 1/16: log2(16) = 4 bits per pixel.
    nats = 28 * 28 * math.log(16)
    value = bpd(part1, nats, [1, 1, 28, 28])
    assert value == pytest.approx(4, rel=1e-5), (
        f"{nats:.1f} nats for an image [1, 28, 28] are 4 bits per dimension, but this says {value:.4f}.\n"
        f"Hint: {likely_mistake(value, nats, [1, 1, 28, 28])}"
    )


@pytest.mark.parametrize("shape", [[1, 3, 32, 32], [1, 2, 16, 40], [1, 1, 5, 7]], ids=str)
def test_counts_channels_height_and_width(part1, shape):
    nats = math.prod(shape) * math.log(2)  # exactly one bit for each dimension
    value = bpd(part1, nats, shape)
    assert value == pytest.approx(1, rel=1e-5), (
        f"for images of shape {shape[1:]} this is {value:.4f} instead of 1 bit per dimension.\n"
        f"Hint: {likely_mistake(value, nats, shape)}"
    )


@pytest.mark.parametrize("batch", [2, 13, 128])
def test_does_not_count_the_batch(part1, batch):
    nats = 28 * 28 * math.log(2)
    value = bpd(part1, nats, [batch, 1, 28, 28])
    assert value == pytest.approx(1, rel=1e-5), (
        f"an image costs 1 bit per dimension, but in a batch of {batch} this is {value:.4f}.\n"
        f"Hint: {likely_mistake(value, nats, [batch, 1, 28, 28])}"
    )


def test_keeps_one_value_per_image(part1):
    nats = 28 * 28 * math.log(2) * torch.arange(1.0, 7.0, dtype=torch.float64)
    value = part1.utils.elbo_to_bpd(nats, [6, 1, 28, 28])
    assert value.shape == (6,), (
        f"6 images have 6 values, but this has shape {list(value.shape)}.\n"
        "Hint: neither sum nor average here; VAE.forward does that."
    )
    assert value.tolist() == pytest.approx([1, 2, 3, 4, 5, 6], rel=1e-5), (
        f"these images cost 1 to 6 bits per dimension, but this says {value.tolist()}.\nHint: {HINT}"
    )


def test_can_be_trained_with(part1):
    elbo = torch.tensor(100.0, requires_grad=True)
    value = part1.utils.elbo_to_bpd(elbo, [4, 1, 28, 28])
    assert isinstance(value, torch.Tensor), (
        "the bpd is no tensor.\nHint: compute with the tensor, no .item()."
    )
    assert value.requires_grad, "the bpd has no gradient.\nHint: no .detach(), .item(), float() or numpy."

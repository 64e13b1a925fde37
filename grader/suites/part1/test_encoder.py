"""Item 1.7.encoder: `CNNEncoder`, grey levels `[B, 1, 28, 28]` -> mean and log_std, each `[B, z_dim]`."""

from typing import Any

import pytest
import torch

from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import expect, expect_finite, expect_shape, shape_text
from grader.suites.networks import (
    all_moved,
    expect_alive,
    expect_different,
    expect_independent_of_batch,
    expect_precision,
    expect_rank,
    expect_repeatable,
    expect_trainable,
    expect_unbounded,
    outputs_when_amplified,
    wake,
)
from grader.suites.part import Part
from grader.suites.part1 import signatures
from grader.suites.severity import SLIP

pytestmark = pytest.mark.item("1.7.encoder")

# The default size wherever a check is not about sizes: a hard-coded one costs the checks of sizes only.
Z_DIM = 20
# Behind a ReLU, which has a check of its own, so few latents are often all 0 in a fresh network.
FEW = 2
PAIR = "forward returns the pair (mean, log_std), each of shape [B, z_dim]"


def build(part1: Part, draw: Draw, channels: int = 1, filters: int = 32, z_dim: int = Z_DIM) -> Remote:
    """The student's encoder, of sizes that are all given: its defaults have a check of their own."""
    _ = part1.cnn_encoder_decoder
    encoder = part1.driver.network("CNNEncoder", channels, filters, z_dim)
    half, zeros = part1.driver.settle(encoder, torch.zeros(1, channels, 28, 28, dtype=torch.int64))
    expect_precision(half)
    return wake(encoder, draw) if zeros is not False else encoder


def pair(result: Any) -> tuple[Any, Any]:
    """The two results of the encoder's forward."""
    expect(
        isinstance(result, tuple | list) and len(result) == 2,
        f"the encoder should return two tensors, but returned {shape_text(result)}",
        PAIR,
        SLIP,
    )
    return result[0], result[1]


def encode(encoder: Remote, images: torch.Tensor, z_dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """One call, with its result checked to be a pair of the right shapes."""
    first, second = pair(encoder(images))
    shape = (images.shape[0], z_dim)
    what = f"for images of shape {list(images.shape)}"
    mean = expect_shape(first, shape, f"mean {what}", PAIR)
    log_std = expect_shape(second, shape, f"log_std {what}", PAIR)
    expect_finite(mean, "mean", "check the layers")
    expect_finite(log_std, "log_std", "check the layers")
    if z_dim > FEW:
        expect_different(mean, "mean")
        expect_different(log_std, "log_std")
    return mean, log_std


def test_returns_mean_and_log_std(part1: Part, draw: Draw) -> None:
    encoder = build(part1, draw)
    images = draw.integers(16, 4, 1, 28, 28)
    pair(part1.driver.as_it_is(encoder, images))
    encode(encoder, images, Z_DIM)


def test_has_the_given_signature(part1: Part, draw: Draw) -> None:
    expect_alive(build(part1, draw), draw.integers(16, 3, 1, 28, 28))
    signatures.expect_signature(part1, "CNNEncoder", signatures.ENCODER)


def test_works_for_any_batch_size_and_z_dim(part1: Part, draw: Draw) -> None:
    for z_dim, batch in ((2, 5), (7, 3)):
        encoder = build(part1, draw, filters=8, z_dim=z_dim)
        encode(encoder, draw.integers(16, batch, 1, 28, 28), z_dim)
        encoder.eval()  # BatchNorm cannot train on a single image
        encode(encoder, draw.integers(16, 1, 1, 28, 28), z_dim)


def test_takes_the_number_of_input_channels(part1: Part, draw: Draw) -> None:
    encoder = build(part1, draw, channels=3)
    encode(encoder, draw.integers(16, 2, 3, 28, 28), Z_DIM)


def test_mean_and_log_std_are_unbounded(part1: Part, draw: Draw) -> None:
    # 32 latents: that all of them have one sign in right code has probability 2^-31.
    encoder = build(part1, draw, z_dim=32)
    outputs = outputs_when_amplified(encoder, draw.integers(16, 16, 1, 28, 28))
    for output, name in zip(outputs, ("mean", "log_std"), strict=False):
        expect_unbounded(
            output,
            name,
            f"{name} is any real number: end with a linear layer, without activation, exp or softplus",
        )


def test_mean_and_log_std_are_two_different_outputs(part1: Part, draw: Draw) -> None:
    encoder = build(part1, draw)
    mean, log_std = encode(encoder, draw.integers(16, 8, 1, 28, 28), Z_DIM)
    # Compared with their own size: weights from N(0, 0.01) make outputs of 1e-6.
    size = torch.maximum(mean.abs().max(), log_std.abs().max())
    expect(
        bool((mean - log_std).abs().max() > 1e-3 * size),
        "mean and log_std are the same tensor",
        "each needs weights of its own: two linear layers, or one of size 2 * z_dim that is split",
    )


def test_looks_at_the_whole_image(part1: Part, draw: Draw) -> None:
    encoder = build(part1, draw)
    encoder.eval()
    image = draw.integers(16, 1, 1, 28, 28)
    changed = image.repeat(5, 1, 1, 1)
    corners = ((0, 0), (0, 14), (14, 0), (14, 14))
    for index, (top, left) in enumerate(corners, start=1):
        block = changed[index, :, top : top + 14, left : left + 14]
        block.copy_(15 - block)
    encode(encoder, changed, Z_DIM)
    for moved, name in zip(all_moved(encoder, changed), ("mean", "log_std"), strict=True):
        expect(
            moved,
            f"{name} does not change when a part of the image does",
            "let the convolutions cover the whole image and flatten all of their output",
        )


def test_encodes_each_image_by_itself(part1: Part, draw: Draw) -> None:
    encoder = build(part1, draw)
    images = draw.integers(16, 7, 1, 28, 28)
    images[2] %= 4
    images[3] = images[3] % 4 + 12
    images[4], images[5], images[6] = 7, 0, 15
    expect_repeatable(encoder, images[:4], "the code")
    expect_independent_of_batch(encoder, images, "the code", unlike=(2, 4))


def test_codes_vary_in_every_dimension(part1: Part, draw: Draw) -> None:
    images = draw.integers(16, 16, 1, 4, 4).repeat_interleave(7, dim=2).repeat_interleave(7, dim=3)
    for z_dim in (2, 1):
        expect_rank(
            build(part1, draw, filters=8, z_dim=z_dim),
            images,
            z_dim,
            f"with z_dim={z_dim} the mean",
            "no normalization over the latent dimensions: of two numbers it leaves one, of one number none",
        )


def test_gradients_reach_its_parameters(part1: Part, draw: Draw) -> None:
    encoder = build(part1, draw)
    expect_trainable(part1, encoder, draw.integers(16, 4, 1, 28, 28), "mean and log_std")

"""Item 1.7.decoder: `CNNDecoder`, latents `[B, z_dim]` -> logits `[B, 16, 28, 28]`."""

import pytest
import torch

from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import as_tensor, expect, expect_finite, expect_shape, fail
from grader.suites.networks import (
    FAR_OUT,
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

pytestmark = pytest.mark.item("1.7.decoder")

# The default size wherever a check is not about sizes: a hard-coded one costs the checks of sizes only.
Z_DIM = 20
SIZES = "4x4 -> 7x7 -> 14x14 -> 28x28 with output padding 0, 1, 1, and one channel per grey level"
LOGITS = "return raw logits: no tanh, sigmoid, ReLU or softmax after the last layer"


def build(part1: Part, draw: Draw, channels: int = 16, filters: int = 32, z_dim: int = Z_DIM) -> Remote:
    """The student's decoder, of sizes that are all given: its defaults have a check of their own."""
    _ = part1.cnn_encoder_decoder
    decoder = part1.driver.network("CNNDecoder", channels, filters, z_dim)
    half, zeros = part1.driver.settle(decoder, torch.zeros(1, z_dim))
    expect_precision(half)
    return wake(decoder, draw) if zeros is not False else decoder


def decode(decoder: Remote, latents: torch.Tensor, channels: int = 16) -> torch.Tensor:
    """One call, with its result checked to be logits of the right shape."""
    shape = (latents.shape[0], channels, 28, 28)
    logits = expect_shape(
        decoder(latents),
        shape,
        f"the logits for latents of shape {list(latents.shape)}",
        SIZES,
    )
    expect_finite(logits, "the logits", "check the layers")
    expect_different(logits, "the logits")
    return logits


def test_returns_logits_for_every_pixel(part1: Part, draw: Draw) -> None:
    decoder = build(part1, draw)
    latents = draw.normal(3, Z_DIM)
    as_tensor(part1.driver.as_it_is(decoder, latents), "the result of the decoder")
    decode(decoder, latents)
    said, where = part1.driver.device_of(decoder)
    expect(
        said == where,
        f"the decoder's property device is {said}, but should be {where}, where its parameters are",
        "leave the given property as it is: next(self.parameters()).device",
    )


def test_has_the_given_signature(part1: Part, draw: Draw) -> None:
    expect_alive(build(part1, draw), draw.normal(3, Z_DIM))
    signatures.expect_signature(part1, "CNNDecoder", signatures.DECODER)


def test_works_for_any_batch_size_and_z_dim(part1: Part, draw: Draw) -> None:
    for z_dim, batch in ((2, 5), (7, 3)):
        decoder = build(part1, draw, filters=8, z_dim=z_dim)
        decode(decoder, draw.normal(batch, z_dim))
        decoder.eval()  # BatchNorm may not train on a single image
        decode(decoder, draw.normal(1, z_dim))


def test_takes_the_number_of_grey_levels(part1: Part, draw: Draw) -> None:
    decoder = build(part1, draw, channels=10)
    decode(decoder, draw.normal(2, Z_DIM), channels=10)


def test_logits_are_unbounded(part1: Part, draw: Draw) -> None:
    decoder = build(part1, draw)
    (logits,) = outputs_when_amplified(decoder, draw.normal(8, Z_DIM, std=3.0))
    expect_shape(logits, (8, 16, 28, 28), "the logits", SIZES)
    sums = logits.double().logsumexp(dim=1)
    # Log-probabilities are logits, too, normalized already: cross-entropy and softmax do not mind.
    if float(logits.max()) <= 1e-3 and float(sums.abs().max()) < 1e-2 and float(logits.min()) < -FAR_OUT:
        return
    if float(logits.min()) >= 0 and torch.allclose(logits.sum(dim=1), torch.ones(8, 28, 28), atol=1e-3):
        fail(
            "the decoder returns probabilities (they sum to 1 over the grey levels) instead of logits", LOGITS
        )
    expect_unbounded(logits, "the decoder's output", LOGITS)


def test_every_latent_changes_the_image(part1: Part, draw: Draw) -> None:
    decoder = build(part1, draw)
    decoder.eval()
    latents = draw.normal(1, Z_DIM).repeat(Z_DIM + 1, 1)
    for index in range(Z_DIM):
        latents[index + 1, index] += 3.0
    decode(decoder, latents)
    expect(
        all(all_moved(decoder, latents)),
        "some latent dimensions do not change the output",
        "feed all of z to the first layer",
    )


def test_decodes_each_latent_by_itself(part1: Part, draw: Draw) -> None:
    decoder = build(part1, draw)
    latents = draw.normal(5, Z_DIM, std=2.0) * torch.tensor([1, 1, 0.05, 5, 0])[:, None]
    expect_repeatable(decoder, latents, "the output")
    expect_independent_of_batch(decoder, latents, "the output", unlike=(2, 4))


def test_few_latents_all_count(part1: Part, draw: Draw) -> None:
    for z_dim in (2, 1):
        expect_rank(
            build(part1, draw, filters=8, z_dim=z_dim),
            draw.normal(12, z_dim, std=2.0),
            z_dim,
            f"with z_dim={z_dim} the output",
            "no normalization over the latent dimensions: of two numbers it leaves one, of one number none",
        )


def test_gradients_reach_parameters_and_latents(part1: Part, draw: Draw) -> None:
    decoder = build(part1, draw)
    expect_trainable(part1, decoder, draw.normal(4, Z_DIM), "the logits")
    call = part1.record(decoder, draw.normal(4, Z_DIM).requires_grad_())
    expect_shape(call.value, (4, 16, 28, 28), "the logits", SIZES)
    gradient, *_ = call.gradients(draw.normal(4, 16, 28, 28).to(call.value.dtype))
    expect(
        gradient is not None and bool((gradient.abs().amax(dim=0) > 0).all()),
        "no gradient flows from the logits back to z, so the encoder could not learn",
        "look for .detach(), .data or torch.no_grad",
    )

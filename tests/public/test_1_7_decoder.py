"""Question 1.7, `CNNDecoder` in part1/cnn_encoder_decoder.py: latents in, 16 logits for every pixel out."""

import pytest
import torch
from networks import assert_all_weights_learn, assert_full_precision, awake, count_weights, large_weights


@pytest.mark.parametrize(
    ("batch", "levels", "num_filters", "z_dim"),
    [(5, 16, 32, 20), (1, 16, 8, 20), (3, 16, 8, 2), (2, 4, 8, 7)],
)
def test_returns_logits_for_every_pixel(part1, batch, levels, num_filters, z_dim):
    decoder = part1.cnn_encoder_decoder.CNNDecoder(
        num_input_channels=levels, num_filters=num_filters, z_dim=z_dim
    )
    z = torch.randn(batch, z_dim)
    logits = decoder.eval()(z)
    assert logits.shape == (batch, levels, 28, 28), (
        f"{batch} latent(s) of {z_dim} dimensions should give logits {[batch, levels, 28, 28]} for {levels} "
        f"grey levels, but they have shape {list(logits.shape)}.\n"
        "Hint: 4x4 -> 7x7 -> 14x14 -> 28x28 with output padding 0, 1, 1; the last layer has "
        "num_input_channels channels; squeeze() would swallow a batch of one."
    )
    assert torch.isfinite(logits).all(), "a logit is NaN or infinite.\nHint: look for a log or a division."
    same = part1.cnn_encoder_decoder.CNNDecoder(levels, num_filters, z_dim)
    assert count_weights(same, z) == count_weights(decoder, z), (
        f"CNNDecoder({levels}, {num_filters}, {z_dim}) is another network than with the names of the "
        "arguments.\nHint: leave the order num_input_channels, num_filters, z_dim in __init__."
    )
    assert_full_precision(decoder)


def test_default_sizes_fit_mnist(part1):
    z, decoder = torch.randn(2, 20), part1.cnn_encoder_decoder.CNNDecoder()
    logits = decoder.eval()(z)
    assert logits.shape == (2, 16, 28, 28), (
        f"CNNDecoder() should give logits [2, 16, 28, 28] for two latents, but gives {list(logits.shape)}.\n"
        "Hint: leave the defaults of __init__ as they are."
    )
    due = part1.cnn_encoder_decoder.CNNDecoder(num_input_channels=16, num_filters=32, z_dim=20)
    assert count_weights(decoder, z) == count_weights(due, z), (
        "CNNDecoder() is another network than with num_filters=32.\n"
        "Hint: leave the defaults of __init__ as they are."
    )


def test_returns_logits_and_no_probabilities(part1):
    z = torch.randn(4, 6)
    logits = large_weights(part1.cnn_encoder_decoder.CNNDecoder(num_filters=8, z_dim=6), z)(z)
    assert logits.min() < -4, (
        f"even with large weights no logit is below {logits.min():.2f}.\n"
        "Hint: no softmax, sigmoid, ReLU or tanh after the last layer: the loss expects logits."
    )
    # A logarithm of probabilities is a logit, too: log_softmax over the levels (dimension 1) is fine.
    sums = logits.exp().sum(dim=1)
    assert logits.max() > 4 or torch.allclose(sums, torch.ones_like(sums), atol=1e-4), (
        f"even with large weights no logit is above {logits.max():.2f}.\n"
        "Hint: no tanh or sigmoid after the last layer; the 16 levels are in dimension 1."
    )


def test_every_latent_is_decoded_by_itself(part1):
    z = torch.randn(4, 6)
    decoder = awake(part1.cnn_encoder_decoder.CNNDecoder(num_filters=8, z_dim=6), z)
    together = decoder(z)
    alone = torch.cat([decoder(latent.unsqueeze(0)) for latent in z])
    # Single precision; a batch of one may add in another order.
    assert torch.allclose(together, alone, rtol=1e-3, atol=1e-4 * float(together.abs().max())), (
        "the logits of a latent change with the other latents of its batch, or from call to call.\n"
        "Hint: keep the batch in dimension 0, normalize over no batch, and draw nothing here."
    )


@pytest.mark.parametrize("dimension", range(6))
def test_uses_every_latent_dimension(part1, dimension):
    z = torch.randn(3, 6)
    decoder = awake(part1.cnn_encoder_decoder.CNNDecoder(num_filters=8, z_dim=6), z)
    moved = z.clone()
    moved[:, dimension] += 1
    assert not torch.equal(decoder(z), decoder(moved)), (
        f"dimension {dimension} of z has no influence on the logits.\n"
        "Hint: feed the whole of z into the network."
    )


def test_length_of_a_latent_counts(part1):
    z = torch.randn(3, 6)
    decoder = awake(part1.cnn_encoder_decoder.CNNDecoder(num_filters=8, z_dim=6), z)
    before, after = decoder(z), decoder(2 * z)
    assert not torch.allclose(before, after, rtol=1e-4, atol=1e-4 * float(before.std())), (
        "twice a latent has the same logits.\nHint: do not normalize z; its length says how far it is from 0."
    )


def test_all_layers_learn(part1):
    z = torch.randn(4, 6)
    decoder = awake(part1.cnn_encoder_decoder.CNNDecoder(num_filters=8, z_dim=6), z)
    assert_all_weights_learn(
        decoder, lambda: decoder(z), "no .detach(), .data or torch.no_grad() on the way."
    )


def test_gradients_reach_the_latents(part1):
    z = torch.randn(4, 6, requires_grad=True)
    decoder = awake(part1.cnn_encoder_decoder.CNNDecoder(num_filters=8, z_dim=6), z)
    (decoder(z) ** 2).sum().backward()
    assert z.grad is not None and z.grad.any(), (
        "no gradient gets through the decoder to z, so the encoder could not learn from the reconstruction.\n"
        "Hint: no .detach(), .data or torch.no_grad()."
    )


def test_knows_its_device(part1):
    device = part1.cnn_encoder_decoder.CNNDecoder(num_filters=8).device
    assert device == torch.device("cpu"), f"decoder.device is {device}.\nHint: leave the property as given."

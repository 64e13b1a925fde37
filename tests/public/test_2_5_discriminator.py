"""Question 2.5, `Discriminator` in part2/models.py: one logit for every code."""

import pytest
import torch
from networks import assert_all_weights_learn, awake, large_weights


@pytest.mark.parametrize(("batch", "z_dim"), [(5, 8), (1, 8), (3, 2), (2, 20)])
def test_returns_one_logit_per_code(part2, batch, z_dim):
    logits = part2.models.Discriminator(z_dim).eval()(torch.randn(batch, z_dim))
    assert logits.shape == (batch, 1), (
        f"{batch} code(s) with z_dim={z_dim} should have logits {[batch, 1]}, not {list(logits.shape)}.\n"
        "Hint: one output, real or fake, and no squeeze()."
    )


def test_returns_logits_and_no_probabilities(part2):
    z = torch.randn(100, 8)
    discriminator = part2.models.Discriminator(8)
    # Several times: behind sigmoids all logits of one network may have the same sign.
    logits = torch.cat([large_weights(discriminator, z)(z) for _ in range(10)])
    assert logits.min() < -4 and logits.max() > 4, (
        f"even with large weights logits stay between {logits.min():.2f} and {logits.max():.2f}.\n"
        "Hint: nothing after the last linear layer: no sigmoid, no softmax, no ReLU."
    )


def test_is_more_than_a_linear_map(part2):
    a, b = torch.randn(20, 8), torch.randn(20, 8)
    discriminator = awake(part2.models.Discriminator(8), a)
    # For a linear map the middle of two codes has the middle of their logits.
    middle = (discriminator(a) + discriminator(b)) / 2
    # Relative to their size: some start with very small weights.
    size = float(middle.abs().max())
    assert not torch.allclose(discriminator((a + b) / 2), middle, rtol=0, atol=1e-5 * size), (
        "the discriminator is a linear map, which cannot tell a ring from its centre.\n"
        "Hint: LeakyReLU(0.2) between the linear layers."
    )


def test_all_layers_learn(part2):
    z = torch.randn(20, 8)
    discriminator = awake(part2.models.Discriminator(8), z)
    assert_all_weights_learn(discriminator, lambda: discriminator(z), "no .detach(), .data or no_grad.")


def test_gradients_reach_the_codes(part2):
    z = torch.randn(20, 8, requires_grad=True)
    discriminator = awake(part2.models.Discriminator(8), z)
    discriminator(z).sum().backward()
    assert z.grad is not None and z.grad.any(), (
        "no gradient gets through the discriminator to z, so it could teach the encoder nothing.\n"
        "Hint: detach z for the discriminator's own loss only, not in Discriminator.forward."
    )

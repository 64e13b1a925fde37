"""Question 1.7, `KLD(mean, log_std)` in part1/utils.py: the regularization term of equation 13.

The tests compare it with torch.distributions, which knows this divergence. Your code may not use that
package (the assignment forbids it), so it needs the formula.
"""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

HINT = "compare term by term with the regularization part of equation 13."


def divergence_per_dimension(mean, std):
    """KL(N(mean, std^2) || N(0, 1)) of every single element."""
    return kl_divergence(Normal(mean, std), Normal(torch.zeros_like(mean), torch.ones_like(std)))


def likely_mistake(value, mean, log_std):
    """Which slip gives exactly this value?"""
    right = divergence_per_dimension(mean, log_std.exp())
    slips = {
        "it is the mean over the latent dimensions; equation 13 sums them": right.mean(-1),
        "the factor 1/2 is missing": 2 * right.sum(-1),
        "the sign is flipped: a divergence is never negative": -right.sum(-1),
        "log_std is taken for the logarithm of the variance": divergence_per_dimension(
            mean, (log_std / 2).exp()
        ).sum(-1),
        "log_std is used where the standard deviation belongs": divergence_per_dimension(
            mean, log_std.abs() + 1e-9
        ).sum(-1),
        "the square of mean is missing": (right + (mean - mean**2) / 2).sum(-1),
        "the constant 1 is missing": (right + 0.5).sum(-1),
        "the constant 1 is added instead of subtracted": (right + 1).sum(-1),
        "the 2 in front of log_std is missing": (right + log_std / 2).sum(-1),
        "log_std is added instead of subtracted": (right + 2 * log_std).sum(-1),
        "the 2 in the exponent is missing": (right + (log_std.exp() - (2 * log_std).exp()) / 2).sum(-1),
        "it is the divergence of the prior from q, not of q from the prior": kl_divergence(
            Normal(torch.zeros_like(mean), torch.ones_like(mean)), Normal(mean, log_std.exp())
        ).sum(-1),
    }
    for slip, wrong in slips.items():
        if value.shape == wrong.shape and torch.allclose(value, wrong, rtol=1e-6):
            return f"{slip}."
    return HINT


def test_is_the_divergence_from_the_prior(part1):
    mean, log_std = torch.randn(1, 5, dtype=torch.float64), 0.7 * torch.randn(1, 5, dtype=torch.float64)
    value = part1.utils.KLD(mean, log_std)
    expected = divergence_per_dimension(mean, log_std.exp()).sum(-1)
    # Double precision: other orders of the terms differ by 1e-15 or so.
    assert value.shape == (1,), (
        f"one posterior of 5 dimensions [1, 5] has one divergence [1], not {list(value.shape)}.\n"
        "Hint: sum over the last dimension only, dim=-1, without keepdim."
    )
    assert torch.allclose(value, expected, rtol=1e-9), (
        f"the divergence should be {expected.item():.6f}, but is {value.item():.6f}.\n"
        f"Hint: {likely_mistake(value, mean, log_std)}"
    )
    # Encoders can be that sure or that far off.
    mean, log_std = 20 * mean, torch.linspace(-5, 4, 5, dtype=torch.float64).unsqueeze(0)
    value = part1.utils.KLD(mean, log_std)
    expected = divergence_per_dimension(mean, log_std.exp()).sum(-1)
    assert torch.allclose(value, expected, rtol=1e-9), (
        f"far from the prior the divergence should be {expected.item():.6f}, but is {value.item():.6f}.\n"
        "Hint: no limits, and no small number inside a logarithm: log_std is one already."
    )


def test_is_zero_for_the_prior_itself(part1):
    value = part1.utils.KLD(torch.zeros(3, 8), torch.zeros(3, 8))
    assert torch.allclose(value, torch.zeros_like(value), atol=1e-6), (
        f"mean 0 and log_std 0 are the prior itself, at distance 0, but KLD gives {value.flatten()[0]:.4f}.\n"
        "Hint: log_std = 0 means a standard deviation of 1; all terms must cancel."
    )


def test_is_positive_everywhere_else(part1):
    value = part1.utils.KLD(torch.randn(100, 8), torch.randn(100, 8))
    assert torch.isfinite(value).all(), (
        "KLD is NaN or infinite.\nHint: take no logarithm of log_std, it may be negative."
    )
    assert (value > 0).all(), f"a divergence is never negative, but KLD is.\nHint: {HINT}"


@pytest.mark.parametrize("shape", [(3, 4, 6), (7, 5), (5, 7), (6,), (4, 1)], ids=str)
def test_sums_over_the_last_dimension_only(part1, shape):
    value = part1.utils.KLD(torch.randn(shape), torch.randn(shape))
    assert value.shape == shape[:-1], (
        f"for inputs of shape {list(shape)} KLD should have shape {list(shape[:-1])}, but has "
        f"{list(value.shape)}.\nHint: sum over the last dimension, dim=-1: not over dim 0 or 1, not over all."
    )


def test_images_do_not_mix(part1):
    mean, log_std = torch.zeros(5, 5), torch.zeros(5, 5)
    mean[2] = 1.0
    value = part1.utils.KLD(mean, log_std)
    assert (value.flatten() != 0).tolist() == [False, False, True, False, False], (
        "only the third of five images is away from the prior, so only the third value may differ from 0; "
        f"they are {[round(v, 3) for v in value.flatten().tolist()]}.\n"
        "Hint: dim=-1 sums over the latents of one image."
    )


def test_gradients_are_right(part1):
    mean = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    log_std = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    value = part1.utils.KLD(mean, log_std)
    assert value.requires_grad, "KLD has no gradient.\nHint: no .detach(), .item(), numpy or torch.no_grad()."
    gradients = torch.autograd.grad(value.sum(), (mean, log_std), allow_unused=True)
    expected = torch.autograd.grad(divergence_per_dimension(mean, log_std.exp()).sum(), (mean, log_std))
    for name, gradient, due in zip(("mean", "log_std"), gradients, expected, strict=True):
        assert gradient is not None, f"no gradient reaches {name}.\nHint: use {name} itself, no .detach()."
        assert torch.allclose(gradient, due, rtol=1e-9), f"the gradient for {name} is wrong.\nHint: {HINT}"

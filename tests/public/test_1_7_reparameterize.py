"""Question 1.7, `sample_reparameterize(mean, std)` in part1/utils.py: one sample z ~ N(mean, std^2).

The sample must be a differentiable function of mean and std, with all randomness in a noise that depends on
neither of them.
"""

import contextlib

import pytest
import torch
from chance import assert_independent, assert_standard_normal

HINT = "draw noise from N(0, 1), of the same shape as std, then stretch it by std and shift it by mean."


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 3, 4)], ids=str)
def test_has_the_shape_of_its_inputs(part1, shape):
    z = part1.utils.sample_reparameterize(torch.zeros(shape), torch.ones(shape))
    assert z.shape == shape, (
        f"for inputs of shape {list(shape)} the sample has shape {list(z.shape)}.\n"
        "Hint: torch.randn_like makes noise of any shape; do not count on two dimensions."
    )
    std = torch.ones(shape)
    std[0] = -0.1
    with contextlib.suppress(AssertionError, ValueError, RuntimeError):
        part1.utils.sample_reparameterize(torch.zeros(shape), std)
        pytest.fail(
            "a std with a negative number in it is taken without a word.\n"
            "Hint: leave the assertion of the template where it is.",
            pytrace=False,
        )


def test_is_centred_at_mean(part1):
    mean = torch.tensor([-300.0, 0.0, 5.0, 50.0], dtype=torch.float64)
    z = part1.utils.sample_reparameterize(mean, torch.zeros_like(mean))
    assert torch.allclose(z.double(), mean), (
        f"with std = 0 nothing is random and the sample is the mean {mean.tolist()}, not {z.tolist()}.\n"
        f"Hint: {HINT}"
    )


def test_is_scaled_by_std(part1):
    std = torch.full((100_000,), 0.5, dtype=torch.float64)
    measured = part1.utils.sample_reparameterize(torch.zeros_like(std), std).std().item()
    likely = {
        0.0: "there is no noise at all, or one number is used for all elements",
        0.144: "torch.rand is uniform; torch.randn is normal",
        0.25: "std is squared: that is the variance",
        0.707: "a root is taken of std, as if it were a variance",
        1.0: "std is not used",
        1.649: "exp is applied to std, as if it were log_std",
    }
    nearest = min(likely, key=lambda value: abs(value - measured))
    hint = likely[nearest] if abs(nearest - measured) < 0.01 else HINT
    # A measured standard deviation of 100,000 draws is right to 0.2%; 1.5% is more than six times that.
    assert measured == pytest.approx(0.5, rel=0.015), (
        f"with std = 0.5 samples should spread by 0.5, but they spread by {measured:.3f}.\nHint: {hint}"
    )


def test_noise_is_normal_and_every_element_has_its_own(part1):
    mean = torch.randn(1000, 100, dtype=torch.float64)
    std = torch.empty(1000, 100, dtype=torch.float64).uniform_(0.1, 50)
    noise = (part1.utils.sample_reparameterize(mean, std) - mean) / std
    assert_independent(
        noise,
        "the noise",
        "every image and every dimension needs a number of its own: torch.randn_like(std).",
    )
    assert_standard_normal(noise, "the noise (z - mean) / std", HINT)


def test_noise_is_new_in_every_call(part1):
    mean, std = torch.zeros(10), torch.ones(10)
    first, second = (part1.utils.sample_reparameterize(mean, std) for _ in range(2))
    assert not torch.equal(first, second), (
        "two calls give the same sample.\nHint: set no seed inside the function."
    )
    with torch.no_grad():
        unseen = part1.utils.sample_reparameterize(mean, std)
    assert not torch.equal(unseen, mean), (
        "under torch.no_grad() the sample is the mean, so validation and test would see no noise.\n"
        "Hint: draw in every call, whether gradients are computed or not."
    )


def test_gradients_reach_mean_and_std(part1):
    mean = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    std = (torch.rand(6, 4, dtype=torch.float64) + 0.5).requires_grad_()
    z = part1.utils.sample_reparameterize(mean, std)
    assert z.requires_grad, (
        "the sample has no gradient, so an encoder could never learn from it.\n"
        "Hint: .detach(), .item() and torch.no_grad() cut the graph."
    )
    z.sum().backward()
    for name, gradient in (("mean", mean.grad), ("std", std.grad)):
        assert gradient is not None and gradient.any(), (
            f"no gradient reaches {name}.\n"
            "Hint: torch.normal(mean, std), .detach() and .data cut it off; draw noise first, then use both."
        )
    # Noise in single precision is right to 1e-7 or so; 1e-5 leaves room for a division.
    assert torch.allclose(mean.grad, torch.ones_like(mean), atol=1e-5), (
        f"moving the mean by 1 should move the sample by 1.\nHint: {HINT}"
    )
    noise = ((z - mean) / std).detach()
    assert torch.allclose(std.grad, noise, atol=1e-5), (
        f"the derivative of the sample for std should be the noise.\nHint: {HINT}"
    )

"""Item 1.7.reparameterize: `sample_reparameterize(mean, std)` = mean + std * eps, eps ~ N(0, 1)."""

import pytest
import torch

from grader.box.errors import StudentError
from grader.suites.draw import Draw
from grader.suites.expect import as_tensor, close, expect, expect_close, expect_finite, expect_shape, fail
from grader.suites.part import Part
from grader.suites.severity import SERIOUS, SLIP, WHOLE
from grader.suites.statistics import dependence_faults, normal_faults

pytestmark = pytest.mark.item("1.7.reparameterize")

TRICK = "draw eps from N(0, 1) with the shape of mean (torch.randn_like) and return mean + std * eps"


ONE_NUMBER = "one number is used for all elements, another one in every call"
SAME = "two calls give the same sample: nothing is drawn"


def noise(part1: Part, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """The eps behind one call, in float64."""
    sample = expect_shape(part1.utils.sample_reparameterize(mean, std), mean.shape, "the sample", TRICK)
    expect_finite(sample, "the sample", TRICK)
    largest = float(sample.double().abs().max())
    # Far beyond any noise, and far from where squares overflow.
    expect(largest < 1e9, f"the sample has values as large as {largest:.1e}", TRICK)
    return (sample.double() - mean.double()) / std.double()


def test_works_for_any_shape(part1: Part, draw: Draw) -> None:
    for shape in ((3, 4), (5,), (2, 3, 4), (1, 1), (2, 3, 2, 5)):
        mean, std = draw.normal(*shape), draw.uniform(*shape, low=0.5, high=2)
        try:
            sample = part1.utils.sample_reparameterize(mean, std)
        except StudentError as error:
            if error.kind == "raised" and len(shape) != 2:  # one of two dimensions came first
                error.hint = (
                    f"it works for two dimensions, but not for {len(shape)}: give eps the shape of mean, "
                    "whatever that is"
                )
            raise
        sample = expect_shape(sample, shape, f"the sample for mean and std of shape {list(shape)}", TRICK)
        expect_finite(sample, "the sample", TRICK)
        expect(not torch.equal(sample, mean), "the sample is the mean: nothing is drawn", TRICK, WHOLE)
        if mean.numel() > 1:  # of a single float32, two draws are equal once in 10^7 times
            again = part1.utils.sample_reparameterize(mean, std)
            same = torch.equal(sample, expect_shape(again, shape, "the sample", TRICK))
            expect(not same, SAME, TRICK, SERIOUS)
    expect_assertion(part1, draw)


def expect_assertion(part1: Part, draw: Draw) -> None:
    """Fail unless a negative std is rejected, by the given assertion or another error."""
    mean, std = draw.normal(3, 4), draw.uniform(3, 4, low=0.5, high=2)
    std[1, 2] = -0.5
    try:
        part1.utils.sample_reparameterize(mean, std)
    except StudentError as error:
        if error.kind != "raised":
            raise
        return
    fail(
        "a negative std raises no error",
        "leave the given assertion as it is, before all else: a negative std is a log_std without exp",
    )


def test_is_the_mean_where_std_is_zero(part1: Part, draw: Draw) -> None:
    mean = draw.normal(6, 9, std=3.0)
    spread = noise(part1, mean, torch.ones(6, 9))
    expect(spread.std() > 0.1, "the sample is the mean wherever std is 1, too: nothing is drawn", TRICK)
    sample = part1.utils.sample_reparameterize(mean, torch.zeros(6, 9))
    if (
        isinstance(sample, torch.Tensor)
        and sample.shape == mean.shape
        and not close(sample, mean, 1e-4, 1e-5)
    ):
        expect(bool(sample.any()), "the sample is 0 where std is 0: the mean is left out", TRICK)
        ones = torch.ones(6, 9)
        other = part1.utils.sample_reparameterize(torch.zeros(6, 9), ones)
        swapped = isinstance(other, torch.Tensor) and close(other, ones, 1e-4, 1e-5)
        expect(not swapped, "with mean 0 the sample is std: mean and std are exchanged", TRICK)
    expect_close(sample, mean, "the sample where std is 0", TRICK)


def test_follows_the_normal_distribution(part1: Part, draw: Draw) -> None:
    # Standard deviations that differ between elements tell std from its square, root, log or exponential.
    # 120,000 of them: the variance is known to 0.4%, so that a scale of 0.98 is 10 standard errors away.
    mean, std = draw.normal(300, 400, std=3.0), draw.uniform(300, 400, low=0.2, high=3.0)
    eps = noise(part1, mean, std)
    small, large = eps[std < 0.8], eps[std > 2.0]
    for values, which in ((small, "where std is small"), (large, "where std is large"), (eps, "everywhere")):
        fault = normal_faults(values, f"(sample - mean) / std, {which},")
        if not fault:
            continue
        if float(eps.std()) < 1e-3:
            fail("(sample - mean) / std is the same everywhere: no noise, or one number for all", TRICK)
        # Standard errors of the means over rows and columns: 1 each, unless elements share their noise. That
        # has a check of its own, and of so few numbers no distribution can be told.
        means = max(float(eps.mean(0).std()) * 300**0.5, float(eps.mean(1).std()) * 400**0.5)
        if means > 3 * float(eps.std()):
            return
        if not 0.8 < float(small.var() / large.var().clamp(min=1e-12)) < 1.25:
            fail(fault, f"multiply eps by std itself, not by its log, exponential, square or root; {TRICK}")
        if float(eps.min()) >= 0 and float(eps.max()) <= 1 and abs(float(eps.var()) - 1 / 12) < 5e-3:
            fail(fault, f"eps is uniform between 0 and 1: torch.randn, not torch.rand; {TRICK}")
        if float(eps.min()) > -1e-3:
            fail(fault, f"eps is not normal, it has no negative values; {TRICK}")
        if float(eps.mean().abs()) > 0.1:
            fail(fault, f"eps has mean 0; {TRICK}")
        scaled = "standard deviation" in fault
        fail(fault, f"eps is scaled by a factor of its own; {TRICK}" if scaled else TRICK)
    mean, std = draw.normal(100, 100, std=40.0), draw.uniform(100, 100, low=3.0, high=50.0)
    fault = normal_faults(noise(part1, mean, std), "(sample - mean) / std, for std up to 50,")
    expect(not fault, fault, f"no limit on mean and std; {TRICK}", SLIP)


def test_draws_noise_for_every_element(part1: Part, draw: Draw) -> None:
    for shape in ((60, 50), (1, 3000), (30, 10, 10)):
        mean, std = draw.normal(*shape), draw.uniform(*shape, low=0.5, high=2)
        # The difference of two calls: what follows from mean and std, however random, is no noise.
        eps = (noise(part1, mean, std) - noise(part1, mean, std)).reshape(shape[0], -1)
        if float(eps.std()) <= 1e-3:
            shared = float(eps.mean().abs()) > 1e-3
            fail(ONE_NUMBER if shared else "every element has the same noise in every call", TRICK)
        # Mean and scale have a check of their own.
        eps = (eps - eps.mean()) / eps.std()
        fault = dependence_faults(eps, "the noise")
        expect(not fault, fault, f"every element needs an eps of its own: {TRICK}")


def test_draws_afresh_in_every_call(part1: Part, draw: Draw) -> None:
    mean, std = draw.normal(50, 40), draw.uniform(50, 40, low=0.5, high=2)
    first, second = noise(part1, mean, std), noise(part1, mean, std)
    if first.std() <= 0.1:
        shared = float((first.mean() - second.mean()).abs()) > 1e-3
        if shared:
            fail(ONE_NUMBER, TRICK)
        fail("nothing is drawn at random", TRICK, WHOLE)
    expect(
        float(torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1]) < 0.9,
        "two calls use the same noise",
        "draw eps inside the function, without setting a seed there",
    )
    unseen = as_tensor(
        part1.driver.without_gradients(part1.utils.sample_reparameterize, mean, std), "the sample"
    )
    expect(
        not torch.equal(unseen, mean),
        "under torch.no_grad() the sample is the mean: validation and test see no noise",
        f"draw in every call, whether gradients are computed or not; {TRICK}",
    )


def test_gradients_flow_to_mean_and_std(part1: Part, draw: Draw) -> None:
    mean, std = draw.normal(5, 4).requires_grad_(), draw.uniform(5, 4, low=0.5, high=2).requires_grad_()
    call = part1.record(part1.utils.sample_reparameterize, mean, std)
    sample = expect_shape(call.value, (5, 4), "the sample", TRICK)
    cotangent = draw.normal(5, 4).to(sample.dtype)
    grad_mean, grad_std = call.gradients(cotangent)
    for gradient, name in ((grad_mean, "mean"), (grad_std, "std")):
        expect(
            gradient is not None and bool(gradient.any()),
            f"no gradient flows back to {name}",
            f"torch.normal(mean, std), .detach(), .data and no_grad cut the gradient; {TRICK}",
        )
    expect_close(grad_mean, cotangent, "the gradient for mean (1 times what comes from above)", TRICK)
    eps = (sample - mean.detach()) / std.detach()
    # eps is recovered from float32 values by a difference of numbers of size 3: 1e-6 each.
    expect_close(
        grad_std, cotangent * eps, "the gradient for std (eps times what comes from above)", TRICK, atol=1e-4
    )

"""Item 1.7.kld: `KLD(mean, log_std)`, the KL divergence of N(mean, std^2) from N(0, I), equation 13."""

import pytest
import torch

from grader.suites.draw import Draw
from grader.suites.expect import as_tensor, close, costing, expect, expect_close, expect_finite, fail
from grader.suites.part import Part
from grader.suites.severity import SERIOUS, SLIP

pytestmark = pytest.mark.item("1.7.kld")

EQUATION = "equation 13: 0.5 * sum over the latent dimensions of exp(2 log_std) + mean^2 - 1 - 2 log_std"


def reference(mean: torch.Tensor, log_std: torch.Tensor) -> torch.Tensor:
    """Equation 13's regularization term: `[..., D]` -> `[...]`, in nats."""
    return 0.5 * ((2 * log_std).exp() + mean.square() - 1 - 2 * log_std).sum(dim=-1)


def likely_cause(value: torch.Tensor, mean: torch.Tensor, log_std: torch.Tensor) -> str:
    """The mistake that gives exactly these values, if it is a known one."""
    elements = 0.5 * ((2 * log_std).exp() + mean.square() - 1 - 2 * log_std)
    rest = (-1 - 2 * log_std + mean.square()).double()
    known = {
        "it is averaged over the latent dimensions instead of summed": elements.mean(-1),
        "the factor 1/2 is missing": 2 * elements.sum(-1),
        "its sign is flipped": -elements.sum(-1),
        "log_std is taken for the log of the variance": 0.5
        * (log_std.exp() + mean.square() - 1 - log_std).sum(-1),
        "the factor 2 in front of log_std is missing": 0.5
        * ((2 * log_std).exp() + mean.square() - 1 - log_std).sum(-1),
        "exp(log_std) is not squared": 0.5 * (log_std.exp() + rest).sum(-1),
        "log_std is used as if it were the standard deviation": 0.5
        * (log_std.square() + mean.square() - 1 - log_std.square().log()).sum(-1),
        "the constant -1 is missing": 0.5 * ((2 * log_std).exp() + mean.square() - 2 * log_std).sum(-1),
        "the mean is not squared": 0.5 * ((2 * log_std).exp() + mean - 1 - 2 * log_std).sum(-1),
        "the constant term 1 is added instead of subtracted": elements.sum(-1) + mean.shape[-1],
        "it is the divergence in the other direction, of N(0, I) from N(mean, std^2)": 0.5
        * ((1 + mean.square()) * (-2 * log_std).exp() - 1 + 2 * log_std).sum(-1),
        "the term 2 log_std is added instead of subtracted": 0.5
        * ((2 * log_std).exp() + mean.square() - 1 + 2 * log_std).sum(-1),
    }
    for cause, values in known.items():
        if close(value, values, rtol=1e-4, atol=1e-5):
            return f"{cause}; {EQUATION}"
    ratios = value.double() / elements.double().sum(-1)
    if bool(ratios.isfinite().all()) and float(ratios.std()) < 1e-4 * float(ratios.mean().abs()):
        ratio = float(ratios.mean())
        return f"it is {ratio:.4g} times as large as it should be, for every image; {EQUATION}"
    if least := free_bits(value.double(), elements.double()):
        return f"{least}; {EQUATION}"
    return EQUATION


def free_bits(value: torch.Tensor, elements: torch.Tensor) -> str:
    """Whether a smallest divergence gives all values `[B]`; `elements` are those of the latents, `[B, D]`."""
    ways = {
        "every latent": lambda least: elements.clamp(min=least).sum(-1),
        "the sum over the latents": lambda least: elements.sum(-1).clamp(min=least),
    }
    for of, way in ways.items():
        low, high = 0.0, 1.0 + float(value.max())
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if float((way(middle) - value).sum()) < 0 else (low, middle)
        found = way(high)
        if close(found, value, rtol=1e-4, atol=1e-4) and float(found.max() - found.min()) > 1e-3:
            return f"free bits: {of} counts at least {high:.3g} nats"
    return ""


WRONG_DIMENSION = ": it is summed over the wrong dimension"


def left_over(came: torch.Size, shape: tuple[int, ...]) -> str:
    """What must have been done to inputs of a shape to leave this one, if not the right sum."""
    if came == (*shape[:-1], 1):
        return ": the last dimension is kept, no keepdim=True"
    if any(list(came) == [*shape[:dim], *shape[dim + 1 :]] for dim in range(len(shape) - 1)):
        return WRONG_DIMENSION
    if shape[:1] == (1,) and len(came) == len(shape) - 2:
        return ": squeeze() removes the batch dimension, too, when it is 1"
    return ": the batch is reduced, too" if len(came) == 0 and len(shape) > 1 else ""


def expect_last_gone(value: object, shape: tuple[int, ...], what: str, hint: str) -> torch.Tensor:
    """Fail unless the last dimension of a shape is gone, and no other."""
    tensor = as_tensor(value, what)
    due = list(shape[:-1])
    cause = left_over(tensor.shape, shape)
    expect(
        list(tensor.shape) == due,
        f"{what} should have shape {due}, but has {list(tensor.shape)}{cause}",
        hint,
        SERIOUS if cause == WRONG_DIMENSION else SLIP,
    )
    return tensor


def test_matches_the_closed_form(part1: Part, draw: Draw) -> None:
    mean, log_std = draw.normal(7, 5), draw.normal(7, 5, std=0.7)
    # One posterior near the prior in every draw: there a least divergence (free bits) shows.
    mean[0], log_std[0] = 0.02 * mean[0], 0.02 * log_std[0]
    value = as_tensor(part1.utils.KLD(mean, log_std), "KLD")
    # Its own check looks at the dimensions; here only the formula counts.
    if value.shape != (7,):
        elements = 0.5 * ((2 * log_std).exp() + mean.square() - 1 - 2 * log_std)
        reduced = {"sum over the batch": elements.sum(0), "sum over everything": elements.sum()}
        if any(close(value, other, rtol=1e-4, atol=1e-4) for other in reduced.values()):
            fail(
                f"KLD of [7, 5] inputs should have shape [7], but has {list(value.shape)}: it is summed over "
                "the wrong dimension",
                "sum over the last dimension only, dim=-1; the batch stays",
            )
        means = (elements.sum(-1).mean(), elements.mean())
        if any(close(value, mean, rtol=1e-4, atol=1e-4) for mean in means):
            fail(
                f"KLD of [7, 5] inputs should have shape [7], but has {list(value.shape)}: it is averaged "
                "over the batch",
                "one divergence per image: forward averages them",
                SLIP,
            )
        expect_last_gone(value, (7, 5), "KLD of [7, 5] inputs", "sum over the last dimension only, dim=-1")
    expect_close(value, reference(mean, log_std), "KLD", likely_cause(value, mean, log_std))
    # Posteriors as far from the prior as a training may take them; limits for stability lie beyond.
    mean, log_std = draw.uniform(16, 4, low=-10, high=10), draw.uniform(16, 4, low=-9.5, high=4)
    value = as_tensor(part1.utils.KLD(mean, log_std), "KLD")
    with costing(SLIP):
        expect_close(
            value,
            reference(mean.double(), log_std.double()),
            "KLD far from the prior, for means up to 10 and log_std from -9.5 to 4",
            f"no clamp, and nothing added inside a logarithm: log(exp(log_std)^2) is 2 log_std; {EQUATION}",
        )


def test_sums_over_last_dimension_only(part1: Part, draw: Draw) -> None:
    hint = "sum over the last dimension only (dim=-1) and leave all others as they are"
    for shape in ((3, 4, 6), (6,), (4, 1), (1, 6), (5, 5)):
        mean, log_std = draw.normal(*shape), draw.normal(*shape, std=0.5)
        what = f"KLD of {list(shape)} inputs"
        value = expect_last_gone(part1.utils.KLD(mean, log_std), shape, what, hint)
        if shape != (5, 5):
            continue
        # Whatever the formula: the latents of one image count in its own divergence, and only there.
        for column in (0, 4):
            row, other_mean, other_log_std = draw.choice(range(5)), mean.clone(), log_std.clone()
            other_mean[row, column] += 2
            other_log_std[row, column] += 0.5
            other = expect_last_gone(part1.utils.KLD(other_mean, other_log_std), shape, what, hint)
            moved = (other - value).abs() > 1e-4
            others = torch.arange(5) != row
            expect(
                not bool(moved[others].any()),
                f"{what}: the divergence of an image changes with the latents of another; it is summed over "
                "the batch (the wrong dimension)",
                hint,
                SERIOUS,
            )
            expect(bool(moved[row]), f"{what}: the divergence of an image ignores one of its latents", hint)


def test_is_zero_for_the_prior_and_positive_elsewhere(part1: Part, draw: Draw) -> None:
    at_prior = as_tensor(part1.utils.KLD(torch.zeros(3, 8), torch.zeros(3, 8)), "KLD")
    expect(
        bool((at_prior.double().abs() < 1e-5).all()),
        "KLD of the prior itself (mean 0, log_std 0) should be 0",
        "log_std = 0 means a standard deviation of 1: every term of equation 13 cancels",
    )
    mean, log_std = draw.normal(16, 8, std=0.5), draw.normal(16, 8, std=0.5)
    elsewhere = as_tensor(part1.utils.KLD(mean, log_std), "KLD")
    expect_finite(elsewhere, "KLD", EQUATION)
    expect(
        bool((elsewhere > 0).all()),
        "a KL divergence cannot be negative, but KLD is",
        f"check the signs; {EQUATION}",
    )


def test_has_the_right_gradients(part1: Part, draw: Draw) -> None:
    mean, log_std = draw.normal(4, 3).requires_grad_(), draw.normal(4, 3, std=0.5).requires_grad_()
    call = part1.record(part1.utils.KLD, mean, log_std)
    value = expect_last_gone(
        call.value, (4, 3), "KLD of [4, 3] inputs", "sum over the last dimension only, dim=-1"
    )
    cotangent = draw.normal(4).to(value.dtype)
    grad_mean, grad_log_std = call.gradients(cotangent)
    hint = "compute it from the tensors with torch functions, without .item(), .detach(), numpy or no_grad"
    expect(grad_mean is not None and grad_log_std is not None, "no gradient flows through KLD", hint)
    expect_close(grad_mean, cotangent[:, None] * mean.detach(), "the gradient of KLD for the mean", EQUATION)
    expected = cotangent[:, None] * ((2 * log_std.detach()).exp() - 1)
    expect_close(grad_log_std, expected, "the gradient of KLD for log_std", EQUATION)

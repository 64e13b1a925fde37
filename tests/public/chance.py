"""Are these numbers random in the right way? Used by the tests of everything that draws.

A test of random numbers can be unlucky. All limits here are at least 5.5 standard errors away, which right
code crosses less than once in ten million runs. A wrong scale or shared noise is much further out.
"""

import math

import torch

STANDARD_ERRORS = 5.5


def assert_standard_normal(values: torch.Tensor, what: str, hint: str) -> None:
    """Fail unless the values look like draws from N(0, 1).

    Four looks, because each is blind to something: uniform noise can have mean 0 and variance 1, but then
    too few of its values lie within one standard deviation; of noise cut at 2 only the tails tell.

    Args:
        values: any shape, a thousand values or more.
        what: what they are, for the message.
        hint: what to look at.
    """
    values = values.detach().double().flatten()
    count = len(values)
    mean, std = values.mean().item(), values.std().item()
    assert std > 1e-6, f"{what} never changes: there is no randomness in it.\nHint: {hint}"
    # The mean of `count` draws has standard error 1 / sqrt(count), their variance sqrt(2 / count).
    assert abs(std**2 - 1) < STANDARD_ERRORS * math.sqrt(2 / count), (
        f"{what} should have standard deviation 1, but has {std:.3f}.\nHint: {hint}"
    )
    assert abs(mean) < STANDARD_ERRORS / math.sqrt(count), (
        f"{what} should have mean 0, but has {mean:.3f}.\nHint: {hint}"
    )
    # 68.27% of a normal distribution lie within one standard deviation; of a uniform one, 57.7%.
    within = (values.abs() < 1).double().mean().item()
    assert abs(within - 0.6827) < STANDARD_ERRORS * math.sqrt(0.6827 * 0.3173 / count), (
        f"{what} should be normally distributed, but {within:.1%} instead of 68.3% lie between -1 and 1.\n"
        f"Hint: {hint}"
    )
    # Of so many draws 20 are expected beyond this limit on either side: none has a probability of 2e-9.
    limit = torch.special.ndtri(torch.tensor(1 - 20 / count)).item()
    lowest, highest = values.min().item(), values.max().item()
    assert lowest < -limit and highest > limit, (
        f"{what} stays between {lowest:.2f} and {highest:.2f}; of {count} draws from N(0, 1) some 40 lie "
        f"beyond {limit:.2f} on either side.\nHint: {hint}"
    )


def assert_independent(values: torch.Tensor, what: str, hint: str) -> None:
    """Fail unless all entries of a matrix of random numbers are independent of each other.

    Add the rows up: where they are independent, the squares of the sums are on average the number of
    rows; where one row is used again and again, it is that number squared. Then the same for the columns.

    Args:
        values: [rows, columns], 50 of each or more.
        what: what they are, for the message.
        hint: what to look at.
    """
    values = values.detach().double()
    # Mean and spread have a test of their own.
    values = (values - values.mean()) / values.std().clamp(min=1e-9)
    for name, lines in (("row", values), ("column", values.T)):
        ratio = lines.sum(dim=0).square().mean().item() / len(lines)
        # A mean of 50 or more squares: 1 with standard error sqrt(2 / 50) = 0.2 or less. Squares have a
        # long tail, so the limit is wide; shared noise gives 50 and more.
        assert ratio < 3, f"the {name}s of {what} share their noise.\nHint: {hint}"

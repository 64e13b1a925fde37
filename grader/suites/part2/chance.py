"""Statistical checks: is a sample of codes drawn from N(0, I)?"""

import math

import torch

from grader.suites.expect import expect
from grader.suites.measures import note

# Each statistic below is asymptotically N(0, 1) for right code. Beyond 6.5 it is called wrong: a chance of
# 8e-11 for one of them. The most that one check computes are 1,500 (with 40 dimensions, 780 pairs of them),
# and the skewed fourth moment is 200 times as likely to go there: below 1e-6 in all.
# Measured against right and wrong code in docs/calibration.md: `prior`.
LIMIT = 6.5


def expect_standard_normal(codes: torch.Tensor, what: str) -> None:
    """Fail unless the elements of `[N, D]` look like independent draws of N(0, 1).

    Besides the first four moments: a sample that repeats a row (or a number) for the whole batch
    has columns (or rows) without any spread.
    """
    codes = codes.double()
    count, width = codes.shape
    total = codes.numel()
    row_means, column_means = codes.mean(1), codes.mean(0)
    expect(
        bool((codes.std(0) > 1e-3).all()),
        f"{what}: all rows of a batch are the same"
        if float(codes.abs().max()) > 1e-3
        else f"{what} are 0: nothing is drawn",
        "draw a code of its own for every image: torch.randn of shape [B, z_dim]",
    )
    expect(
        width == 1 or bool((codes.std(1) > 1e-3).any()),
        f"{what}: all latent dimensions of a code are the same number",
        "draw every element: torch.randn of shape [B, z_dim]",
    )
    mean, variance = codes.mean().item(), codes.var().item()
    lowest, highest = float(codes.min()), float(codes.max())
    # Thousands of uniform numbers come within 1% of the ends of their range, normal ones go far beyond.
    uniform = 0 <= lowest < 0.01 and 0.99 < highest < 1
    expect(
        note("prior: mean", abs(mean) * math.sqrt(total), LIMIT) < LIMIT,
        f"{what} have mean {mean:.3f} instead of 0",
        "torch.rand is uniform in [0, 1), torch.randn draws from N(0, 1)"
        if uniform
        else "the prior is N(0, I): torch.randn as it is, neither scaled nor uniform nor shifted",
    )
    expect(
        note("prior: variance", abs(variance - 1) * math.sqrt(total / 2), LIMIT) < LIMIT,
        f"{what} have variance {variance:.3f} instead of 1",
        "the prior is N(0, I): torch.randn, neither scaled nor uniform",
    )
    kurtosis = codes.pow(4).mean().item()
    expect(
        note("prior: fourth moment", abs(kurtosis - 3) * math.sqrt(total / 96), LIMIT) < LIMIT,
        f"{what} are not normal: their fourth moment is {kurtosis:.2f} instead of 3 (a uniform one has 1.8)",
        "torch.randn draws from N(0, 1)",
    )
    expect(
        note("prior: row means", float(row_means.abs().max()) * math.sqrt(width), LIMIT + 0.5) < LIMIT + 0.5
        and note("prior: column means", float(column_means.abs().max()) * math.sqrt(count), LIMIT) < LIMIT
        and note(
            "prior: variance of row means",
            abs(float(row_means.var()) * width - 1) * math.sqrt(count / 2),
            LIMIT,
        )
        < LIMIT,
        f"{what} share an offset by row or by column",
        "draw every element of every row by itself",
    )
    products = (codes.T @ codes) / math.sqrt(count)
    worst = float((products - torch.diag(products.diagonal())).abs().max())
    neighbours = (codes[1:] * codes[:-1]).sum().item() / math.sqrt((count - 1) * width)
    expect(
        note("prior: products of columns", worst, LIMIT) < LIMIT
        and note("prior: neighbouring rows", abs(neighbours), LIMIT) < LIMIT,
        f"{what} depend on each other across latent dimensions or rows",
        "draw every element of every row by itself",
    )

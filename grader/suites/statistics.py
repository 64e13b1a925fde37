"""Statistical tests with a stated false-alarm rate.

Every limit here is a number of standard errors chosen so that right code is called wrong at most once in
10^7 tests (5.33 standard errors, two-sided, of a normal statistic), which leaves a check made of up to ten
of them below 10^-6. Each test is paired with others that have the power it lacks: the Kolmogorov-Smirnov
test alone does not see a scale of 0.98, the variance test does not see a uniform of variance 1.
"""

from __future__ import annotations

import math

import torch

from grader.suites.measures import note

# Measured against right and wrong code in docs/calibration.md: `normal`, `independence`, `frequency`.
STANDARD_ERRORS = 5.5  # two-sided: 4e-8
# Of up to 10^5 pairs, the largest: 5e-12 each. Fisher's transformation is good to a few percent from 20 on,
# and lies on the safe side of it by the margin that noise used twice (correlation 1) leaves.
PAIRWISE_STANDARD_ERRORS = 7.5
# So many draws are expected beyond a limit in either tail: that there is none, has a probability of 2e-9. The
# other looks do not see a clamp at 2: it moves the variance by 4 standard errors of 5,000 draws.
IN_A_TAIL = 20
# P(sqrt(N) D > x) -> 2 exp(-2 x^2), Kolmogorov's limit; 2.9 gives 1e-7.
KOLMOGOROV = 2.9


def normal_faults(values: torch.Tensor, what: str) -> str:
    """What is wrong with values that should be independent draws from N(0, 1); empty when nothing is.

    Looks at mean, variance and shape of the distribution. Use `dependence_faults` for the independence.

    Args:
        values: any shape, at least 1,000 elements.
        what: how to call them in the message.
    """
    flat = values.double().flatten()
    count = flat.numel()
    if not bool(torch.isfinite(flat).all()):
        return f"{what} has values that are NaN or infinite"
    mean, variance = flat.mean().item(), flat.var().item()
    if variance < 1e-12:
        return f"{what} is constant: nothing is drawn at random"
    offset = abs(mean) * math.sqrt(count) / max(1.0, math.sqrt(variance))
    if note("normal: mean", offset, STANDARD_ERRORS) > STANDARD_ERRORS:
        return f"{what} has mean {mean:.3f} instead of 0"
    excess = abs(variance - 1) / math.sqrt(2 / count)
    if note("normal: variance", excess, STANDARD_ERRORS) > STANDARD_ERRORS:
        return f"{what} has standard deviation {math.sqrt(variance):.3f} instead of 1"
    ordered = torch.special.ndtr(flat.sort().values)
    steps = torch.arange(1, count + 1, dtype=torch.float64) / count
    distance = torch.maximum((steps - ordered).max(), (ordered - steps + 1 / count).max()).item()
    if note("normal: Kolmogorov-Smirnov", distance * math.sqrt(count), KOLMOGOROV) > KOLMOGOROV:
        return f"{what} is not normally distributed"
    limit = float(torch.special.ndtri(torch.tensor(1 - IN_A_TAIL / count, dtype=torch.float64)))
    lowest, highest = float(flat.min()), float(flat.max())
    if lowest > -limit or highest < limit:
        return (
            f"{what} stays between {lowest:.3g} and {highest:.3g}: of {count:,} draws from N(0, 1) some "
            f"{2 * IN_A_TAIL} lie beyond {limit:.3g} on either side"
        )
    return ""


def dependence_faults(values: torch.Tensor, what: str) -> str:
    """What ties together values `[rows, columns]` that should be independent N(0, 1) draws; empty if nothing.

    Two looks at rows, and the same two at columns. The largest correlation of two of them finds noise that
    is repeated anywhere. Their sum finds noise that is shared in part: its variance is the number of rows
    when they are independent, and the square of that when one is repeated.
    """
    matrix = values.double()
    if not bool(torch.isfinite(matrix).all()):
        return f"{what} has values that are NaN or infinite"
    faults: list[tuple[float, str]] = []
    for dim, name in enumerate(("row", "column")):
        lines = matrix if dim == 0 else matrix.T
        count, length = lines.shape
        if count < 2:
            continue
        degrees = length
        sums = (
            (lines.sum(0).square() / count).sum().item()
        )  # each square chi-square with one degree of freedom
        score = note("independence: sums", _chi_square_score(sums, degrees), STANDARD_ERRORS)
        scores = [score - STANDARD_ERRORS]
        if length >= 20:
            score = _largest_correlation_score(lines)
            note("independence: largest correlation", score, PAIRWISE_STANDARD_ERRORS)
            scores.append(score - PAIRWISE_STANDARD_ERRORS)
        faults.append(
            (max(scores), f"the {name}s of {what} are not independent: one {name} is used for several")
        )
    score, fault = max(faults, default=(0.0, ""))
    return "" if score <= 0 else fault  # a score that is NaN is no pass


def _largest_correlation_score(lines: torch.Tensor) -> float:
    """The largest correlation of any two lines, in standard errors by Fisher's transformation."""
    varying = lines[lines.std(dim=1) > 1e-6]  # a constant line correlates with nothing
    if len(varying) < 2:
        return 0.0
    correlations = torch.corrcoef(varying)
    correlations.fill_diagonal_(0.0)
    largest = correlations.abs().max().clamp(max=1 - 1e-12)
    return float(largest.atanh()) * math.sqrt(lines.shape[1] - 3)


def correlation_score(first: torch.Tensor, second: torch.Tensor) -> float:
    """Standard errors by which two sets of independent values correlate."""
    a, b = first.double().flatten(), second.double().flatten()
    a, b = a - a.mean(), b - b.mean()
    scale = (a.norm() * b.norm()).item()
    score = 0.0 if scale == 0 else abs((a @ b).item() / scale) * math.sqrt(a.numel())
    return note("independence: correlation", score, STANDARD_ERRORS)


def frequency_score(successes: float, trials: int, probability: float) -> float:
    """Standard errors between a frequency and its probability."""
    deviation = abs(successes - trials * probability)
    score = deviation / math.sqrt(trials * probability * (1 - probability))
    return note("frequency", score, STANDARD_ERRORS)


def _chi_square_score(value: float, degrees: int) -> float:
    """Standard errors of a chi-square value, by Wilson and Hilferty's cube root."""
    cube_root = (value / degrees) ** (1 / 3)
    return (cube_root - (1 - 2 / (9 * degrees))) / math.sqrt(2 / (9 * degrees))

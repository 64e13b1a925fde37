"""A mean over thousands of images from some hundred of them, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from grader.evidence.facts import Reason, Verdict

Z95 = 1.96
CERTAIN = 3.0  # standard errors beyond a limit, before anything is called contradicted


@dataclass(frozen=True)
class Estimate:
    """A mean and its standard error."""

    mean: float
    error: float

    @property
    def low(self) -> float:
        """The lower end of the 95% interval."""
        return self.mean - Z95 * self.error

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + Z95 * self.error


def estimate(losses: torch.Tensor, features: torch.Tensor, all_features: torch.Tensor) -> Estimate:
    """The mean loss over a set, by regression on features of which the mean over the set is known.

    Whether the sample happens to have more hard images than the set makes no difference then: the interval is
    a third as wide as that of the sample's mean.

    Args:
        losses: float64 `[n]`, of the sample's images.
        features: float64 `[n, K]`, the first of them 1.
        all_features: float64 `[N, K]`, of the whole set.
    """
    scale = all_features.abs().mean(0).clamp(min=1e-9)
    own, every = features / scale, (all_features / scale).mean(0)
    weights = torch.linalg.lstsq(own, losses.unsqueeze(1)).solution.squeeze(1)
    left = losses - own @ weights
    count, used = len(losses), own.shape[1]
    variance = float(left.square().sum()) / max(1, count - used)
    # How far the mean of the sample's features is from the set's adds to the uncertainty of the slopes.
    away = own.mean(0) - every
    spread = torch.linalg.pinv(own.T @ own)
    error = variance * (1 / count + float(away @ spread @ away))
    return Estimate(float(every @ weights), max(error, 0.0) ** 0.5)


def compare(claimed: float, measured: Estimate, near: float, far: float) -> tuple[Verdict, Reason]:
    """What a measurement says of a claimed mean.

    Args:
        claimed: the mean.
        measured: the measurement.
        near: by how much they may differ for the claim to be supported, wherever in its interval the mean is.
        far: from which difference on the claim is contradicted: averaged weights, another device, half
            precision or the statistics of a batch make up less.

    Returns:
        The verdict and its reason; `TOO_CLOSE` where more images might decide.
    """
    difference = abs(claimed - measured.mean)
    if difference + Z95 * measured.error <= near:
        return Verdict.SUPPORTED, Reason.WITHIN
    if difference - CERTAIN * measured.error >= far:
        return Verdict.CONTRADICTED, Reason.BEYOND
    return Verdict.NOT_CHECKABLE, Reason.TOO_CLOSE

"""Intervals that hold as often as they say, and verdicts that follow from them."""

from __future__ import annotations

import pytest
import torch

from grader.evidence.estimate import Estimate, compare, estimate
from grader.evidence.facts import Reason, Verdict

NEAR, FAR = 0.01, 0.04


def world(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of 6,000 images and their losses, which mostly depend on these."""
    draws = torch.Generator().manual_seed(seed)
    features = torch.rand(6000, 4, generator=draws, dtype=torch.float64)
    features[:, 0] = 1
    noise = torch.randn(6000, generator=draws, dtype=torch.float64)
    return features, features @ torch.tensor([0.2, 0.3, 0.5, 0.1], dtype=torch.float64) + 0.05 * noise


def test_the_interval_holds_in_95_of_100_cases():
    features, losses = world(1)
    true = float(losses.mean())
    hits = 0
    for seed in range(400):
        chosen = torch.randperm(6000, generator=torch.Generator().manual_seed(seed))[:200]
        found = estimate(losses[chosen], features[chosen], features)
        hits += found.low <= true <= found.high
    assert 365 <= hits <= 394  # 380, with three standard errors


def test_features_make_the_interval_narrower_than_the_samples_own():
    features, losses = world(2)
    found = estimate(losses[:300], features[:300], features)
    assert found.error < 0.4 * float(losses[:300].std()) / 300**0.5


def test_features_that_say_the_same_do_no_harm():
    features, losses = world(3)
    doubled = torch.cat([features, features[:, 1:], torch.zeros(6000, 1, dtype=torch.float64)], dim=1)
    one, other = (estimate(losses[:300], some[:300], some) for some in (features, doubled))
    assert other.mean == pytest.approx(one.mean, abs=1e-4)
    assert other.error == pytest.approx(one.error, rel=0.05)


@pytest.mark.parametrize(
    ("away", "error", "verdict", "reason"),
    [
        (0.0, 0.002, Verdict.SUPPORTED, Reason.WITHIN),
        (0.005, 0.002, Verdict.SUPPORTED, Reason.WITHIN),
        (0.008, 0.002, Verdict.NOT_CHECKABLE, Reason.TOO_CLOSE),  # more images may tell
        (0.0, 0.02, Verdict.NOT_CHECKABLE, Reason.TOO_CLOSE),  # too few images tell nothing
        (0.03, 0.002, Verdict.NOT_CHECKABLE, Reason.TOO_CLOSE),  # averaged weights make as much
        (0.05, 0.002, Verdict.CONTRADICTED, Reason.BEYOND),
        (0.05, 0.01, Verdict.NOT_CHECKABLE, Reason.TOO_CLOSE),
    ],
)
def test_a_verdict_waits_for_the_whole_interval(away, error, verdict, reason):
    for sign in (1, -1):
        assert compare(0.5 + sign * away, Estimate(0.5, error), NEAR, FAR) == (verdict, reason)

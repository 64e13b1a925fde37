"""The statistical tests that the suites judge by: they pass right draws and catch wrong ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from grader.suites.draw import Draw, derive_seed
from grader.suites.statistics import (
    STANDARD_ERRORS,
    correlation_score,
    dependence_faults,
    frequency_score,
    normal_faults,
)

SEEDS = range(1000)


def draws(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def uniform(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_normal_draws_pass_for_every_seed() -> None:
    for seed in SEEDS:
        values = draws(seed, 60, 50)
        assert not normal_faults(values, "it")
        assert not dependence_faults(values, "it")
        assert correlation_score(values[:30], values[30:]) < STANDARD_ERRORS


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda seed: draws(seed, 200, 200) * 0.96, "standard deviation"),
        (lambda seed: draws(seed, 200, 200) * 1.04, "standard deviation"),
        (lambda seed: draws(seed, 200, 200) + 0.05, "mean"),
        (lambda seed: (uniform(seed, 200, 200) - 0.5) * math.sqrt(12), "normally"),
        (lambda seed: uniform(seed, 200, 200), "mean"),
        (lambda seed: draws(seed, 200, 200).sign(), "normally"),
        (lambda seed: torch.zeros(200, 200), "constant"),
        (lambda seed: draws(seed, 200, 200) / 0, "NaN or infinite"),
    ],
)
def test_other_distributions_are_caught_for_every_seed(
    wrong: Callable[[int], torch.Tensor], word: str
) -> None:
    for seed in range(20):
        assert word in normal_faults(wrong(seed), "it")


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda seed: draws(seed, 1, 50).expand(60, 50), "rows"),
        (lambda seed: draws(seed, 60, 1).expand(60, 50), "columns"),
        (lambda seed: draws(seed, 30, 50).repeat(2, 1), "rows"),
        (lambda seed: draws(seed, 60, 25).repeat(1, 2), "columns"),
    ],
)
def test_repeated_noise_is_caught_for_every_seed(wrong: Callable[[int], torch.Tensor], word: str) -> None:
    for seed in range(50):
        assert word in dependence_faults(wrong(seed), "it")


def test_repeated_calls_correlate() -> None:
    values = draws(1, 500)
    assert correlation_score(values, values) > STANDARD_ERRORS
    assert correlation_score(values, -values) > STANDARD_ERRORS


def test_frequencies_are_scored_in_standard_errors() -> None:
    assert frequency_score(600, 1000, 0.6) == 0
    assert frequency_score(600 + 3 * math.sqrt(240), 1000, 0.6) == pytest.approx(3)


def test_seeds_depend_on_run_submission_and_check() -> None:
    seeds = {
        derive_seed(run, submission, check)
        for run in (1, 2)
        for submission in ("ada", "ben")
        for check in ("kld", "bpd")
    }
    assert len(seeds) == 8
    assert derive_seed(1, "ada", "kld") == derive_seed(1, "ada", "kld")
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(1, "\udcff", "kld") > 0  # a name that is not UTF-8


def test_a_draw_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    draw = Draw(3)
    draw.normal(5), draw.uniform(5), draw.integers(4, 5), draw.choice([1, 2]), draw.seed()
    assert torch.equal(before, torch.random.get_rng_state())


def test_drawn_images_are_all_different() -> None:
    images = torch.arange(50).view(50, 1)
    assert len(Draw(3).images(images, 50).unique()) == 50

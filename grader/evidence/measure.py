"""What networks with handed-in weights really come to, by the grader's own draws."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import cross_entropy

from grader.evidence.estimate import Estimate, estimate
from grader.evidence.images import Images, levels, signed
from grader.evidence.networks import BATCH, Networks

PIXELS = 28 * 28
# Codes are numbers of many digits, in which a whole image could be hidden: this is where they end.
CODE_NOISE = 1e-3
STEADY = 20.0  # beyond e^20 a standard deviation is none


def losses(networks: Networks, pixels: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """The loss of each image: bits per dimension in part 1, mean squared error in part 2.

    Args:
        networks: with the weights in question.
        pixels: float `[N, 1, 28, 28]` in [0, 1].
        draws: of the codes.

    Returns:
        float64 `[N]`.
    """
    of_a_batch = _bits_per_dimension if networks.training.part == "part1" else _squared_errors
    return torch.cat([of_a_batch(networks, batch, draws) for batch in pixels.split(BATCH)])


def _bits_per_dimension(networks: Networks, pixels: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    images = levels(pixels)
    mean, log_std = networks.encode(images)
    assert log_std is not None
    log_std = log_std.clamp(-STEADY, STEADY)
    codes = mean + log_std.exp() * torch.randn(mean.shape, generator=draws)
    nats = cross_entropy(networks.decode(codes), images.squeeze(1), reduction="none").double().sum(dim=(1, 2))
    mean, log_std = mean.double(), log_std.double()
    divergence = 0.5 * (torch.exp(2 * log_std) + mean**2 - 1 - 2 * log_std).sum(dim=1)
    return (nats + divergence) / math.log(2) / PIXELS


def _squared_errors(networks: Networks, pixels: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    images = signed(pixels)
    codes, _ = networks.encode(images)
    size = codes.std(dim=0).mean().clamp(min=1e-6) if len(codes) > 1 else torch.tensor(1.0)
    codes = codes + CODE_NOISE * size * torch.randn(codes.shape, generator=draws)
    return (networks.decode(codes) - images).double().square().mean(dim=(1, 2, 3))


def divergence_from_prior(networks: Networks, pixels: torch.Tensor) -> float:
    """How far the codes of part 2's images are from draws of the prior, by their means and covariances.

    The KL divergence of a normal distribution with these from the standard one, in nats per dimension: 0 for
    draws from the prior, and no number for codes that stay in a plane.
    """
    codes, _ = networks.encode(signed(pixels))
    codes = codes.double()
    covariance = torch.atleast_2d(torch.cov(codes.T)) + 1e-9 * torch.eye(codes.shape[1], dtype=torch.float64)
    moments = float(torch.trace(covariance) + codes.mean(0).square().sum() - torch.logdet(covariance))
    return 0.5 * (moments / codes.shape[1] - 1)


class Measurement:
    """The mean loss over a set of images, from more and more of them.

    Args:
        networks: with the weights in question.
        images: the set.
        draws: chooses the images, and draws the codes.
    """

    def __init__(self, networks: Networks, images: Images, draws: torch.Generator) -> None:
        self._networks = networks
        self._images = images
        self._draws = draws
        self._order = torch.randperm(len(images), generator=draws)
        self._losses = torch.empty(0, dtype=torch.float64)

    def of(self, count: int) -> Estimate:
        """The estimate from so many images or more, those of before among them."""
        chosen = self._order[: max(count, len(self._losses))]
        new = chosen[len(self._losses) :]
        if len(new):
            found = losses(self._networks, self._images.pixels(new), self._draws)
            self._losses = torch.cat([self._losses, found])
        features = self._images.features
        return estimate(self._losses, features[chosen[: len(self._losses)]], features)

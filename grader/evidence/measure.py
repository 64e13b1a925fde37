"""What networks with handed-in weights really come to, by the grader's own draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import add

import torch
from torch.nn.functional import cross_entropy

from grader.evidence.estimate import Estimate, estimate
from grader.evidence.images import Images, levels, signed
from grader.evidence.networks import BATCH, Networks
from grader.evidence.weights import Weights

PIXELS = 28 * 28
# Codes are numbers of many digits, in which a whole image could be hidden: this is where they end.
CODE_NOISE = 1e-3
STEADY = 20.0  # beyond e^20 a standard deviation is none


@dataclass(frozen=True)
class Outcome:
    """What networks have made of images.

    Attributes:
        losses: float64 `[N]`: bits per dimension in part 1, mean squared error in part 2.
        codes: float32 `[N, z_dim]`: those of part 2 as the encoder gave them, of part 1 as drawn.
        sent: the codes that the decoder was given.
    """

    losses: torch.Tensor
    codes: torch.Tensor
    sent: torch.Tensor

    def __add__(self, other: Outcome) -> Outcome:
        """Of both sets of images."""
        return Outcome(
            torch.cat([self.losses, other.losses]),
            torch.cat([self.codes, other.codes]),
            torch.cat([self.sent, other.sent]),
        )


def outcome(networks: Networks, pixels: torch.Tensor, draws: torch.Generator) -> Outcome:
    """What networks make of images.

    Args:
        networks: with the weights in question.
        pixels: float `[N, 1, 28, 28]` in [0, 1].
        draws: of the codes.
    """
    of_a_batch = _bits_per_dimension if networks.training.part == "part1" else _squared_errors
    return reduce(add, (of_a_batch(networks, batch, draws) for batch in pixels.split(BATCH)))


def _bits_per_dimension(networks: Networks, pixels: torch.Tensor, draws: torch.Generator) -> Outcome:
    images = levels(pixels)
    mean, log_std = networks.encode(images)
    assert log_std is not None
    log_std = log_std.clamp(-STEADY, STEADY)
    codes = mean + log_std.exp() * torch.randn(mean.shape, generator=draws)
    nats = _nats(networks, codes, images)
    mean, log_std = mean.double(), log_std.double()
    divergence = 0.5 * (torch.exp(2 * log_std) + mean**2 - 1 - 2 * log_std).sum(dim=1)
    return Outcome((nats + divergence) / math.log(2) / PIXELS, codes, codes)


def _nats(networks: Networks, codes: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    logits = networks.decode(codes)
    return cross_entropy(logits, images.squeeze(1), reduction="none").double().sum(dim=(1, 2))


def _squared_errors(networks: Networks, pixels: torch.Tensor, draws: torch.Generator) -> Outcome:
    images = signed(pixels)
    codes, _ = networks.encode(images)
    size = codes.std(dim=0).mean().clamp(min=1e-6) if len(codes) > 1 else torch.tensor(1.0)
    sent = codes + CODE_NOISE * size * torch.randn(codes.shape, generator=draws)
    return Outcome(_errors(networks, sent, images), codes, sent)


def _errors(networks: Networks, codes: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    return (networks.decode(codes) - images).double().square().mean(dim=(1, 2, 3))


def misses(networks: Networks, codes: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """What the decoder makes of codes, beside the images that they should be.

    Args:
        networks: with the weights in question.
        codes: float `[N, z_dim]`, at most as many as fit into a message.
        pixels: float `[N, 1, 28, 28]` in [0, 1].

    Returns:
        float64 `[N]`: bits per dimension of the image alone in part 1, mean squared error in part 2.
    """
    if networks.training.part == "part1":
        return _nats(networks, codes, levels(pixels)) / math.log(2) / PIXELS
    return _errors(networks, codes, signed(pixels))


def divergence_from_prior(codes: torch.Tensor) -> float:
    """How far codes are from draws of the prior, by their means and covariances.

    The KL divergence of a normal distribution with these from the standard one, in nats per dimension: 0 for
    draws from the prior, and no number for codes that stay in a plane.

    Args:
        codes: `[N, z_dim]`.
    """
    codes = codes.double()
    covariance = torch.atleast_2d(torch.cov(codes.T)) + 1e-9 * torch.eye(codes.shape[1], dtype=torch.float64)
    moments = float(torch.trace(covariance) + codes.mean(0).square().sum() - torch.logdet(covariance))
    return 0.5 * (moments / codes.shape[1] - 1)


class Measurement:
    """The mean loss over a set of images, from more and more of them.

    Args:
        networks: to load the weights into.
        weights: those in question.
        images: the set.
        draws: chooses the images, and draws the codes.

    Raises (all methods):
        Misfit: the weights do not fit.
        Unusable: what the networks return is no answer.
        StudentError: the code fails.
    """

    def __init__(self, networks: Networks, weights: Weights, images: Images, draws: torch.Generator) -> None:
        self._networks = networks
        self._weights = weights
        self._images = images
        self._draws = draws
        self._order = torch.randperm(len(images), generator=draws)
        self._found: Outcome | None = None

    def outcome(self, count: int) -> Outcome:
        """What came of so many images or more, those of before among them."""
        done = 0 if self._found is None else len(self._found.losses)
        if count > done:
            self._networks.load(self._weights)
            more = outcome(self._networks, self.pixels(done, count), self._draws)
            self._found = more if self._found is None else self._found + more
        assert self._found is not None
        return self._found

    def pixels(self, begin: int, end: int) -> torch.Tensor:
        """Some of the images, in the order in which they are looked at."""
        return self._images.pixels(self._order[begin:end])

    def of(self, count: int) -> Estimate:
        """The estimate from so many images or more."""
        losses = self.outcome(count).losses
        images = self._images
        return estimate(losses, images.features[self._order[: len(losses)]], images.features)

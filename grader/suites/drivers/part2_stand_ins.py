"""Runs in the box: trivial stand-ins for the pieces of part 2 that a check is not about.

So one mistake costs one item. No question is answered by what stands here.
"""

import contextlib
import importlib

import torch
from torch import nn


class EncoderStandIn(nn.Module):
    """A linear map of the pixels."""

    def __init__(self, z_dim):
        super().__init__()
        self.map = nn.Linear(784, z_dim)

    def forward(self, x):
        return self.map(x.flatten(1))

    @property
    def device(self):
        return self.map.weight.device


class DecoderStandIn(nn.Module):
    """A linear map to the pixels."""

    def __init__(self, z_dim):
        super().__init__()
        self.map = nn.Linear(z_dim, 784)

    def forward(self, z):
        return self.map(z).view(-1, 1, 28, 28)


class DiscriminatorStandIn(nn.Module):
    """A linear map to one number."""

    def __init__(self, z_dim):
        super().__init__()
        self.map = nn.Linear(z_dim, 1)

    def forward(self, z):
        return self.map(z)


STAND_INS = {
    "ConvEncoder": (EncoderStandIn, (2, 1, 28, 28)),
    "ConvDecoder": (DecoderStandIn, (2, 8)),
    "Discriminator": (DiscriminatorStandIn, (2, 8)),
}
_works = {}


def _network_works(name):
    """Whether the student's network of this name can be built and run; found out once."""
    if name not in _works:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            try:
                network = getattr(importlib.import_module("models"), name)(8)
                network(torch.zeros(STAND_INS[name][1]))
                _works[name] = True
            except Exception:
                _works[name] = False
    return _works[name]


@contextlib.contextmanager
def without_broken(names):
    """While it lasts, the constructor of AdversarialAE finds a stand-in for every network that fails."""
    models = importlib.import_module("models")
    broken = [name for name in names if not _network_works(name)]
    before = {name: getattr(models, name) for name in broken if hasattr(models, name)}
    for name in broken:
        setattr(models, name, STAND_INS[name][0])
    try:
        yield
    finally:
        for name in broken:
            if name in before:
                setattr(models, name, before[name])
            else:
                delattr(models, name)


def build(z_dim, replaceable=tuple(STAND_INS)):
    """An AdversarialAE of the student's networks; those of `replaceable` that fail give way to a stand-in."""
    with without_broken(replaceable):
        return importlib.import_module("models").AdversarialAE(z_dim=z_dim)


class Judge(nn.Module):
    """Stands in for the discriminator: the logits `z @ weight + bias`, and a record of what it was asked.

    `flat` and `probabilities` follow a discriminator that breaks the contract in this way, for which
    another item takes its points.
    """

    def __init__(self, weight, bias, flat, probabilities):
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)
        self.flat = flat
        self.probabilities = probabilities
        self.seen = []

    def forward(self, z):
        self.seen.append(z.detach().clone())
        value = z @ self.weight + self.bias
        if self.probabilities:
            value = value.sigmoid()
        return value if self.flat else value.unsqueeze(-1)


def judged(model, weight, bias, flat, probabilities):
    """Let a `Judge` take the place of the model's discriminator; returns it."""
    model.discriminator = Judge(weight, bias, flat, probabilities)
    return model.discriminator


class Canvas(nn.Module):
    """Stands in for the decoder: `tanh(z @ weight + bias)`, from which the codes can be read again."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)

    def forward(self, z):
        z_dim = len(self.weight)
        if z.dim() != 2 or z.shape[1] != z_dim:
            raise ValueError(f"the decoder takes codes of shape [B, {z_dim}], but gets {list(z.shape)}")
        return (z @ self.weight + self.bias).tanh().view(-1, 1, 28, 28)


def painted(model, weight, bias):
    """Let a `Canvas` take the place of the model's decoder; returns the model."""
    model.decoder = Canvas(weight, bias)
    return model


def seen(stand_in):
    """What a `Judge` was given since the last time, joined where all are codes of one size."""
    codes, stand_in.seen = stand_in.seen, []
    together = len({tuple(z.shape[1:]) for z in codes}) == 1 and all(z.dim() == 2 for z in codes)
    return [torch.cat(codes)] if together else codes[:16]


class Silent:
    """Stands in for loggers and for TensorBoard: takes everything and keeps nothing."""

    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

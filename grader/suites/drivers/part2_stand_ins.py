"""Runs in the box: trivial stand-ins for the pieces of part 2 that a check is not about.

So one mistake costs one item. No question is answered by what stands here.
"""

import contextlib
import importlib

import torch
from both_mapping import together
from both_packing import answering, dtype_of, packed, packing_of, settle_packing, unpacked, unpacks
from torch import nn


def takes_its_dtype(network):
    """Let a network with other weights than float32 take float32 as well; returns it.

    The suites send float32. The contract names no dtype, so that nobody can know this.

    Raises:
        TypeError: the weights are of half precision.
    """
    dtype = dtype_of(network)
    if dtype in (None, torch.float32) or network.__dict__.get("grader_takes") == dtype:
        return network
    if dtype not in (torch.float32, torch.float64):
        raise TypeError(
            f"the weights of {type(network).__name__} are {dtype}: half precision is not accepted, only "
            "torch.float32 and torch.float64 (autocast inside forward is fine)"
        )
    network.__dict__["grader_takes"] = dtype
    network.register_forward_pre_hook(
        lambda module, args, kwargs: _cast((args, kwargs), dtype), with_kwargs=True
    )
    return network


def _cast(value, dtype):
    """Floating-point tensors in another dtype, wherever they are in a value."""
    if isinstance(value, torch.Tensor):
        return value.to(dtype) if value.is_floating_point() else value
    if isinstance(value, tuple | list):
        return type(value)(_cast(part, dtype) for part in value)
    if isinstance(value, dict):
        return {name: _cast(part, dtype) for name, part in value.items()}
    return value


class StandIn(nn.Module):
    """A network of the grader's in the place of one of the student's.

    What else the student's code reads of its network (`self.decoder.z_dim`) it finds as it was, so all names
    of our own begin with `grader_`; and whatever else it hands to forward (`detach=True`) is not looked at.
    Answers are packed as the student's network packs its own.
    """

    grader_like = None

    def __init__(self, *example):
        super().__init__()
        self.grader_example = example  # the shape of one of what it is called with

    def replaces(self, original):
        """Take the place of a network, from now on, with numbers of its type."""
        self.__dict__["grader_like"] = packing_of(original, torch.zeros(self.grader_example))
        self.__dict__["grader_original"] = original  # no submodule: its weights are not the stand-in's
        for parameter in original.parameters() if isinstance(original, nn.Module) else ():
            if parameter.requires_grad and not nn.parameter.is_lazy(parameter):
                parameter.grad = torch.zeros_like(parameter)  # for a log of its size
        if isinstance(original, nn.Module) and (dtype := dtype_of(original)) is not None:
            self.to(dtype)
        return takes_its_dtype(self)

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            if isinstance(self.__dict__.get("grader_original"), nn.Module):
                return getattr(self.__dict__["grader_original"], name)
            raise

    def grader_packed(self, answer):
        return packed(answer, self.grader_like)

    @property
    def device(self):
        return next(self.parameters()).device


class EncoderStandIn(StandIn):
    """A linear map of the pixels."""

    def __init__(self, z_dim, *args, **kwargs):
        super().__init__(1, 1, 28, 28)
        self.grader_map = nn.Linear(784, z_dim)

    def forward(self, x, *args, **kwargs):
        return self.grader_packed(self.grader_map(x.flatten(1).to(self.grader_map.weight.dtype)))


class DecoderStandIn(StandIn):
    """A linear map to the pixels."""

    def __init__(self, z_dim, *args, **kwargs):
        super().__init__(1, z_dim)
        self.grader_map = nn.Linear(z_dim, 784)

    def forward(self, z, *args, **kwargs):
        return self.grader_packed(self.grader_map(z.to(self.grader_map.weight.dtype)).view(-1, 1, 28, 28))


class DiscriminatorStandIn(StandIn):
    """A linear map to one number."""

    def __init__(self, z_dim, *args, **kwargs):
        super().__init__(1, z_dim)
        self.grader_map = nn.Linear(z_dim, 1)

    def forward(self, z, *args, **kwargs):
        return self.grader_packed(self.grader_map(z.to(self.grader_map.weight.dtype)))


class QuadraticStandIn(StandIn):
    """A discriminator that sees how far from zero each element of a code is, and nothing else."""

    def __init__(self, z_dim, *args, **kwargs):
        super().__init__(1, z_dim)
        self.grader_map = nn.Linear(2 * z_dim, 1)

    def forward(self, z, *args, **kwargs):
        z = z.to(self.grader_map.weight.dtype)
        return self.grader_packed(self.grader_map(torch.cat([z, z.square().clamp(max=9)], dim=1)))


STAND_INS = {
    "ConvEncoder": (EncoderStandIn, (2, 1, 28, 28)),
    "ConvDecoder": (DecoderStandIn, (2, 8)),
    "Discriminator": (DiscriminatorStandIn, (2, 8)),
}
NETWORKS = ("encoder", "decoder", "discriminator")
_works = {}


def _network_works(name):
    """Whether the student's network of this name can be built and run; found out once."""
    if name not in _works:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            try:
                network = takes_its_dtype(getattr(importlib.import_module("models"), name)(8))
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
        model = importlib.import_module("models").AdversarialAE(z_dim=z_dim)
    for name in NETWORKS:
        if isinstance(network := getattr(model, name, None), nn.Module):
            takes_its_dtype(network)
    return agreeing(complete(takes_its_dtype(model)), z_dim)


def agreeing(model, z_dim):
    """Let networks answer with what the contract asks for alone where the model's forward expects that."""
    x, z = torch.zeros(2, 1, 28, 28), torch.zeros(2, z_dim)
    examples = ((getattr(model, name, None), x if name == "encoder" else z) for name in NETWORKS)
    packing = [(network, one) for network, one in examples if packing_of(network, one) is not None]
    if packing and not unpacks(lambda: model(x)):
        for network, example in packing:
            answering(network, example)
    return model


def is_lazy(network):
    """Whether some weights wait for a first input to know their shape."""
    return any(nn.parameter.is_lazy(parameter) for parameter in network.parameters())


@torch.no_grad()
def complete(model):
    """Show a model an image if weights of it are still waiting for their shape; returns the model."""
    if is_lazy(model):
        z = unpacked(model.encoder(torch.zeros(2, 1, 28, 28)))
        model.decoder(z)
        model.discriminator(z)
    return model


def answer_of(model, name, x):
    """The tensor that the contract asks for, of the answer of one of a model's networks."""
    return unpacked(getattr(model, name)(x))


@torch.no_grad()
def awake(network, example):
    """Make a network ready to be judged by its weights; returns it.

    Weights that wait for a first input get their shape; a last layer that starts at zero, as some initialize
    it, gets small random ones.
    """
    takes_its_dtype(network)
    if is_lazy(network):
        network(example)
    for parameter in network.parameters():
        if parameter.dim() >= 2 and not parameter.any():
            parameter.normal_(std=0.05)
    return network


@torch.no_grad()
def enlarge(network, factor):
    """Multiply all weights of a network, and nothing that it keeps besides them."""
    for parameter in network.parameters():
        parameter.mul_(factor)


@torch.no_grad()
def alters(network, x):
    """Whether a network changes what it is given."""
    before = x.clone()
    network(x)
    return not torch.equal(before, x)


@torch.no_grad()
def when_enlarged(network, x, factors):
    """What a network makes of an input when all of its weights are multiplied by a factor.

    The first of the factors that does not overflow counts.
    """
    done = 1.0
    for factor in factors:
        enlarge(network, factor / done)
        done = factor
        value = network(x)
        if not isinstance(value, torch.Tensor) or torch.isfinite(value).all():
            break
    return value


class Judge(StandIn):
    """Stands in for the discriminator: the logits `z @ weight + bias`, and a record of what it was asked.

    `flat` and `probabilities` follow a discriminator that breaks the contract in this way, for which
    another item takes its points.
    """

    def __init__(self, weight, bias, flat, probabilities):
        super().__init__(1, len(weight))
        self.grader_weight = nn.Parameter(weight)
        self.grader_bias = nn.Parameter(bias)
        self.grader_flat = flat
        self.grader_probabilities = probabilities
        self.grader_seen = []

    def forward(self, z, *args, **kwargs):
        return self.grader_packed(together(self._judgement, z))

    def _judgement(self, z):
        self.grader_seen.append(z.detach().clone())
        value = z @ self.grader_weight + self.grader_bias
        if self.grader_probabilities:
            value = value.sigmoid()
        return value if self.grader_flat else value.unsqueeze(-1)


def judged(model, weight, bias, flat, probabilities):
    """Let a `Judge` take the place of the model's discriminator; returns it."""
    judge = Judge(weight, bias, flat, probabilities)
    model.discriminator = judge.replaces(getattr(model, "discriminator", None))
    settle_packing([judge], lambda: model.get_loss_discriminator(torch.zeros(2, len(weight)))[:1])
    judge.grader_seen = []
    dtype = dtype_of(judge)
    for name in ("get_loss_autoencoder", "get_loss_discriminator"):
        if dtype != torch.float32 and hasattr(model, name):
            setattr(model, name, _casting(getattr(model, name), dtype))
    return model.discriminator


def _casting(function, dtype):
    """A function that is given floating-point tensors in this dtype."""
    return lambda *args, **kwargs: function(*_cast(args, dtype), **_cast(kwargs, dtype))


class Canvas(StandIn):
    """Stands in for the decoder: `tanh(z @ weight + bias)`, from which the codes can be read again."""

    def __init__(self, weight, bias):
        super().__init__(1, len(weight))
        self.grader_weight = nn.Parameter(weight)
        self.grader_bias = nn.Parameter(bias)

    def forward(self, z, *args, **kwargs):
        z_dim = len(self.grader_weight)
        if z.dim() != 2 or z.shape[1] != z_dim:
            raise ValueError(f"the decoder takes codes of shape [B, {z_dim}], but gets {list(z.shape)}")
        return self.grader_packed((z @ self.grader_weight + self.grader_bias).tanh().view(-1, 1, 28, 28))


def painted(model, weight, bias):
    """Let a `Canvas` take the place of the model's decoder; returns the model."""
    model.decoder = Canvas(weight, bias).replaces(getattr(model, "decoder", None))
    settle_packing([model.decoder], lambda: [model.sample(2)])
    return model


def seen(stand_in):
    """What a `Judge` was given since the last time, joined where all are codes of one size."""
    codes, stand_in.grader_seen = stand_in.grader_seen, []
    together = len({tuple(z.shape[1:]) for z in codes}) == 1 and all(z.dim() == 2 for z in codes)
    return [torch.cat(codes)] if together else codes[:16]

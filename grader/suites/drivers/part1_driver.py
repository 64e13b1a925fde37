"""Runs in the box: stand-ins and loops for the checks of part 1.

A stand-in is trivial, never a solution: it lets one piece of the student's code be looked at while the
pieces around it say something known.
"""

import copy
import importlib
import inspect
import sys

import torch
from both_packing import answering, packed, packing_of, settle_packing, unpacked
from both_packing import as_it_is as as_it_is  # for the suites
from part1_numbers import half_of, take_any_floats, takes, weights_dtype
from part1_stand_ins import (
    CRUDE_FORWARDS,
    CRUDE_HELPERS,
    CRUDE_NETWORKS,
    Held,
    ManifoldDecoder,
    decoded_once,
    full_precision,
    mean_plus_std,
    stand_in,
)
from part1_training import Training, fit
from torch import nn

MODULES = ("utils", "cnn_encoder_decoder", "train_pl")
ORIGINALS = {}


def replace(name, stand_in):
    """Bind a stand-in wherever the student's modules have bound the helper of this name."""
    loaded = [module for module in MODULES if module in sys.modules]
    originals = [
        getattr(sys.modules[module], name) for module in loaded if hasattr(sys.modules[module], name)
    ]
    for module in loaded:
        # Also under another name: `from utils import KLD as kl_divergence`.
        for bound, value in list(vars(sys.modules[module]).items()):
            if bound == name or any(value is original for original in originals):
                ORIGINALS.setdefault((module, bound), value)
                setattr(sys.modules[module], bound, stand_in)


def restore():
    """Undo every replacement."""
    for (module, name), original in ORIGINALS.items():
        setattr(sys.modules[module], name, original)
    ORIGINALS.clear()


def without_gradients(function, *arguments):
    """Call a function of the student's as evaluation does, under torch.no_grad()."""
    with torch.no_grad():
        return function(*arguments)


def stop_sampling():
    """From now on `sample_reparameterize` returns mean + std: no noise, and std stays visible."""
    replace("sample_reparameterize", mean_plus_std)


def make_crude(name):
    """Replace a helper of utils.py, a network, or `forward`, by a crude one that still can be trained."""
    if name in CRUDE_FORWARDS:
        importlib.import_module("train_pl").VAE.forward = CRUDE_FORWARDS[name]
        return
    if name in CRUDE_HELPERS:
        replace(name, CRUDE_HELPERS[name])
        return
    try:
        replaced = _network(name, CHANNELS[name], 8, 20)
        dtype = full_precision(weights_dtype(replaced))
    except Exception:
        replaced = dtype = None
    example, parts = EXAMPLES[ROLES[name]](20), PARTS[ROLES[name]]
    like = packing_of(replaced, example, parts, 20)
    crude = type(name, (CRUDE_NETWORKS[name],), {"dtype": dtype, "grader_like": like})
    replace(name, crude)
    settle_packing([crude], lambda: build(8, 20)(EXAMPLES["encoder"](20)))


def mend(name):
    """Replace a helper of utils.py by a crude one if it cannot even be called.

    One that can be called, right or wrong, stays: what uses it is judged with it.
    """
    import utils

    ones = torch.ones(2, 3)
    arguments = {
        "sample_reparameterize": (ones, ones),
        "KLD": (ones, ones),
        "elbo_to_bpd": (ones[:, 0], [2, 1, 28, 28]),
    }
    try:
        getattr(utils, name)(*arguments[name])
    except Exception:
        make_crude(name)


def _with_device(decoder):
    """Give a decoder the property `device` where its own is not right: that costs an item of its own."""
    if str(_device(decoder)) != "cpu":
        kind = type(decoder)
        decoder.__class__ = type(
            kind.__name__, (kind,), {"device": property(lambda self: torch.device("cpu"))}
        )


def _device(network):
    try:
        return network.device
    except Exception:
        return None


def device_of(network):
    """What a network says of its device, and where its parameters are: `cpu` or another type, as texts."""
    said = _device(network)
    if isinstance(said, str | torch.device):
        said = torch.device(said).type
    else:
        said = "missing" if said is None else f"a {type(said).__name__}"
    return said, next(network.parameters()).device.type


def _fill(network, example):
    """Run a network once if it has lazy layers: only then do they have weights."""
    if any(nn.parameter.is_lazy(one) for one in network.parameters()):
        training = network.training
        network.eval()
        with torch.no_grad():
            network(example.to(weights_dtype(network)) if example.is_floating_point() else example)
        network.train(training)


MANY = 1000  # weights, each of any size


def settle(network, example):
    """Make a network ready for what the grader asks of it.

    Args:
        network: of the student's.
        example: what it may be called with.

    Returns:
        The name of the half precision that it has, or nothing; and whether weights may start at zero.
    """
    if not isinstance(network, nn.Module):
        return "", True
    half = half_of(network)
    if not half:
        _fill(network, example)
        take_any_floats(network, example)
    state = network.state_dict()
    # So many weights do not fit into a message: let the grader ask for them, and be told so.
    return half, len(state) > MANY or any(value.numel() and not value.any() for value in state.values())


EXAMPLES = {
    "encoder": lambda z_dim: torch.zeros(1, 1, 28, 28, dtype=torch.int64),
    "decoder": lambda z_dim: torch.zeros(1, z_dim),
}
ROLES = {"CNNEncoder": "encoder", "CNNDecoder": "decoder"}
# How many tensors they return.
PARTS = {"encoder": 2, "decoder": 1}


def settled(model, z_dim):
    """A VAE whose lazy layers, if it has some, have weights; one that cannot run stays as it is."""
    for name, example in EXAMPLES.items():
        try:
            _fill(getattr(model, name), example(z_dim))
        except Exception:
            continue  # what it cannot do shows where it is used
    return model


def half_of_vae(num_filters, z_dim):
    """Which half precision the networks of a VAE have, if any: the name of a dtype, or nothing."""
    model = build(num_filters, z_dim)
    networks = [getattr(model, name, None) for name in EXAMPLES]
    found = [half_of(network) for network in networks if isinstance(network, nn.Module)]
    return next((half for half in found if half), "")


# Parameters of the constructors, in their order.
SIZES = ("num_input_channels", "num_filters", "z_dim")
OF_VAE = ("num_filters", "z_dim", "lr")
CHANNELS = {"CNNEncoder": 1, "CNNDecoder": 16}


def _made(kind, names, values):
    """An object, its arguments by name, or in their order where it does not know these names."""
    try:
        return kind(**dict(zip(names, values, strict=True)))
    except TypeError:
        known = signature_of(kind)
        if not known or set(names) <= {name for name, _ in known}:
            raise
    return kind(*values)


def _network(name, num_input_channels, num_filters, z_dim):
    import cnn_encoder_decoder

    return _made(getattr(cnn_encoder_decoder, name), SIZES, (num_input_channels, num_filters, z_dim))


def network(name, num_input_channels, num_filters, z_dim):
    """A network of the student's, `CNNEncoder` or `CNNDecoder`, that answers what the contract asks for."""
    made, role = _network(name, num_input_channels, num_filters, z_dim), ROLES[name]
    example = torch.zeros(1, num_input_channels, 28, 28, dtype=torch.int64)
    return answering(made, example if role == "encoder" else EXAMPLES[role](z_dim), PARTS[role], z_dim)


def vae(num_filters, z_dim, lr):
    """A VAE of the student's."""
    import train_pl

    return _made(train_pl.VAE, OF_VAE, (num_filters, z_dim, lr))


def signature_of(kind):
    """The parameters of a class, as pairs of their name and their default: an int or float, or nothing.

    Of one that takes whatever comes (`*args`, `**kwargs`), or has none to be read, nothing is said.
    """
    try:
        parameters = list(inspect.signature(kind).parameters.values())
    except (TypeError, ValueError):
        return []
    if any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters):
        return []
    return [(one.name, one.default if type(one.default) in (int, float) else None) for one in parameters]


def signature(module, name):
    """The parameters of one of the student's classes."""
    return signature_of(getattr(importlib.import_module(module), name))


def shapes(name, example, *sizes, **named):
    """The shapes of a network's parameters, for arguments by place or by name; nothing if it has none."""
    import cnn_encoder_decoder

    made = getattr(cnn_encoder_decoder, name)(*sizes, **named)
    if not half_of(made):
        _fill(made, example)
    return [list(parameter.shape) for parameter in made.parameters()]


class _Hollow(nn.Module):
    """Takes the place of a network that cannot be built."""

    def __init__(self, *args, **kwargs):
        super().__init__()


def build(num_filters, z_dim):
    """A VAE; networks that cannot be built are left hollow."""
    import train_pl

    try:
        return vae(num_filters, z_dim, 1e-3)
    except Exception:
        if not isinstance(getattr(train_pl, "VAE", None), type):
            raise
    for name in ("CNNEncoder", "CNNDecoder"):
        try:
            getattr(train_pl, name)(z_dim=z_dim, num_filters=num_filters)
        except Exception:
            replace(name, _Hollow)
    return vae(num_filters, z_dim, 1e-3)


def build_to_judge(num_filters, z_dim):
    """A VAE whose networks take floats of every dtype."""
    model = build(num_filters, z_dim)
    for name, example in EXAMPLES.items():
        settle(getattr(model, name), example(z_dim))
    return model


def plain(model, name, z_dim):
    """The encoder or decoder of a VAE, whose answers to the grader hold what the contract asks for alone.

    The model's own calls of it get what they did.
    """
    network = getattr(model, name)
    if packing_of(network, EXAMPLES[name](z_dim), PARTS[name], z_dim) is None:
        return network
    alone = copy.copy(network)  # shares its weights, by the same names
    alone.forward = lambda x: unpacked(network(x), PARTS[name], z_dim)
    return alone


def with_fixed_networks(mean, log_std, logits, gain=0.0):
    """A VAE whose networks answer with a posterior and logits that are given."""
    model = build(8, mean.shape[1])
    for name in EXAMPLES:
        if not isinstance(getattr(model, name, None), nn.Module):
            setattr(model, name, _Hollow())
    held = Held(mean, log_std, logits, gain, model.encoder, model.decoder)
    stand_in(model.encoder, held.encode)
    stand_in(model.decoder, held.decode)
    _with_device(model.decoder)
    settle_packing([held], lambda: model.eval()(EXAMPLES["encoder"](0)))
    held.forget()
    model.__dict__["_grader_held"] = held  # not a submodule: the model's parameters stay what they are
    model.eval()
    return model


def telling(model, places):
    """From now on what a stand-in decoder says tells the latents that it is given; see `Held`."""
    held(model).places = places
    return model


def held(model):
    """What the stand-ins of a model return."""
    return model.__dict__["_grader_held"]


def encoded(model, count):
    """The first `count` images of every batch that the encoder was shown since the last time."""
    seen = [images[:count] for images in held(model).images]
    held(model).images.clear()
    return seen


def latents(model):
    """What the stand-in decoder has been asked to decode since the last time."""
    found = decoded_once(held(model).latents)
    held(model).latents.clear()
    return found


def manifold_decoder(upper, lower):
    """The stand-in decoder for visualize_manifold."""
    try:
        like = packing_of(_network("CNNDecoder", CHANNELS["CNNDecoder"], 8, 2), EXAMPLES["decoder"](2))
    except Exception:
        like = None
    decoder = ManifoldDecoder(upper, lower, _accepted_by_a_decoder, like).eval()
    settle_packing([decoder], lambda: [importlib.import_module("utils").visualize_manifold(decoder, 2)])
    decoder.latents = []
    return decoder


def _accepted_by_a_decoder(z):
    """Whether the student's own decoder, by itself or in a VAE, takes latents of this dtype."""
    for make in (lambda: network("CNNDecoder", 16, 8, 2), lambda: vae(8, 2, 1e-3).decoder):
        try:
            if takes(make(), z):
                return True
        except Exception:
            continue  # what it cannot do shows where it is used
    return False


def manifold_latents(decoder):
    """The latents that visualize_manifold has asked for."""
    return decoded_once(decoder.latents)


def start_training(images, batch_size, num_filters, z_dim, lr):
    """Set a training up."""
    return Training(settled(vae(num_filters, z_dim, lr), z_dim), images, batch_size, lr)


def after_fit(num_filters, z_dim, lr, state, batches, epochs, validate):
    """What a VAE of some weights becomes in a training by Lightning, with the optimizers of its own.

    Args:
        num_filters: of its networks.
        z_dim: likewise.
        lr: the learning rate that it is built with.
        state: the weights.
        batches: images, int64 `[N, B, 1, 28, 28]`.
        epochs: how many times it sees them.
        validate: whether each epoch is validated.

    Returns:
        Its state dict.
    """
    model = settled(vae(num_filters, z_dim, lr), z_dim)
    model.load_state_dict(state)
    fit(model, batches, epochs, validate)
    return model.state_dict()


def both_are_taught(num_filters, z_dim, lr, images):
    """Whether the loss of `training_step` has a gradient in both networks, where each term depends on one.

    Nothing where that cannot be told from one call: a step may optimize by hand, or need its Trainer, and a
    network may not be there at all.
    """
    try:
        model = settled(vae(num_filters, z_dim, lr), z_dim)
        like = packing_of(model, EXAMPLES["encoder"](z_dim), 3)
        model.forward = lambda imgs: packed(CRUDE_FORWARDS["parted forward"](model, imgs), like)
        loss = model.training_step((images, torch.zeros(len(images)).long()), 0)
        loss = loss["loss"] if isinstance(loss, dict) else loss
        names, weights = zip(*((n, w) for n, w in model.named_parameters() if w.requires_grad), strict=True)
        found = torch.autograd.grad(loss, weights, allow_unused=True)
    except Exception:
        return None
    taught = {
        name.split(".")[0] for name, one in zip(names, found, strict=True) if one is not None and one.any()
    }
    return {"encoder", "decoder"} <= taught


def gradients_of_loss(model, images, training=True):
    """The gradient of the loss by each parameter that learns, by name; nothing if there is no loss."""
    model.train(training)
    result = unpacked(model(images), 3)
    if not isinstance(result, tuple | list) or len(result) != 3 or not isinstance(result[2], torch.Tensor):
        return None
    learning = {name: one for name, one in model.named_parameters() if one.requires_grad}
    found = torch.autograd.grad(result[2].sum(), list(learning.values()), allow_unused=True)
    # Copies: a gradient may be one number, expanded, which does not travel.
    whole = torch.contiguous_format
    pairs = zip(learning, found, strict=True)
    return {name: one.clone(memory_format=whole) for name, one in pairs if one is not None}


def rates_of(model):
    """The learning rates that the optimizers of a VAE begin with, for a message."""

    def optimizers(value):
        if isinstance(value, torch.optim.Optimizer):
            return [value]
        parts = (
            value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        )
        return [one for part in parts for one in optimizers(part)]

    found = optimizers(model.configure_optimizers())
    return [float(group["lr"]) for optimizer in found for group in optimizer.param_groups]

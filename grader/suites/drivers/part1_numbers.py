"""Runs in the box: the floating dtypes of a student's networks, which the contract leaves open."""

import torch
from both_packing import dtype_of

HALF = (torch.float16, torch.bfloat16)


def weights_dtype(network):
    """The dtype of a network's weights; the default one where it has none."""
    own = dtype_of(network) if isinstance(network, torch.nn.Module) else None
    return own or torch.get_default_dtype()


def answers_in(network, example):
    """The dtype in which a network answers: that of its weights, unless its forward casts."""
    own = weights_dtype(network)
    if own == torch.float32 or not isinstance(network, torch.nn.Module):
        return own
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            answer = network(example)
        first = answer[0] if isinstance(answer, tuple | list) else answer
        return first.dtype if first.is_floating_point() else own
    except Exception:
        return own
    finally:
        network.train(training)


def half_of(network):
    """The name of a dtype of half precision that some weights have; empty where none has."""
    found = {parameter.dtype for parameter in network.parameters()}
    return next((str(dtype).removeprefix("torch.") for dtype in HALF if dtype in found), "")


def take_any_floats(network, example):
    """From now on a network takes floats of every dtype: they become those that its weights want.

    The grader sends float32, whatever the student has chosen. Code of theirs that calls the network with
    floats of another dtype is looked at where stand-ins are called, which refuse them.

    Args:
        network: of the student's.
        example: what it may be called with.
    """
    dtypes = list(dict.fromkeys(one.dtype for one in network.parameters() if one.is_floating_point()))
    if not example.is_floating_point() or dtypes in ([], [torch.float32]):
        return
    wanted = dtypes[0]
    if len(dtypes) > 1:  # some layers in float32, others in float64: its own forward casts between them
        wanted = next((dtype for dtype in dtypes if takes(network, example.to(dtype))), wanted)

    def cast(module, args, kwargs):
        def to(value):
            floating = isinstance(value, torch.Tensor) and value.is_floating_point()
            return value.to(wanted) if floating else value

        return tuple(map(to, args)), {name: to(value) for name, value in kwargs.items()}

    network.register_forward_pre_hook(cast, with_kwargs=True)


def takes(network, example, forward=None):
    """Whether a network runs on an input, in evaluation mode; `forward` stands for its own, if given."""
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            (forward or network)(example)
    except Exception:
        return False
    finally:
        network.train(training)
    return True

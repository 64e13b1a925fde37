"""Runs in the box: answers that hold more than the contract asks for, or hold it in another way.

A network that returns its features beside its answer breaks the contract, which costs the item that it
belongs to. Code of the same student that calls it unpacks what it packs: where another item is judged, the
grader takes out what the contract asks for, and a stand-in packs its answer alike.
"""

import torch

# Classes whose answers are what the contract asks for: they are not tried again.
_plain = set()


def dtype_of(network):
    """The dtype of a network's first floating-point parameter; None without any."""
    dtypes = (parameter.dtype for parameter in network.parameters() if parameter.is_floating_point())
    return next(dtypes, None)


def unpacked(answer, parts=1, columns=None):
    """What the contract asks for, out of an answer: one tensor, or a tuple of several.

    Args:
        answer: of a network, or a model.
        parts: how many tensors the contract asks for.
        columns: how many each of them has, where one tensor may hold all of them side by side.

    Returns:
        The first tensors of a longer tuple, a list or a dict; an answer that does not hold them as it is.
    """
    if isinstance(answer, torch.Tensor):
        joined = parts > 1 and answer.dim() == 2 and columns and answer.shape[1] == parts * columns
        return answer.chunk(parts, dim=1) if joined else answer
    values = list(answer.values()) if isinstance(answer, dict) else answer
    if not isinstance(values, tuple | list) or len(values) < parts:
        return answer
    first = tuple(values[:parts])
    if not all(isinstance(one, torch.Tensor) for one in first):
        return answer
    return first[0] if parts == 1 else first


def packed(answer, like):
    """An answer of the grader's in the form of one of the student's.

    Args:
        answer: a tensor, or a tuple of them, as the contract asks for.
        like: what the student's network answers; None where that is what the contract asks for.
    """
    if like is None:
        return answer
    parts = answer if isinstance(answer, tuple) else (answer,)
    if isinstance(like, torch.Tensor):
        return torch.cat(parts, dim=1)
    values = list(like.values()) if isinstance(like, dict) else like
    count = len(parts[0]) if parts[0].dim() else 1
    more = (_for_each(one, count) for one in values[len(parts) :])
    if isinstance(like, dict):
        return dict(zip(like, (*parts, *more), strict=True))
    return [*parts, *more] if isinstance(like, list) else (*parts, *more)


def _for_each(value, count):
    """What was said beside the answer to one example, for as many as there are."""
    one = isinstance(value, torch.Tensor) and value.dim() > 0 and len(value) == 1
    return value.expand(count, *value.shape[1:]) if one else value


def packing_of(network, example, parts=1, columns=None):
    """An answer of a network that packs it in another way than the contract; None of any other.

    Args:
        network: of the student's.
        example: one of what it may be called with.
        parts: how many tensors the contract asks for.
        columns: how many each of them has.
    """
    if type(network) in _plain or not isinstance(network, torch.nn.Module):
        return None
    training = network.training
    network.eval()
    dtype = dtype_of(network) if example.is_floating_point() else None
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            answer = network(example if dtype is None else example.to(dtype))
    except Exception:
        return None  # what it cannot do shows where it is used
    finally:
        network.train(training)
    found = unpacked(answer, parts, columns)
    due = isinstance(answer, torch.Tensor) if parts == 1 else isinstance(answer, tuple | list)
    if due and (parts == 1 or len(answer) == parts):
        _plain.add(type(network))
        return None
    return answer if found is not answer else None


def answering(network, example, parts=1, columns=None):
    """Let a network answer with what the contract asks for alone; returns it. See `packing_of`."""
    if packing_of(network, example, parts, columns) is not None:
        own = network.forward

        def forward(*args, **kwargs):
            answer = own(*args, **kwargs)
            return answer if network.__dict__["grader_whole"] else unpacked(answer, parts, columns)

        network.__dict__["grader_whole"] = False
        network.forward = forward
    return network


def as_it_is(network, x):
    """What a network answers, with all that it packs into it, after `answering`, too."""
    network.__dict__["grader_whole"] = True
    try:
        return network(x)
    finally:
        network.__dict__["grader_whole"] = False


def unpacks(use):
    """Whether code gets along with the packed answers of the networks that it calls.

    Args:
        use: runs the code; its results, each of which should be a tensor.
    """
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            return all(isinstance(result, torch.Tensor) for result in use())
    except Exception:
        return False


def settle_packing(stand_ins, use):
    """Let stand-ins answer as the contract says, unless the student's code unpacks what their networks pack.

    A network and the code that calls it need not agree: what is wrong may be the network alone.

    Args:
        stand_ins: whose `grader_like` is an answer of the network that each replaces, or None.
        use: runs the code that calls them; see `unpacks`.
    """
    if any(one.grader_like is not None for one in stand_ins) and not unpacks(use):
        for one in stand_ins:
            one.grader_like = None

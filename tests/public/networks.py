"""What several tests do with networks: replace their output, and ask what their weights are good for."""

from collections.abc import Callable

import pytest
import torch
from calls import all_rows
from torch import nn


def parameters_of(*networks: nn.Module) -> list[nn.Parameter]:
    """The parameters of several networks, for one optimizer."""
    return [parameter for network in networks for parameter in network.parameters()]


def in_precision_of(other: object, tensor: torch.Tensor) -> torch.Tensor:
    """The tensor, in double precision where a network has its weights or another tensor its numbers in it."""
    while isinstance(other, nn.Module | tuple | list):
        other = next(iter(other.parameters() if isinstance(other, nn.Module) else other), None)
    return tensor.double() if getattr(other, "dtype", None) == torch.float64 else tensor


def replace_output(network: nn.Module, output: Callable[[torch.Tensor], object]) -> list[torch.Tensor]:
    """Let a network return what the test wants, whatever its weights are.

    With an output that the test knows, it can judge the code around the network alone: a mistake in the
    decoder does not make the test of `sample` fail, too. A network of double precision keeps it.

    Args:
        network: the network; it keeps its attributes, and still runs.
        output: gets the network's input, returns what the network shall return from now on.

    Returns:
        A list that collects every input from now on.
    """
    inputs: list[torch.Tensor] = []
    run = network.forward

    def answer(value: torch.Tensor) -> object:
        inputs.append(value.detach().clone())
        return output(value)

    def forward(*args: object, **kwargs: object) -> object:
        own = run(*args, **kwargs)
        # Your forward may take more than the input, such as an option with a default.
        value = next(value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor))
        tensors = all_rows(answer, value)
        if isinstance(tensors, tuple):
            return tuple(in_precision_of(own, tensor) for tensor in tensors)
        return in_precision_of(own, tensors)

    network.forward = forward
    return inputs


def without_repeats(inputs: list[torch.Tensor]) -> torch.Tensor:
    """The rows of all inputs in one tensor; one that a later call asks about again counts once."""
    different = inputs[0]
    for value in inputs[1:]:
        equal = value.flatten(1).unsqueeze(1) == different.flatten(1)  # [rows, different rows, numbers]
        different = torch.cat([different, value[~equal.all(dim=2).any(dim=1)]])
    return different


def count_weights(network: nn.Module, example: torch.Tensor) -> int:
    """How many numbers a network learns. Lazy layers take their shape from the example."""
    network.eval()(example)
    return sum(parameter.numel() for parameter in network.parameters())


def assert_full_precision(network: nn.Module) -> None:
    """Fail if some weights are of half precision, in which small steps of an optimizer are rounded away."""
    half = {str(p.dtype) for p in network.parameters() if p.dtype in (torch.float16, torch.bfloat16)}
    assert not half, (
        f"the network's weights are {', '.join(half)}.\nHint: keep them in float32, without .half() or "
        ".bfloat16(); autocast leaves them as they are."
    )


@torch.no_grad()
def awake(network: nn.Module, example: torch.Tensor) -> nn.Module:
    """Make a new network ready to be looked at, in evaluation mode.

    Some start with a last layer or a factor of zero: that gets small random numbers, or all outputs would be
    the same. Lazy layers take their shape from a first input, the example.
    """
    network.eval()(example)
    for name, parameter in network.named_parameters():
        if parameter.requires_grad and not parameter.any() and not name.endswith("bias"):
            parameter.normal_(std=0.1)
    return network


@torch.no_grad()
def large_weights(network: nn.Module, example: torch.Tensor) -> nn.Module:
    """Give a network weights so large that nothing but an activation can keep its output small."""
    for parameter in awake(network, example).parameters():
        if parameter.dim() > 1:  # neither biases nor the scales of a BatchNorm
            # Behind a weight norm there is a single number for each output: the length of its weights.
            parameter.normal_(std=1 if parameter[0].numel() > 1 else 10)
    return network


def assert_all_weights_learn(network: nn.Module, compute: Callable[[], torch.Tensor], hint: str) -> None:
    """Fail if a weight that has a say in the output gets no gradient from it.

    Args:
        network: the network, in evaluation mode, so that two calls of `compute` agree.
        compute: computes an output from fixed inputs.
        hint: what to look at.
    """
    output = compute()
    assert output.requires_grad, f"nothing here could be trained: the output has no gradient.\nHint: {hint}"
    # Weighted by random numbers, no two gradients cancel each other by accident.
    (output * torch.randn_like(output)).sum().backward()
    for name, parameter in network.named_parameters():
        if parameter.grad is not None and parameter.grad.any():
            continue
        # A layer without use does no harm: fail only if another weight would change the output.
        before = parameter.detach().clone()
        with torch.no_grad():
            parameter.normal_()
        other = compute()
        changed = not torch.equal(other, output)
        # With other weights a gradient gets through a ReLU that was 0 for these inputs, but through no cut.
        if changed and other.requires_grad:
            (other * torch.randn_like(other)).sum().backward()
        with torch.no_grad():
            parameter.copy_(before)
        if changed and (parameter.grad is None or not parameter.grad.any()):
            pytest.fail(
                f"the weights `{name}` have a say in the output, but no gradient reaches them: they would "
                f"never learn.\nHint: {hint}",
                pytrace=False,
            )

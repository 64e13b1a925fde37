"""What several tests do with networks: replace their output, and ask what their weights are good for."""

from collections.abc import Callable

import pytest
import torch
from torch import nn


def parameters_of(*networks: nn.Module) -> list[nn.Parameter]:
    """The parameters of several networks, for one optimizer."""
    return [parameter for network in networks for parameter in network.parameters()]


def replace_output(network: nn.Module, output: Callable[[torch.Tensor], object]) -> list[torch.Tensor]:
    """Let a network return what the test wants, whatever its weights are.

    With an output that the test knows, it can judge the code around the network alone: a mistake in the
    decoder does not make the test of `sample` fail, too.

    Args:
        network: the network; it keeps its attributes, and still runs.
        output: gets the network's input, returns what the network shall return from now on.

    Returns:
        A list that collects every input from now on.
    """
    inputs: list[torch.Tensor] = []
    run = network.forward

    def forward(*args: object, **kwargs: object) -> object:
        run(*args, **kwargs)
        # Your forward may take more than the input, such as an option with a default.
        value = next(value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor))
        inputs.append(value.detach().clone())
        return output(value)

    network.forward = forward
    return inputs


def without_repeats(inputs: list[torch.Tensor]) -> torch.Tensor:
    """All inputs in one tensor; what a network was asked twice counts once."""
    different: list[torch.Tensor] = []
    for value in inputs:
        if not any(torch.equal(value, other) for other in different):
            different.append(value)
    return torch.cat(different)


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
            parameter.normal_()
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
            changed = not torch.equal(compute(), output)
            parameter.copy_(before)
        if changed:
            pytest.fail(
                f"the weights `{name}` have a say in the output, but no gradient reaches them: they would "
                f"never learn.\nHint: {hint}",
                pytrace=False,
            )
